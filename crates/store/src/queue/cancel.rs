//! Cancelling.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use engine::execution::ExecutionStatus;
use sea_orm::ConnectionTrait;
use uuid::Uuid;

use super::rescue::without_result;
use super::transition::open;
use super::{Ending, end};
use crate::backend::rows::{Column, Kind, Rows, ids, required};
use crate::backend::{lock, query};
use crate::clock::truncate;
use crate::{Error, Result};

/// What a request to cancel came to. After the commit, notify [`crate::Topic::Execution`] for each id in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CancelOutcome {
    /// It is cancelled.
    Cancelled {
        /// It, and those of its children that are cancelled with it.
        ended: Vec<Uuid>,
        /// Children that run; their workers will end them.
        requested: Vec<Uuid>,
    },
    /// A worker runs it and will end it at its next heartbeat.
    Requested,
    /// It had ended before.
    AlreadyFinal(ExecutionStatus),
    /// The organization has no such execution.
    NotFound,
}

/// Cancels an execution, with the children that it waits for. One that runs is ended by its worker; all others are final
/// at once.
///
/// # Errors
/// Those of the database.
pub async fn request_cancel(
    tx: &impl ConnectionTrait,
    now: DateTime<Utc>,
    organization_id: Uuid,
    execution_id: Uuid,
) -> Result<CancelOutcome> {
    let sql = "SELECT id, status FROM executions WHERE id = ? AND organization_id = ?";
    if query(tx, sql, [execution_id.into(), organization_id.into()]).await?.is_empty() {
        return Ok(CancelOutcome::NotFound);
    }
    let roots = [execution_id];
    lock_with_awaited(tx, &[], &[], &roots).await?;
    for (_, status) in statuses(tx, &roots).await? {
        if status.is_final() {
            return Ok(CancelOutcome::AlreadyFinal(status));
        }
    }
    let tree = tree(tx, &roots).await?;
    let Stopped { ended, requested } = stop(tx, now, &tree).await?;
    if requested.contains(&execution_id) {
        return Ok(CancelOutcome::Requested);
    }
    Ok(CancelOutcome::Cancelled { ended, requested })
}

/// Executions that were cancelled together.
#[derive(Default)]
pub(crate) struct Stopped {
    /// Those that are final.
    pub(crate) ended: Vec<Uuid>,
    /// Those that run, and that their workers will end.
    pub(crate) requested: Vec<Uuid>,
}

/// Cancels executions whose queue rows, and those of their parents, are locked.
pub(crate) async fn stop(
    tx: &impl ConnectionTrait,
    now: DateTime<Utc>,
    executions: &[Uuid],
) -> Result<Stopped> {
    let mut stopped = Stopped::default();
    for (id, status) in statuses(tx, executions).await? {
        match status {
            ExecutionStatus::Pending | ExecutionStatus::Waiting => stopped.ended.push(id),
            ExecutionStatus::Running => stopped.requested.push(id),
            _ => {}
        }
    }
    stopped.ended.sort_unstable();
    stopped.requested.sort_unstable();
    ask(tx, truncate(now), &stopped.requested).await?;
    let cancelled = without_result(ExecutionStatus::Cancelled, None);
    let endings: Vec<Ending<'_>> =
        stopped.ended.iter().map(|id| Ending { execution_id: *id, ended: &cancelled }).collect();
    end(tx, now, &endings).await?;
    Ok(stopped)
}

async fn statuses(tx: &impl ConnectionTrait, executions: &[Uuid]) -> Result<Vec<(Uuid, ExecutionStatus)>> {
    let body = "SELECT id, status FROM executions WHERE id IN (SELECT id FROM v)";
    let mut found = Vec::with_capacity(executions.len());
    for row in ids(executions.iter().copied()).query(tx, body).await? {
        let status: String = row.try_get("", "status")?;
        let status = status.parse().map_err(|reason: String| Error::invalid("status", reason))?;
        found.push((row.try_get("", "id")?, status));
    }
    Ok(found)
}

/// Locks the queue rows of executions, with the parents of those in `ending`; and those of `roots`, of their parents, and
/// of all the children that they wait for. While rows were being locked a child may have made children of its own; then
/// it looks again.
pub(crate) async fn lock_with_awaited(
    tx: &impl ConnectionTrait,
    executions: &[Uuid],
    ending: &[Uuid],
    roots: &[Uuid],
) -> Result<HashMap<Uuid, lock::QueueRow>> {
    let mut known = roots.to_vec();
    known.sort_unstable();
    known.dedup();
    loop {
        let (wanted, ends) = ([executions, &known].concat(), [ending, &known].concat());
        let rows = lock::queue_rows(tx, &wanted, lock::Parents::Of(&ends)).await?;
        let found = tree(tx, roots).await?;
        if found == known {
            return Ok(rows);
        }
        known = found;
    }
}

/// The children that these executions wait for, and theirs.
pub(crate) async fn awaited(tx: &impl ConnectionTrait, roots: &[Uuid]) -> Result<Vec<Uuid>> {
    let mut tree = tree(tx, roots).await?;
    tree.retain(|id| !roots.contains(id));
    Ok(tree)
}

/// The same with the executions themselves, in order.
async fn tree(tx: &impl ConnectionTrait, roots: &[Uuid]) -> Result<Vec<Uuid>> {
    let body = format!(
        ", tree(id) AS (SELECT id FROM v UNION SELECT c.id FROM tree t \
         JOIN executions c ON c.parent_execution_id = t.id AND c.status IN ({}) \
         JOIN execution_steps s ON s.id = c.parent_step_id AND s.status = 'waiting') SELECT id FROM tree",
        open()
    );
    let mut found = Vec::with_capacity(roots.len());
    for row in ids(roots.iter().copied()).query(tx, &body).await? {
        found.push(row.try_get("", "id")?);
    }
    found.sort_unstable();
    found.dedup();
    Ok(found)
}

async fn ask(tx: &impl ConnectionTrait, now: DateTime<Utc>, executions: &[Uuid]) -> Result<()> {
    static COLUMNS: [Column; 2] = [required("v_id", Kind::Uuid), required("v_now", Kind::Timestamp)];
    let mut rows = Rows::new(&COLUMNS);
    executions.iter().for_each(|id| rows.push([(*id).into(), now.into()]));
    let body = "UPDATE executions AS e SET cancel_requested_at = COALESCE(e.cancel_requested_at, v.v_now) \
                FROM v WHERE e.id = v.v_id";
    rows.execute(tx, body).await?;
    Ok(())
}
