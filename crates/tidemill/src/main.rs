//! Tidemill in one process, and its command line.
//!
//! `tidemill serve` runs the API, the scheduler and a worker over an embedded database. The other
//! commands work without a server: they run, check, import and export workflow files, and answer
//! questions about cron expressions and expressions.

mod command;

use clap::Parser;

use command::Command;

/// A self-hosted automation platform: workflows as graphs of nodes, run on schedules, webhooks and by hand.
#[derive(Debug, Parser)]
#[command(name = "tidemill", version, about, disable_help_subcommand = true)]
struct CommandLine {
    #[command(subcommand)]
    command: Command,
}

fn main() -> std::process::ExitCode {
    // A sandbox process is this executable with a hidden argument: it never gets past this line.
    nodes::sandbox::run_if_child();
    let CommandLine { command } = CommandLine::parse();
    match command.run() {
        Ok(code) => code,
        Err(error) => {
            command::complain(&error);
            std::process::ExitCode::FAILURE
        }
    }
}
