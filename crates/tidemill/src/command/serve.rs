//! `tidemill serve`

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;
use clap::Args;
use scheduler::Scheduler;
use store::probe::Probe;
use store::settings::{self, Settings};
use store::telemetry::Telemetry;
use store::vault::IfMissing;
use store::{Db, SystemClock, service};
use tokio_util::sync::CancellationToken;
use worker::{Options, Worker};

use super::{block_on, say};
use crate::examples;

/// Serve Tidemill: API, scheduler and worker in one process, over an embedded database
#[derive(Debug, Args)]
pub(crate) struct Serve {
    #[command(flatten)]
    settings: settings::Arguments,
    /// Load the example workspace into an empty database
    #[arg(long)]
    examples: bool,
}

impl Serve {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let settings = Arc::new(settings::load(&self.settings)?);
        let telemetry = Telemetry::start(&settings.log)?;
        block_on(async {
            let shutdown = service::shutdown_on_signal()?;
            serve(settings, telemetry, shutdown, self.examples).await?;
            Ok(ExitCode::SUCCESS)
        })
    }
}

async fn serve(
    settings: Arc<Settings>,
    telemetry: Telemetry,
    shutdown: CancellationToken,
    examples: bool,
) -> anyhow::Result<()> {
    let db = open_database(&settings).await?;
    migration::up_locked(db.writer()).await.context("cannot bring the schema up to date")?;
    let vault = service::open_vault(&settings, &db, IfMissing::Create).await?;
    let services = worker::Services::open(&settings, db.clone(), vault).await?;
    let probe = Probe::new("tidemill", db.clone(), telemetry);

    if examples {
        examples::load(&db, &services.vault, &services.catalogue, &data_directory(&settings))
            .await
            .context("cannot load the examples")?;
    }
    // The API stops last: whoever waits for a result is answered while the worker drains.
    let api_stop = CancellationToken::new();
    let server = api::serve(
        api::Deps {
            db: db.clone(),
            vault: Arc::clone(&services.vault),
            catalogue: Arc::clone(&services.catalogue),
            egress: nodes::egress::Client::new(&settings.egress.read("egress")?)?,
            files: services.files.clone(),
            settings: Arc::clone(&settings),
            probe: probe.clone(),
        },
        api_stop.clone(),
    )?;
    say(format_args!("Tidemill is ready at {url} (API reference: {url}/docs)", url = server.base_url));

    let worker = Worker::new(services, Options::of(&settings));
    let scheduler = Scheduler::new(db.clone(), Arc::clone(&settings), Some(probe.clone()));
    tokio::join!(scheduler.run(shutdown.clone()), worker.run(shutdown.clone(), move || probe.beat()));
    api_stop.cancel();
    server.stopped().await;
    Ok(db.close().await?)
}

/// Connects to the database of the settings; the folder of an embedded one is made.
pub(super) async fn open_database(settings: &Settings) -> anyhow::Result<Db> {
    if let Some(folder) = sqlite_path(settings)
        .as_deref()
        .and_then(Path::parent)
        .filter(|folder| !folder.as_os_str().is_empty())
    {
        make_private_folder(folder)
            .with_context(|| format!("cannot make the folder {}", folder.display()))?;
    }
    Ok(Db::connect(&settings.database, Arc::new(SystemClock)).await?)
}

/// The file of an embedded database.
fn sqlite_path(settings: &Settings) -> Option<PathBuf> {
    let path = settings.database.url.expose().strip_prefix("sqlite:")?.trim_start_matches("//");
    let path = path.split_once('?').map_or(path, |(path, _)| path);
    (!path.is_empty() && path != ":memory:").then(|| PathBuf::from(path))
}

/// Where the process keeps what it makes: beside the key.
fn data_directory(settings: &Settings) -> PathBuf {
    let folder = settings.vault.key_file.as_deref().and_then(Path::parent).map(Path::to_owned);
    folder.unwrap_or_else(|| PathBuf::from("."))
}

fn make_private_folder(folder: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}
