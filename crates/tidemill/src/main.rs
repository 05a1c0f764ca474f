//! Tidemill in one process, and its command line.
//!
//! `tidemill serve` runs the API, the scheduler and a worker over an embedded database. The other
//! commands work without a server: they run, check, import and export workflow files, and answer
//! questions about cron expressions and expressions.

mod command;
mod examples;

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
    store::service::install_tls();
    let CommandLine { command } = CommandLine::parse();
    match command.run() {
        Ok(code) => code,
        Err(error) => {
            command::complain(&error);
            std::process::ExitCode::FAILURE
        }
    }
}

#[cfg(test)]
mod tests {
    use migration::{Migrator, MigratorTrait as _};

    #[test]
    fn the_services_expect_the_migrations_that_there_are() {
        let names: Vec<_> =
            Migrator::migrations().iter().map(|migration| migration.name().to_owned()).collect();
        assert_eq!(names, store::service::MIGRATIONS);
    }

    #[test]
    fn the_sections_of_other_crates_have_their_defaults_in_the_file() {
        let settings = store::settings::load_from(None, []).unwrap();
        let sandbox: nodes::sandbox::Limits = settings.sandbox.read("sandbox").unwrap();
        assert_eq!(format!("{sandbox:?}"), format!("{:?}", nodes::sandbox::Limits::default()));
        let egress: nodes::egress::Settings = settings.egress.read("egress").unwrap();
        assert_eq!(format!("{egress:?}"), format!("{:?}", nodes::egress::Settings::default()));
    }
}
