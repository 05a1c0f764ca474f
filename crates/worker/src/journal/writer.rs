//! Group commit: one task writes the records of every execution of a worker.
//!
//! An entry that somebody waits for is committed at once, with everything that has gathered; others wait a
//! little for company. While a transaction is under way the next batch gathers by itself, so under load
//! batches grow and the transactions per execution fall, and a lone execution does not wait.
//!
//! Each transaction verifies every lease in it: of an execution whose lease is lost nothing is written, and
//! it is stopped. When the database fails, the batch is tried again while its leases live; nothing is
//! dropped before. When the database works and yet refuses a batch, the batch is taken apart, and the
//! entries that are to blame are refused alone.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use store::queue::{Held, Lease};
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::Gone;
use super::batch::{Batch, Submission};
use super::lease::{LeaseClock, LeaseJournal, Tenant};
use super::sink::Sink;

/// Entries that may wait for the writer; beyond that executions wait to hand theirs over.
const QUEUE_LENGTH: usize = 1_024;

/// Shortest pause after a failed commit.
const FIRST_BACKOFF: Duration = Duration::from_millis(50);

/// Longest pause after a failed commit.
const LONGEST_BACKOFF: Duration = Duration::from_secs(2);

/// How often an entry may fail alone, while the database takes other things, before it is refused.
const MOST_FAILURES_ALONE: u32 = 3;

/// How the writer batches.
#[derive(Clone, Debug)]
pub struct WriterOptions {
    /// Longest time that a record waits for company.
    pub delay: Duration,
    /// Rows after which a batch is committed without waiting for more.
    pub max_rows: usize,
}

impl Default for WriterOptions {
    fn default() -> Self {
        Self { delay: Duration::from_millis(20), max_rows: 2_000 }
    }
}

/// The batching writer of a worker. It ends when it and all journals that it opened are dropped, after
/// writing what they handed over.
pub struct Writer {
    sender: mpsc::Sender<Submission>,
    now: Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>,
}

impl Writer {
    /// Starts the writer's task.
    #[must_use]
    pub fn start(
        sink: Arc<dyn Sink>,
        options: WriterOptions,
        now: Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>,
    ) -> Self {
        let (sender, receiver) = mpsc::channel(QUEUE_LENGTH);
        tokio::spawn(write_batches(receiver, sink, options));
        Self { sender, now }
    }

    /// The journal of an execution that this worker has claimed. `lost` is cancelled when its lease is lost.
    #[must_use]
    pub fn open(
        &self,
        lease: Lease,
        tenant: Tenant,
        clock: Arc<LeaseClock>,
        lost: CancellationToken,
    ) -> LeaseJournal {
        LeaseJournal::new(self.sender.clone(), lease, tenant, clock, lost, Arc::clone(&self.now))
    }
}

async fn write_batches(
    mut receiver: mpsc::Receiver<Submission>,
    sink: Arc<dyn Sink>,
    options: WriterOptions,
) {
    while let Some(first) = receiver.recv().await {
        let mut batch = Batch::default();
        batch.add(first);
        gather(&mut receiver, &mut batch, &options).await;
        let began = Instant::now();
        metrics::histogram!("tidemill_journal_batch_executions")
            .record(u32::try_from(batch.len()).unwrap_or(u32::MAX));
        commit(sink.as_ref(), batch).await;
        metrics::histogram!("tidemill_journal_commit_seconds").record(began.elapsed());
    }
}

/// Takes what is there, and what comes within the delay if nobody waits.
async fn gather(receiver: &mut mpsc::Receiver<Submission>, batch: &mut Batch, options: &WriterOptions) {
    let until = Instant::now() + options.delay;
    loop {
        while batch.rows() < options.max_rows
            && let Ok(next) = receiver.try_recv()
        {
            batch.add(next);
        }
        if batch.is_urgent() || batch.rows() >= options.max_rows {
            return;
        }
        tokio::select! {
            next = receiver.recv() => match next {
                Some(next) => batch.add(next),
                None => return,
            },
            () = tokio::time::sleep_until(until) => return,
        }
    }
}

/// Commits a batch: tries until every entry is written, refused, or without a lease.
async fn commit(sink: &dyn Sink, mut batch: Batch) {
    let mut backoff = FIRST_BACKOFF;
    loop {
        batch.settle(|_, pending| pending.lease.clock.has_passed().then_some(Err(Gone::Lost)));
        if batch.is_empty() {
            return;
        }
        let error = match sink.commit(&batch.entries).await {
            Ok(held) => return batch.settle(|index, _| Some(verdict(held.get(index)))),
            Err(error) => error,
        };
        metrics::counter!("tidemill_journal_errors_total").increment(1);
        tracing::warn!(error = %with_causes(&error), executions = batch.len(), "a journal batch could not be committed");
        if sink.probe().await.is_ok() {
            // The database works, so something in the batch is to blame.
            commit_apart(sink, &mut batch).await;
            if batch.is_empty() {
                return;
            }
        }
        tokio::time::sleep(backoff).await;
        backoff = (backoff * 2).min(LONGEST_BACKOFF);
    }
}

/// Commits each entry in a transaction of its own; what fails stays in the batch until it has failed too often.
async fn commit_apart(sink: &dyn Sink, batch: &mut Batch) {
    let mut answers = Vec::with_capacity(batch.len());
    for (entry, pending) in batch.entries.iter().zip(&mut batch.pending) {
        answers.push(match sink.commit(std::slice::from_ref(entry)).await {
            Ok(held) => Some(verdict(held.first())),
            Err(error) => {
                pending.failures += 1;
                let is_refused = is_refusal(&error)
                    || (pending.failures >= MOST_FAILURES_ALONE && sink.probe().await.is_ok());
                is_refused.then(|| Err(Gone::Refused(with_causes(&error))))
            }
        });
    }
    batch.settle(|index, _| answers.get(index).cloned().flatten());
}

fn verdict(held: Option<&Held>) -> Result<(), Gone> {
    match held {
        Some(Held::Yes) => Ok(()),
        Some(Held::Lost) | None => Err(Gone::Lost),
    }
}

/// Whether the database has judged the data, so that another attempt would fail alike.
fn is_refusal(error: &store::Error) -> bool {
    matches!(
        error,
        store::Error::Unique { .. }
            | store::Error::ForeignKey { .. }
            | store::Error::Check { .. }
            | store::Error::Invalid { .. }
    )
}

fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
