//! The service itself: bound, run, stopped.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use actix_web::middleware::from_fn;
use actix_web::{App, HttpServer, web};
use engine::node::Catalogue;
use nodes::egress;
use store::Db;
use store::files::FileStore;
use store::probe::{self, Probe};
use store::settings::Settings;
use store::vault::Vault;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use utoipa_actix_web::AppExt as _;

use crate::auth::Passwords;
use crate::checked::CheckedVersions;
use crate::events::Seats;
use crate::http::{RouteTable, enter_runtime, fallback, observe, path_config};
use crate::state::{KeyUses, State};
use crate::webhook::WebhookCalls;
use crate::{documentation, openapi, routes};

/// How often uses of API keys and calls of webhooks are written down.
const FLUSH_COUNTS: Duration = Duration::from_secs(10);

/// How long requests may go on after the service was told to stop.
const DRAIN_SECS: u64 = 20;

/// Longest time that a client may take to send the head of a request.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);

/// What the service works with.
#[derive(Clone)]
pub struct Deps {
    /// The database.
    pub db: Db,
    /// Encrypts and decrypts credentials.
    pub vault: Arc<Vault>,
    /// The node types.
    pub catalogue: Arc<Catalogue>,
    /// The only way to the network.
    pub egress: egress::Client,
    /// The content of stored files.
    pub files: FileStore,
    /// All settings.
    pub settings: Arc<Settings>,
    /// What the probes of the process look at.
    pub probe: Probe,
}

/// Why the service cannot start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The address is taken, or not one of this machine.
    #[error("cannot listen on {address}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// Something that it needs cannot be made.
    #[error("cannot start: {0}")]
    Setup(String),
}

/// A service that runs.
pub struct Serving {
    /// Where it listens; tells the port where any was asked for.
    pub address: SocketAddr,
    /// The URL under which users reach it.
    pub base_url: String,
    task: JoinHandle<()>,
}

impl Serving {
    /// Waits until the service has stopped: after its token was cancelled, and the requests that were under way have
    /// been answered.
    pub async fn stopped(self) {
        if let Err(error) = self.task.await {
            tracing::error!(%error, "the HTTP service ended badly");
        }
    }
}

/// Binds and starts the service. It runs until `shutdown` is cancelled. To be called inside a runtime.
///
/// # Errors
/// [`Error::Listen`] when the address cannot be had.
pub fn serve(deps: Deps, shutdown: CancellationToken) -> Result<Serving, Error> {
    let listen = deps.settings.api.listen;
    let taken = |source| Error::Listen { address: listen, source };
    let socket = std::net::TcpListener::bind(listen).map_err(taken)?;
    let address = socket.local_addr().map_err(taken)?;
    let base_url = match &deps.settings.api.public_url {
        Some(_) => deps.settings.api.base_url(),
        None => format!("http://{address}"),
    };

    let probe = deps.probe;
    let state = web::Data::new(State {
        db: deps.db,
        vault: deps.vault,
        catalogue: deps.catalogue,
        egress: deps.egress,
        files: deps.files,
        base_url: base_url.clone(),
        passwords: Passwords::new().map_err(|problem| Error::Setup(problem.to_string()))?,
        checked: CheckedVersions::new(deps.settings.worker.cached_definitions),
        key_uses: KeyUses::default(),
        webhook_calls: WebhookCalls::default(),
        seats: Seats::default(),
        shutdown: shutdown.clone(),
        runtime: tokio::runtime::Handle::current(),
        settings: deps.settings,
    });
    let document = openapi::document();
    let table = web::Data::new(RouteTable::of(&document));
    let pages = documentation::Pages::new(&document).map_err(|error| Error::Setup(error.to_string()))?;
    let pages = web::Data::new(pages);

    let threads = state.settings.api.threads;
    let for_app = state.clone();
    let mut server = HttpServer::new(move || {
        let (app, _) = App::new()
            .into_utoipa_app()
            .app_data(for_app.clone())
            .app_data(table.clone())
            .app_data(pages.clone())
            .app_data(path_config())
            // Before the routes: the document lies among them, and the first that fits answers.
            .map(|app| app.configure(documentation::configure))
            .configure(routes::configure)
            .split_for_parts();
        app.configure(|config| probe::configure(config, probe.clone()))
            .default_service(web::to(fallback))
            .wrap(from_fn(enter_runtime))
            .wrap(from_fn(observe))
    })
    .disable_signals()
    .client_request_timeout(HEAD_TIMEOUT)
    .shutdown_timeout(DRAIN_SECS);
    if threads > 0 {
        server = server.workers(threads);
    }
    let server = server.listen(socket).map_err(taken)?.run();

    let handle = server.handle();
    let ended = tokio::spawn(server);
    let task = tokio::spawn(async move {
        flush_counts_until(&state, &shutdown).await;
        handle.stop(true).await;
        if let Ok(Err(error)) = ended.await {
            tracing::error!(%error, "the HTTP service ended badly");
        }
        flush_counts(&state).await;
    });
    Ok(Serving { address, base_url, task })
}

async fn flush_counts_until(state: &State, shutdown: &CancellationToken) {
    let mut tick = tokio::time::interval(FLUSH_COUNTS);
    loop {
        tokio::select! {
            () = shutdown.cancelled() => return,
            _ = tick.tick() => flush_counts(state).await,
        }
    }
}

async fn flush_counts(state: &State) {
    if let Err(problem) = state.key_uses.flush(&state.db).await {
        tracing::warn!(%problem, "uses of API keys are not written down yet");
    }
    if let Err(problem) = state.webhook_calls.flush(&state.db).await {
        tracing::warn!(%problem, "calls of webhooks are not counted yet");
    }
}
