//! What has to be looked after now and then.

use store::{Db, retention, schedules, sessions, webhook_events};

use crate::Tick;

/// What a tick of this loop has done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Schedules that could fire and had no next occurrence.
    pub repaired: usize,
    /// Webhook events whose deduplication window is over.
    pub events: u64,
    /// Sessions that have ended.
    pub sessions: u64,
    /// Executions that were kept long enough, or of which their workflow has enough.
    pub executions: u64,
}

/// Repairs schedules and deletes what has expired, at most `batch` rows of each.
///
/// # Errors
/// Those of the database.
pub async fn tick(db: &Db, batch: u64, retention_days: u32) -> anyhow::Result<Tick<Counts>> {
    let now = db.now();
    let repaired = db
        .in_time(async {
            let tx = db.begin().await?;
            let repaired = schedules::reconcile(&tx, now, batch).await?;
            tx.commit().await?;
            Ok(repaired)
        })
        .await?;
    for schedule in &repaired {
        tracing::warn!(schedule_id = %schedule.id, next_run_at = ?schedule.next_run_at, "a schedule had no next occurrence");
        metrics::counter!("tidemill_schedules_repaired_total").increment(1);
    }
    // A transaction each: none holds the locks of another.
    let events = db
        .in_time(async {
            let tx = db.begin().await?;
            let events = webhook_events::delete_expired(&tx, now, batch).await?;
            tx.commit().await?;
            Ok(events)
        })
        .await?;
    let sessions = db
        .in_time(async {
            let tx = db.begin().await?;
            let sessions = sessions::delete_expired(&tx, now, batch).await?;
            tx.commit().await?;
            Ok(sessions)
        })
        .await?;
    let default_days = (retention_days > 0).then_some(retention_days);
    let executions = retention::delete_ended(db, now, default_days, batch).await?;
    let counts = Counts { repaired: repaired.len(), events, sessions, executions };
    let has_more = [counts.repaired as u64, events, sessions, executions].iter().any(|count| *count >= batch);
    Ok(Tick { counts, did_work: counts != Counts::default(), has_more })
}
