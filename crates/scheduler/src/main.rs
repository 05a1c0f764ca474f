//! The `scheduler` service.

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;
use clap::Parser;
use scheduler::Scheduler;
use store::probe::{self, Probe};
use store::telemetry::Telemetry;
use store::{service, settings};

/// Enqueues the executions of schedules that fall due, resumes waits, and rescues lost executions.
#[derive(Debug, Parser)]
#[command(name = "scheduler", version)]
struct CommandLine {
    #[command(flatten)]
    settings: settings::Arguments,
}

fn main() -> ExitCode {
    let arguments = CommandLine::parse().settings;
    service::main("scheduler", serve(arguments))
}

async fn serve(arguments: settings::Arguments) -> anyhow::Result<()> {
    let settings = Arc::new(settings::load(&arguments)?);
    let telemetry = Telemetry::start(&settings.log)?;
    let shutdown = service::shutdown_on_signal()?;
    let db = service::open_database(&settings).await?;
    let probe = Probe::new("scheduler", db.clone(), telemetry);
    let listen = settings.scheduler.listen;
    let server = probe::serve(listen, probe.clone()).with_context(|| format!("cannot listen on {listen}"))?;
    let handle = server.handle();
    let server = tokio::spawn(server);
    tracing::info!(%listen, "the scheduler is running");
    Scheduler::new(db, settings, Some(probe)).run(shutdown).await;
    handle.stop(false).await;
    Ok(server.await??)
}
