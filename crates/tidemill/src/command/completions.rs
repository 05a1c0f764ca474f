//! `tidemill completions`

use std::process::ExitCode;

use clap::{Args, CommandFactory};

/// Print a completion script for a shell
#[derive(Debug, Args)]
pub(crate) struct Completions {
    /// The shell
    shell: clap_complete::Shell,
}

impl Completions {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        clap_complete::generate(
            self.shell,
            &mut crate::CommandLine::command(),
            "tidemill",
            &mut std::io::stdout(),
        );
        Ok(ExitCode::SUCCESS)
    }
}
