//! Giving the place back while an execution waits.

use chrono::{DateTime, Utc};
use engine::execution::{Event, ExecutionStatus};
use sea_orm::ConnectionTrait;
use uuid::Uuid;

use super::transition::sources;
use super::wake::{Cause, wake};
use super::{Held, Lease};
use crate::Result;
use crate::backend::lock;
use crate::backend::rows::{Column, Kind, Rows, ids, required};
use crate::clock::truncate;

/// When an execution resumes that does not wait for a time: never by itself.
pub(super) fn never() -> DateTime<Utc> {
    const LAST_DAY_OF_9999: i64 = 253_402_214_400;
    DateTime::from_timestamp(LAST_DAY_OF_9999, 0).unwrap_or(DateTime::<Utc>::MAX_UTC)
}

/// Gives the place back until `resume_at`, or until what its step waits for happens. If that has happened already, the
/// execution is ready at once.
///
/// # Errors
/// Those of the database.
pub async fn suspend(
    tx: &impl ConnectionTrait,
    now: DateTime<Utc>,
    lease: &Lease,
    resume_at: Option<DateTime<Utc>>,
) -> Result<Held> {
    let execution_id = lease.execution_id;
    let rows = lock::queue_rows(tx, &[execution_id], lock::Parents::None).await?;
    if !rows.get(&execution_id).is_some_and(|row| row.is_held_by(lease)) {
        return Ok(Held::Lost);
    }
    suspend_held(tx, now, &[Suspension { execution_id, resume_at }]).await?;
    Ok(Held::Yes)
}

/// An execution that is to wait.
pub(crate) struct Suspension {
    pub(crate) execution_id: Uuid,
    pub(crate) resume_at: Option<DateTime<Utc>>,
}

/// The same for executions whose leases are known to hold, and whose queue rows are locked. Gives those that are ready
/// at once.
pub(crate) async fn suspend_held(
    tx: &impl ConnectionTrait,
    now: DateTime<Utc>,
    suspensions: &[Suspension],
) -> Result<Vec<Uuid>> {
    if suspensions.is_empty() {
        return Ok(Vec::new());
    }
    static COLUMNS: [Column; 2] = [required("v_id", Kind::Uuid), required("v_run_at", Kind::Timestamp)];
    let mut rows = Rows::new(&COLUMNS);
    for suspension in suspensions {
        let run_at = suspension.resume_at.map_or_else(never, truncate);
        rows.push([suspension.execution_id.into(), run_at.into()]);
    }
    // It got somewhere, so the claims that were lost before count no more.
    let body = "UPDATE execution_queue AS q SET state = 'waiting', run_at = v.v_run_at, attempt = 0, \
                lease_owner = NULL, lease_until = NULL FROM v WHERE q.execution_id = v.v_id";
    rows.execute(tx, body).await?;
    let mut executions: Vec<Uuid> = suspensions.iter().map(|suspension| suspension.execution_id).collect();
    executions.sort_unstable();
    let body = format!(
        "UPDATE executions SET status = '{}' WHERE id IN (SELECT id FROM v) AND status IN ({})",
        ExecutionStatus::Waiting,
        sources(Event::Suspended)
    );
    ids(executions.iter().copied()).execute(tx, &body).await?;
    wake(tx, now, &executions, Cause::Any).await
}
