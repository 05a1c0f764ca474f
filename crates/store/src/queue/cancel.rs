//! Cancelling.

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
use crate::{Error, Result, journal};

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
    let tree = lock_tree(tx, execution_id).await?;
    let (mut ended, mut requested) = (Vec::new(), Vec::new());
    let rows =
        ids(tree).query(tx, "SELECT id, status FROM executions WHERE id IN (SELECT id FROM v)").await?;
    for row in rows {
        let id: Uuid = row.try_get("", "id")?;
        let status: String = row.try_get("", "status")?;
        let status: ExecutionStatus =
            status.parse().map_err(|reason: String| Error::invalid("status", reason))?;
        match status {
            ExecutionStatus::Pending | ExecutionStatus::Waiting => ended.push(id),
            ExecutionStatus::Running => requested.push(id),
            _ if id == execution_id => return Ok(CancelOutcome::AlreadyFinal(status)),
            _ => {}
        }
    }
    ended.sort_unstable();
    requested.sort_unstable();
    ask(tx, truncate(now), &requested).await?;
    let cancelled = without_result(ExecutionStatus::Cancelled, None);
    let endings: Vec<Ending<'_>> =
        ended.iter().map(|id| Ending { execution_id: *id, ended: &cancelled }).collect();
    journal::close_steps(tx, now, &ended, journal::StepStatus::Cancelled).await?;
    end(tx, now, &endings).await?;
    if requested.contains(&execution_id) {
        return Ok(CancelOutcome::Requested);
    }
    Ok(CancelOutcome::Cancelled { ended, requested })
}

/// Locks the queue rows of the execution, of its parent, and of all the children that it waits for. While rows were
/// being locked a child may have made children of its own; then it looks again.
async fn lock_tree(tx: &impl ConnectionTrait, root: Uuid) -> Result<Vec<Uuid>> {
    let body = format!(
        ", tree(id) AS (SELECT id FROM v UNION SELECT c.id FROM tree t \
         JOIN executions c ON c.parent_execution_id = t.id AND c.status IN ({}) \
         JOIN execution_steps s ON s.id = c.parent_step_id AND s.status = 'waiting') SELECT id FROM tree",
        open()
    );
    let mut tree = vec![root];
    loop {
        lock::queue_rows(tx, &tree, lock::Parents::Of(&tree)).await?;
        let mut found = Vec::with_capacity(tree.len());
        for row in ids([root]).query(tx, &body).await? {
            found.push(row.try_get("", "id")?);
        }
        found.sort_unstable();
        if found == tree {
            return Ok(tree);
        }
        tree = found;
    }
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
