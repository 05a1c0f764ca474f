//! The time-driven loops of Tidemill, in any number of replicas.
//!
//! - [`due`] enqueues the executions of schedules that have fallen due, each occurrence once.
//! - [`rescue`] resumes executions whose wait is over and gives back those whose worker has died.
//! - [`upkeep`] repairs schedules that have stopped in silence and deletes what has expired.
//!
//! Each loop is a `tick` that can be called at any moment, by any number of processes: the database decides who
//! gets a row. A tick that fails is tried again; nothing is switched off by an error.

pub mod due;
pub mod policy;
pub mod rescue;
pub mod upkeep;

use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use store::Db;
use store::probe::Probe;
use store::settings::Settings;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

/// Longest pause after a tick that failed.
const MAX_PAUSE: Duration = Duration::from_secs(5);

/// A scheduler.
#[derive(Clone)]
pub struct Scheduler {
    db: Db,
    settings: Arc<Settings>,
    probe: Option<Probe>,
}

impl Scheduler {
    /// A scheduler over a database.
    #[must_use]
    pub fn new(db: Db, settings: Arc<Settings>, probe: Option<Probe>) -> Self {
        Self { db, settings, probe }
    }

    /// Runs all loops until the token is cancelled; a tick in progress is finished.
    pub async fn run(self, shutdown: CancellationToken) {
        let every = |ms: u64| Duration::from_millis(ms.max(1));
        let settings = &self.settings.scheduler;
        tokio::join!(
            self.repeat("due", every(settings.poll_ms), &shutdown, || due::tick(&self.db, settings.batch)),
            self.repeat("rescue", every(settings.rescue_ms), &shutdown, || {
                rescue::tick(&self.db, settings.batch, self.settings.worker.max_claims)
            }),
            self.repeat("upkeep", every(settings.reconcile_ms), &shutdown, || {
                upkeep::tick(&self.db, settings.batch, settings.retention_days)
            }),
        );
    }

    async fn repeat<C: Debug, F>(
        &self,
        name: &'static str,
        interval: Duration,
        shutdown: &CancellationToken,
        tick: impl Fn() -> F,
    ) where
        F: Future<Output = anyhow::Result<Tick<C>>>,
    {
        let mut failures = 0u32;
        while !shutdown.is_cancelled() {
            let started = Instant::now();
            let pause = match tick().await {
                Ok(tick) => {
                    failures = 0;
                    if let Some(probe) = &self.probe {
                        probe.beat();
                    }
                    if tick.did_work {
                        tracing::debug!(tick = name, counts = ?tick.counts, "did work");
                    }
                    if tick.has_more { Duration::ZERO } else { interval }
                }
                Err(error) => {
                    failures = failures.saturating_add(1);
                    metrics::counter!("tidemill_scheduler_errors_total", "loop" => name).increment(1);
                    tracing::error!(tick = name, failures, "failed, and will be tried again: {error:#}");
                    interval.saturating_mul(1 << failures.min(6)).min(MAX_PAUSE.max(interval))
                }
            };
            tokio::select! {
                () = shutdown.cancelled() => {}
                () = sleep_until(started + pause) => {}
            }
        }
    }
}

/// What a tick has done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tick<C> {
    /// How much of what.
    pub counts: C,
    /// Whether that is anything.
    pub did_work: bool,
    /// Whether more is waiting, so that the next tick should follow at once.
    pub has_more: bool,
}
