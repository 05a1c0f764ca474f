//! Executions that nobody runs: those whose wait is over, and those whose worker has died.
//!
//! An execution is lost when its lease has passed, never because it is old; a worker that still lives finds its
//! token outdated and writes nothing.

use store::{Db, queue};

use crate::Tick;

/// What a tick of this loop has done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Executions whose wait was over.
    pub resumed: usize,
    /// Executions whose worker was lost, and that another may claim.
    pub requeued: usize,
    /// Executions that were lost too often and have failed.
    pub failed: usize,
    /// Executions that were lost and were to be cancelled anyway.
    pub cancelled: usize,
}

/// Resumes and rescues at most `batch` executions each.
///
/// # Errors
/// Those of the database.
pub async fn tick(db: &Db, batch: u64, max_claims: u32) -> anyhow::Result<Tick<Counts>> {
    let resumed = queue::resume_due(db, db.now(), batch).await?;
    let rescued = queue::requeue_lost(db, db.now(), batch, max_claims).await?;
    let counts = Counts {
        resumed: resumed.len(),
        requeued: rescued.requeued.len(),
        failed: rescued.failed.len(),
        cancelled: rescued.cancelled.len(),
    };
    let lost = counts.requeued + counts.failed + counts.cancelled;
    if lost > 0 {
        tracing::warn!(?rescued, "executions were lost by their workers");
        metrics::counter!("tidemill_executions_lost_total").increment(lost as u64);
    }
    let has_more = counts.resumed as u64 >= batch || lost as u64 >= batch;
    Ok(Tick { counts, did_work: counts != Counts::default(), has_more })
}
