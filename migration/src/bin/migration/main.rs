//! The `migration` program: brings the schema of a database up or down, and says where it is.

mod database;

use std::io::Write;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{Parser, Subcommand};
use migration::sea_orm::DatabaseConnection;
use migration::{Migrator, MigratorTrait};
use sea_orm_migration::MigrationStatus;

/// The schema of a Tidemill database, SQLite or PostgreSQL.
#[derive(Parser)]
#[command(name = "migration", version)]
struct Arguments {
    #[command(flatten)]
    database: database::Source,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Apply all pending migrations.
    Up,
    /// Undo the latest migrations, and what is in their tables.
    Down {
        /// How many.
        #[arg(short = 'n', long = "number", value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
        number: u32,
    },
    /// Drop all tables of Tidemill, whatever state they are in, and apply all migrations.
    Fresh,
    /// Undo all migrations and apply them again.
    Refresh,
    /// List the migrations and whether each is applied. Changes nothing.
    Status,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(arguments).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("migration: {}", format!("{error:#}").replace('\n', " "));
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> Result<()> {
    let db = arguments.database.connect().await?;
    let outcome = execute(arguments.command, &db).await;
    db.close().await?;
    outcome
}

async fn execute(command: Command, db: &DatabaseConnection) -> Result<()> {
    match command {
        Command::Up => migration::up_locked(db).await?,
        Command::Down { number } => migration::down_locked(db, Some(number)).await?,
        Command::Fresh => migration::fresh_locked(db).await?,
        Command::Refresh => migration::refresh_locked(db).await?,
        Command::Status => return list(db).await,
    }
    let pending = migration::pending(db).await?.len();
    let applied = Migrator::migrations().len() - pending;
    writeln!(std::io::stdout(), "{applied} migrations applied, {pending} pending").context("cannot write")
}

async fn list(db: &DatabaseConnection) -> Result<()> {
    let mut output = std::io::stdout().lock();
    for migration in Migrator::get_migration_with_status_read_only(db).await? {
        let status = match migration.status() {
            MigrationStatus::Applied => "applied",
            MigrationStatus::Pending => "pending",
        };
        writeln!(output, "{status}  {}", migration.name()).context("cannot write")?;
    }
    Ok(())
}
