//! The `api` binary: loads the settings, checks what it needs, serves until SIGTERM or SIGINT.

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;
use clap::Parser;
use store::probe::Probe;
use store::settings::{self, Arguments};
use store::telemetry::Telemetry;
use store::vault::IfMissing;
use store::{files, service};

/// The HTTP service of Tidemill
#[derive(Parser)]
#[command(name = "api", version)]
struct CommandLine {
    #[command(flatten)]
    arguments: Arguments,
}

fn main() -> ExitCode {
    let line = CommandLine::parse();
    service::main("api", run(line.arguments))
}

async fn run(arguments: Arguments) -> anyhow::Result<()> {
    let settings = settings::load(&arguments)?;
    let telemetry = Telemetry::start(&settings.log)?;
    let db = service::open_database(&settings).await?;
    let vault = service::open_vault(&settings, &db, IfMissing::Refuse).await?;
    let egress = nodes::egress::Client::new(&settings.egress.read("egress")?)?;
    let deps = api::Deps {
        db: db.clone(),
        vault: Arc::new(vault),
        catalogue: Arc::new(nodes::catalogue(&egress)),
        egress,
        files: files::FileStore::open(&settings.files.directory).await?,
        settings: Arc::new(settings),
        probe: Probe::new("api", db.clone(), telemetry),
    };
    let shutdown = service::shutdown_on_signal().context("cannot catch signals")?;
    let serving = api::serve(deps, shutdown)?;
    tracing::info!(address = %serving.address, url = serving.base_url, "serving");
    serving.stopped().await;
    db.close().await.context("cannot close the database")
}
