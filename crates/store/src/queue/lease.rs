//! Keeping leases and giving them back.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use engine::execution::{Event, ExecutionStatus};
use sea_orm::ConnectionTrait;
use uuid::Uuid;

use super::claim::lease_end;
use super::transition::sources;
use super::{Heartbeat, Lease};
use crate::backend::rows::{Column, Kind, Rows, ids, required};
use crate::backend::{Backend, lock};
use crate::{Db, Result};

static LEASES: [Column; 4] = [
    required("v_id", Kind::Uuid),
    required("v_owner", Kind::Text),
    required("v_token", Kind::BigInt),
    required("v_until", Kind::Timestamp),
];

/// Extends leases, and says which are lost and which executions somebody wants cancelled.
///
/// A lease that has passed but was not given to another is extended too: nobody else has touched the execution.
///
/// # Errors
/// Those of the database.
pub async fn heartbeat(db: &Db, now: DateTime<Utc>, leases: &[Lease], lease_ms: u64) -> Result<Heartbeat> {
    if leases.is_empty() {
        return Ok(Heartbeat::default());
    }
    db.in_time(extend(db, now, leases, lease_ms)).await
}

async fn extend(db: &Db, now: DateTime<Utc>, leases: &[Lease], lease_ms: u64) -> Result<Heartbeat> {
    let until = lease_end(now, lease_ms);
    let mut rows = Rows::new(&LEASES);
    for lease in leases {
        rows.push([lease.execution_id.into(), lease.owner.as_str().into(), lease.token.into(), until.into()]);
    }
    let body = format!(
        ", held AS (SELECT q.execution_id FROM execution_queue q JOIN v ON q.execution_id = v.v_id \
         WHERE q.state = 'leased' AND q.lease_owner = v.v_owner AND q.lease_token = v.v_token \
         ORDER BY q.execution_id{}) \
         UPDATE execution_queue AS q SET lease_until = v.v_until FROM v \
         WHERE q.execution_id = v.v_id AND q.execution_id IN (SELECT h.execution_id FROM held h) \
         RETURNING execution_id, (SELECT e.cancel_requested_at FROM executions e WHERE e.id = execution_id) AS cancel",
        db.backend().for_update("q")
    );
    let mut held = HashSet::with_capacity(leases.len());
    let mut beat = Heartbeat::default();
    for row in rows.query(db.writer(), &body).await? {
        let id: Uuid = row.try_get("", "execution_id")?;
        if row.try_get::<Option<DateTime<Utc>>>("", "cancel")?.is_some() {
            beat.cancelled.push(id);
        }
        held.insert(id);
    }
    beat.lost = leases.iter().map(|lease| lease.execution_id).filter(|id| !held.contains(id)).collect();
    Ok(beat)
}

/// Hands executions back, ready for any worker at once; the claim does not count as an attempt. Gives how many were
/// still held.
///
/// # Errors
/// Those of the database.
pub async fn release(tx: &impl ConnectionTrait, leases: &[Lease]) -> Result<u64> {
    let executions: Vec<Uuid> = leases.iter().map(|lease| lease.execution_id).collect();
    let rows = lock::queue_rows(tx, &executions, lock::Parents::None).await?;
    let is_held = |lease: &&Lease| rows.get(&lease.execution_id).is_some_and(|row| row.is_held_by(lease));
    let held: Vec<Uuid> = leases.iter().filter(is_held).map(|lease| lease.execution_id).collect();
    release_held(tx, &held).await?;
    Ok(u64::try_from(held.len()).unwrap_or(u64::MAX))
}

/// The same for executions whose leases are known to hold, and whose queue rows are locked. They keep their place in
/// line: `run_at` stays.
pub(crate) async fn release_held(tx: &impl ConnectionTrait, held: &[Uuid]) -> Result<()> {
    let largest = match Backend::of(tx) {
        Backend::Sqlite => "MAX",
        Backend::Postgres => "GREATEST",
    };
    let body = format!(
        "UPDATE execution_queue SET state = 'ready', attempt = {largest}(attempt - 1, 0), lease_owner = NULL, \
         lease_until = NULL WHERE execution_id IN (SELECT id FROM v)"
    );
    ids(held.iter().copied()).execute(tx, &body).await?;
    make_pending(tx, held, Event::Released).await
}

/// Sets executions to pending, after `event`.
pub(super) async fn make_pending(tx: &impl ConnectionTrait, executions: &[Uuid], event: Event) -> Result<()> {
    let body = format!(
        "UPDATE executions SET status = '{}' WHERE id IN (SELECT id FROM v) AND status IN ({})",
        ExecutionStatus::Pending,
        sources(event)
    );
    // In the order of ids, like everybody who locks several.
    let mut executions = executions.to_vec();
    executions.sort_unstable();
    ids(executions).execute(tx, &body).await?;
    Ok(())
}
