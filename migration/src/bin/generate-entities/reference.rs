//! A migrated database, and what SeaORM's generator makes of it.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::Parser;
use migration::sea_orm::{ConnectionTrait, Database, DatabaseConnection, DbBackend, Statement};

use crate::Files;

/// The generator's own name for the diagram.
pub(crate) const DIAGRAM: &str = "entities.mermaid";

/// The generator's files, by their names.
pub(crate) async fn generate() -> Result<Files> {
    let directory = tempfile::tempdir().context("cannot make a temporary directory")?;
    let url = format!("sqlite://{}?mode=rwc", directory.path().join("reference.db").display());
    let db = Database::connect(&url).await?;
    migration::up_locked(&db).await?;
    drop_partial_unique_indexes(&db).await?;
    db.close().await?;

    let output = directory.path().join("entities");
    run_generator(&url, &output).await?;
    let mut files = Files::new();
    for entry in std::fs::read_dir(&output)? {
        let entry = entry?;
        files.insert(PathBuf::from(entry.file_name()), std::fs::read_to_string(entry.path())?);
    }
    Ok(files)
}

/// The generator would take the columns of such an index for unique without its condition.
async fn drop_partial_unique_indexes(db: &DatabaseConnection) -> Result<()> {
    let query = "SELECT name FROM sqlite_master \
                 WHERE type = 'index' AND sql LIKE 'CREATE UNIQUE INDEX%' AND sql LIKE '% WHERE %'";
    for row in db.query_all_raw(Statement::from_string(DbBackend::Sqlite, query)).await? {
        let name: String = row.try_get("", "name")?;
        db.execute_unprepared(&format!("DROP INDEX \"{name}\"")).await?;
    }
    Ok(())
}

async fn run_generator(url: &str, output: &Path) -> Result<()> {
    let output = output.to_str().context("the temporary directory has no UTF-8 name")?;
    let arguments =
        ["sea-orm-cli", "generate", "entity", "--database-url", url, "--output-dir", output, "--lib"];
    let options =
        ["--entity-format", "dense", "--with-serde", "both", "--er-diagram", "--banner-version", "off"];
    let cli = sea_orm_cli::Cli::try_parse_from(arguments.into_iter().chain(options))?;
    let sea_orm_cli::Commands::Generate { command } = cli.command else {
        bail!("the generator was not asked to generate");
    };
    match sea_orm_cli::run_generate_command(command, false).await {
        Ok(()) => Ok(()),
        Err(error) => bail!("the generator failed: {error}"),
    }
}
