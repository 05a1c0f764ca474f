//! How a worker works.

use std::time::Duration;

use store::settings::Settings;

use crate::drive::Limits;
use crate::journal::WriterOptions;

/// Longest time between two heartbeats: a cancellation is seen at the next one.
const LONGEST_HEARTBEAT: Duration = Duration::from_secs(2);

/// How a worker works.
#[derive(Clone, Debug)]
pub struct Options {
    /// Who it is; the owner of its leases.
    pub owner: String,
    /// Executions that it runs at once.
    pub concurrency: usize,
    /// Executions of one organization that run at once, over all workers, where the organization does not say.
    pub organization_concurrency: Option<u32>,
    /// Life of a lease without a heartbeat.
    pub lease: Duration,
    /// How often it looks for work when nobody wakes it.
    pub poll: Duration,
    /// How long steps may go on after it is told to shut down.
    pub grace: Duration,
    /// Largest binary data inside an item.
    pub inline_binary_bytes: usize,
    /// Definitions kept in memory.
    pub cached_definitions: usize,
    /// Bounds of each execution.
    pub limits: Limits,
    /// How records are batched.
    pub writer: WriterOptions,
}

impl Options {
    /// The options that the settings ask for.
    #[must_use]
    pub fn of(settings: &Settings) -> Self {
        let worker = &settings.worker;
        Self {
            owner: format!("worker-{}", store::ids::new_id()),
            concurrency: usize::try_from(worker.concurrency).unwrap_or(1).max(1),
            organization_concurrency: Some(worker.organization_concurrency).filter(|limit| *limit > 0),
            lease: Duration::from_millis(worker.lease_ms),
            poll: Duration::from_millis(worker.poll_ms),
            grace: Duration::from_millis(worker.grace_ms),
            inline_binary_bytes: worker.inline_binary_bytes,
            cached_definitions: worker.cached_definitions,
            limits: Limits {
                step_timeout: Duration::from_millis(worker.step_timeout_ms),
                max_depth: worker.max_depth,
                ..Limits::default()
            },
            writer: WriterOptions {
                delay: Duration::from_millis(worker.journal_delay_ms),
                ..WriterOptions::default()
            },
        }
    }

    pub(super) fn lease_ms(&self) -> u64 {
        u64::try_from(self.lease.as_millis()).unwrap_or(u64::MAX)
    }

    /// How often leases are renewed.
    pub(super) fn heartbeat(&self) -> Duration {
        (self.lease / 3).min(LONGEST_HEARTBEAT)
    }
}
