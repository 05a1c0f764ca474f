//! Writes `crates/entity/src` and the diagram in `docs/`, from the migrations.
//!
//! A temporary SQLite file is migrated and SeaORM's own generator reads it; SQLite needs no server and gives the same
//! types, because the schema has only types that are the same on both databases. Then the documentation that the
//! migrations carry is put in. With `--check` nothing is written, and a difference is an error.

mod document;
mod reference;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use clap::Parser;

/// Generates the entities and the diagram of the schema.
#[derive(Parser)]
struct Arguments {
    /// Write nothing; fail if something would change.
    #[arg(long)]
    check: bool,
    /// Where the entities go.
    #[arg(long, value_name = "DIR", default_value = "crates/entity/src")]
    entities: PathBuf,
    /// Where the diagram goes.
    #[arg(long, value_name = "FILE", default_value = "docs/er-diagram.mermaid")]
    er_diagram: PathBuf,
}

/// Contents by path.
type Files = BTreeMap<PathBuf, String>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run(&Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("generate-entities: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: &Arguments) -> Result<()> {
    let mut generated = reference::generate().await?;
    let diagram = generated.remove(Path::new(reference::DIAGRAM)).context("the generator made no diagram")?;
    let mut files: Files = document::add_documentation(generated)?
        .into_iter()
        .map(|(name, content)| (arguments.entities.join(name), content))
        .collect();
    files.insert(arguments.er_diagram.clone(), diagram);

    let stale = stale_files(&arguments.entities, &files)?;
    let changed: Vec<&PathBuf> = files
        .iter()
        .filter(|(path, content)| read(path).as_ref() != Some(content))
        .map(|(path, _)| path)
        .collect();
    if arguments.check {
        if let Some(path) = changed.into_iter().chain(&stale).next() {
            bail!("{} is not what the migrations say: generate it again", path.display());
        }
        return Ok(());
    }
    for path in &changed {
        std::fs::write(path, &files[*path]).with_context(|| format!("cannot write {}", path.display()))?;
    }
    for path in &stale {
        std::fs::remove_file(path).with_context(|| format!("cannot remove {}", path.display()))?;
    }
    Ok(())
}

/// Entities of tables that are gone.
fn stale_files(directory: &Path, files: &Files) -> Result<Vec<PathBuf>> {
    let mut stale = Vec::new();
    let entries =
        std::fs::read_dir(directory).with_context(|| format!("cannot read {}", directory.display()))?;
    for entry in entries {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "rs") && !files.contains_key(&path) {
            stale.push(path);
        }
    }
    Ok(stale)
}

fn read(path: &Path) -> Option<String> {
    std::fs::read_to_string(path).ok()
}
