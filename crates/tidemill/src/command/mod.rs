//! The commands, one in each file.

mod admin;
mod batch;
mod completions;
mod cron;
mod eval;
mod export;
mod import;
mod migrate;
mod run;
mod serve;
mod tenant;
mod validate;
mod workspace;

use std::io::Write;
use std::process::ExitCode;

use clap::Subcommand;

pub(crate) use workspace::WorkflowFile;

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Serve Tidemill: API, scheduler and worker in one process, over an embedded database
    Serve(serve::Serve),
    /// Run a workflow file without a server; the result is JSON on standard output
    Run(run::Run),
    /// Check a workflow file and say everything that is wrong with it
    Validate(validate::Validate),
    /// Ask about cron expressions
    Cron(cron::Cron),
    /// Evaluate an expression over items
    Eval(eval::Eval),
    /// Bring the database schema up to date
    Migrate(migrate::Migrate),
    /// Store workflow files in the database
    Import(import::Import),
    /// Write stored workflows as JSON files
    Export(export::Export),
    /// Administer an installation
    Admin(admin::Admin),
    /// Print a completion script for a shell
    Completions(completions::Completions),
}

impl Command {
    /// Carries the command out; the exit code says how it went.
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        match self {
            Self::Serve(command) => command.run(),
            Self::Run(command) => command.run(),
            Self::Validate(command) => command.run(),
            Self::Cron(command) => command.run(),
            Self::Eval(command) => command.run(),
            Self::Migrate(command) => command.run(),
            Self::Import(command) => command.run(),
            Self::Export(command) => command.run(),
            Self::Admin(command) => command.run(),
            Self::Completions(command) => command.run(),
        }
    }
}

/// Prints one line to standard output. A reader that has gone away (`| head`) ends the process quietly.
pub(crate) fn say(line: impl std::fmt::Display) {
    if writeln!(std::io::stdout().lock(), "{line}").is_err() {
        std::process::exit(0);
    }
}

/// Prints one line to standard error, with the causes of an error behind it.
pub(crate) fn complain(error: &anyhow::Error) {
    // Nothing is left to be done when standard error is closed.
    let _ = writeln!(std::io::stderr().lock(), "tidemill: {error:#}");
}

/// Runs a future to its end on a runtime of its own.
pub(crate) fn block_on<T>(future: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(future)
}
