//! The `worker` binary: loads the settings, checks what it needs, works until SIGTERM or SIGINT.

use std::process::ExitCode;

use anyhow::Context;
use clap::Parser;
use store::service;
use store::settings::Arguments;
use store::telemetry::Telemetry;
use store::vault::IfMissing;
use worker::{Options, Services, Worker};

/// Claims executions and runs their steps
#[derive(Parser)]
#[command(name = "worker", version)]
struct Cli {
    #[command(flatten)]
    arguments: Arguments,
}

fn main() -> ExitCode {
    // A process of the sandbox is this program, too, and must not become anything else first.
    nodes::sandbox::run_if_child();
    let arguments = Cli::parse().arguments;
    service::main("worker", serve(arguments))
}

async fn serve(arguments: Arguments) -> anyhow::Result<()> {
    let settings = store::settings::load(&arguments)?;
    let telemetry = Telemetry::start(&settings.log)?;
    let shutdown = service::shutdown_on_signal()?;
    let db = service::open_database(&settings).await?;
    let vault = service::open_vault(&settings, &db, IfMissing::Refuse).await?;

    let listen = settings.worker.listen;
    let probe = store::probe::Probe::new("worker", db.clone(), telemetry);
    let server =
        store::probe::serve(listen, probe.clone()).with_context(|| format!("cannot listen on {listen}"))?;
    let probes = server.handle();
    tokio::spawn(server);

    let services = Services::open(&settings, db.clone(), vault).await?;
    Worker::new(services, Options::of(&settings)).run(shutdown, move || probe.beat()).await;
    probes.stop(false).await;
    db.close().await.context("cannot close the database")
}
