//! The service: claims executions, runs them, keeps their leases.
//!
//! Three things go on at once. The **claim loop** takes executions while there are free slots, woken by
//! notifications, with polling as the backstop. Each claimed execution is a **task** that drives it.
//! The **heartbeat** renews the leases of all that run in one statement, and learns from it which are to be
//! cancelled. A lease that could not be renewed in time ends by this machine's own clock, and its execution
//! is stopped before anybody else can have it.
//!
//! Shutdown has two stages: nothing more is claimed and executions are handed back as soon as their present
//! step ends; when the grace period is over, the steps that still run are dropped and their executions
//! handed back, too.

mod definitions;
mod execution;
mod heartbeat;
mod options;
mod tenant;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use engine::expression::Evaluator;
use engine::node::Catalogue;
use store::files::FileStore;
use store::queue::{ClaimRequest, Lease};
use store::settings::Settings;
use store::vault::Vault;
use store::{Db, Topic};
use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use crate::drive::Control;
use crate::journal::{LeaseClock, Sink, StoreSink, Writer};
use crate::resume::ResumeUrls;
use definitions::Definitions;

pub use options::Options;

/// Time to drop and hand back what still runs when the grace period is over.
const ABORT_TIME: Duration = Duration::from_secs(5);

/// Pause after the claim failed.
const CLAIM_BACKOFF: Duration = Duration::from_millis(500);

/// With work left in the queue, freed slots are gathered this long, so that one claim fills several.
const GATHER_SLOTS: Duration = Duration::from_millis(2);

/// What a worker works with.
#[derive(Clone)]
pub struct Services {
    /// The database.
    pub db: Db,
    /// Decrypts credentials.
    pub vault: Arc<Vault>,
    /// Keeps files.
    pub files: FileStore,
    /// Largest file.
    pub max_file_bytes: u64,
    /// The node types.
    pub catalogue: Arc<Catalogue>,
    /// Runs JavaScript.
    pub evaluator: Arc<dyn Evaluator>,
    /// Makes resume URLs.
    pub resume_urls: ResumeUrls,
}

/// What a worker cannot start without.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A setting cannot be used.
    #[error(transparent)]
    Settings(#[from] store::settings::Error),
    /// The client that nodes reach the world with cannot be made.
    #[error(transparent)]
    Egress(#[from] nodes::egress::Error),
    /// The processes that run JavaScript cannot be started.
    #[error("cannot start the sandbox")]
    Sandbox(#[source] std::io::Error),
    /// The folder of stored files cannot be used.
    #[error(transparent)]
    Files(#[from] store::files::FileStoreError),
}

impl Services {
    /// What the settings ask for.
    ///
    /// # Errors
    /// What cannot be had: a setting, the folder of files, the sandbox.
    pub async fn open(settings: &Settings, db: Db, vault: Vault) -> Result<Self, Error> {
        let egress = nodes::egress::Client::new(&settings.egress.read("egress")?)?;
        let sandbox = nodes::sandbox::Pool::new(settings.sandbox.read("sandbox")?).map_err(Error::Sandbox)?;
        Ok(Self {
            resume_urls: ResumeUrls::new(vault.derive("resume"), &settings.api.base_url()),
            vault: Arc::new(vault),
            files: FileStore::open(&settings.files.directory).await?,
            max_file_bytes: settings.files.max_file_bytes,
            catalogue: Arc::new(nodes::catalogue(&egress)),
            evaluator: Arc::new(sandbox),
            db,
        })
    }
}

/// What one tick did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Executions claimed.
    pub claimed: usize,
    /// Leases renewed.
    pub renewed: usize,
    /// Executions stopped because their lease was lost.
    pub lost: usize,
    /// Executions that a person or a policy has cancelled.
    pub cancelled: usize,
}

/// A worker. A clone is the same worker.
#[derive(Clone)]
pub struct Worker {
    inner: Arc<Inner>,
}

struct Inner {
    services: Services,
    options: Options,
    definitions: Definitions,
    writer: Writer,
    running: Mutex<HashMap<Uuid, Running>>,
    tasks: TaskTracker,
    /// Wakes the claim loop when a slot is free.
    slot_freed: Notify,
    /// Wakes whoever waits for something to have ended.
    changed: Notify,
    drain: CancellationToken,
    abort: CancellationToken,
}

/// An execution that runs here.
struct Running {
    lease: Lease,
    clock: Arc<LeaseClock>,
    control: Control,
}

impl Worker {
    /// A worker. It must be made inside a runtime: its journal starts to wait for records.
    #[must_use]
    pub fn new(services: Services, options: Options) -> Self {
        let sink = Arc::new(StoreSink::new(services.db.clone()));
        Self::with_sink(services, options, sink)
    }

    /// A worker that commits to something else than the database: a test puts faults there.
    #[must_use]
    pub fn with_sink(services: Services, options: Options, sink: Arc<dyn Sink>) -> Self {
        let db = services.db.clone();
        let writer = Writer::start(sink, options.writer.clone(), Arc::new(move || db.now()));
        let inner = Inner {
            definitions: Definitions::new(options.cached_definitions),
            services,
            options,
            writer,
            running: Mutex::default(),
            tasks: TaskTracker::new(),
            slot_freed: Notify::new(),
            changed: Notify::new(),
            drain: CancellationToken::new(),
            abort: CancellationToken::new(),
        };
        Self { inner: Arc::new(inner) }
    }

    /// Works until `shutdown`, then hands back what it has.
    ///
    /// `beat` is called whenever the loop moves, for a probe.
    pub async fn run(&self, shutdown: CancellationToken, beat: impl Fn() + Send + Sync) {
        let heartbeat = tokio::spawn(heartbeat::run(Arc::clone(&self.inner)));
        let mut wakes = self.inner.services.db.notifier().subscribe();
        let mut pause = Duration::ZERO;
        tracing::info!(owner = %self.inner.options.owner, concurrency = self.inner.options.concurrency, "worker started");
        loop {
            beat();
            tokio::select! {
                biased;
                () = shutdown.cancelled() => break,
                () = self.inner.wake(&mut wakes, pause) => {}
            }
            pause = match self.tick().await {
                // There may be more, even if slots are left: the limits of one workflow can shorten a claim.
                Ok(counts) if counts.claimed > 0 => GATHER_SLOTS,
                Ok(_) => self.inner.options.poll,
                Err(error) => {
                    tracing::warn!(%error, "could not claim executions");
                    CLAIM_BACKOFF
                }
            };
        }
        self.stop().await;
        heartbeat.abort();
    }

    /// Claims as many executions as there are free slots, and starts to run them.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn tick(&self) -> Result<Counts, store::Error> {
        let inner = &self.inner;
        let free = inner.free_slots();
        if free == 0 || inner.drain.is_cancelled() {
            return Ok(Counts::default());
        }
        let request = ClaimRequest {
            owner: inner.options.owner.clone(),
            limit: u64::try_from(free).unwrap_or(1),
            lease_ms: inner.options.lease_ms(),
            default_organization_concurrency: inner.options.organization_concurrency,
        };
        let asked = Instant::now();
        let claimed = store::queue::claim(&inner.services.db, inner.services.db.now(), &request).await?;
        let counts = Counts { claimed: claimed.len(), ..Counts::default() };
        metrics::counter!("tidemill_executions_claimed_total")
            .increment(u64::try_from(counts.claimed).unwrap_or(0));
        for execution in claimed {
            inner.start(execution, asked);
        }
        Ok(counts)
    }

    /// Renews the leases of everything that runs here.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn heartbeat(&self) -> Result<Counts, store::Error> {
        heartbeat::tick(&self.inner).await
    }

    /// How many executions run here.
    #[must_use]
    pub fn running(&self) -> usize {
        self.inner.running().len()
    }

    /// Returns when nothing runs here.
    pub async fn idle(&self) {
        loop {
            let changed = self.inner.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            if self.running() == 0 {
                return;
            }
            changed.await;
        }
    }

    /// Claims nothing more, gives steps the grace period to end, and hands back what has not ended.
    pub async fn stop(&self) {
        let inner = &self.inner;
        inner.drain.cancel();
        inner.tasks.close();
        if tokio::time::timeout(inner.options.grace, inner.tasks.wait()).await.is_err() {
            tracing::warn!(
                running = self.running(),
                "the grace period is over: steps that still run are dropped"
            );
            inner.abort.cancel();
            if tokio::time::timeout(ABORT_TIME, inner.tasks.wait()).await.is_err() {
                tracing::error!(
                    running = self.running(),
                    "executions could not be handed back; their leases will expire"
                );
            }
        }
        tracing::info!(owner = %inner.options.owner, "worker stopped");
    }
}

impl Inner {
    fn running(&self) -> std::sync::MutexGuard<'_, HashMap<Uuid, Running>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn free_slots(&self) -> usize {
        self.options.concurrency.saturating_sub(self.running().len())
    }

    /// Returns when it makes sense to claim: something was enqueued, a slot became free, or the pause is over.
    ///
    /// A freed slot counts even when there are others: the execution that left it may have held back another
    /// one by a limit of its organization or workflow.
    async fn wake(&self, wakes: &mut store::Receiver, pause: Duration) {
        let until = Instant::now() + if self.free_slots() == 0 { self.options.poll } else { pause };
        loop {
            tokio::select! {
                topic = wakes.recv() => match topic {
                    Topic::Queue | Topic::Everything if self.free_slots() > 0 => return,
                    // A wish to cancel is seen at the next heartbeat.
                    Topic::Queue | Topic::Everything | Topic::Execution(_) => {}
                },
                () = self.slot_freed.notified() => return tokio::time::sleep(GATHER_SLOTS).await,
                () = tokio::time::sleep_until(until) => return,
            }
        }
    }
}
