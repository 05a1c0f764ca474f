//! Locks on queue rows.
//!
//! Whoever changes an execution locks its queue row first, and the rows of several in the order of their ids; the
//! rows of `executions` come after, and those of `workflows` last. Everybody keeps to that, so that nobody waits for
//! each other in a circle.

use std::collections::HashMap;

use sea_orm::{ConnectionTrait, QueryResult};
use uuid::Uuid;

use super::{Backend, rows};
use crate::Result;
use crate::queue::Lease;

/// A queue row under lock.
#[derive(Clone, Debug)]
pub(crate) struct QueueRow {
    pub(crate) state: String,
    pub(crate) owner: Option<String>,
    pub(crate) token: i64,
}

impl QueueRow {
    /// Whether the lease is the one that holds the execution.
    pub(crate) fn is_held_by(&self, lease: &Lease) -> bool {
        self.state == "leased"
            && self.token == lease.token
            && self.owner.as_deref() == Some(lease.owner.as_str())
    }
}

/// Locks the queue rows of executions, and with `parents` those of the executions that called them. What is missing
/// from the answer is final, or unknown.
pub(crate) async fn queue_rows(
    tx: &impl ConnectionTrait,
    executions: &[Uuid],
    parents: Parents<'_>,
) -> Result<HashMap<Uuid, QueueRow>> {
    let wanted = wanted(tx, executions, parents).await?;
    let mut locked = HashMap::with_capacity(wanted.len());
    let body = format!(
        "SELECT q.execution_id, q.state, q.lease_owner, q.lease_token FROM execution_queue q \
         WHERE q.execution_id IN (SELECT id FROM v) ORDER BY q.execution_id{}",
        Backend::of(tx).for_update("q")
    );
    for row in rows::ids(wanted).query(tx, &body).await? {
        locked.insert(row.try_get("", "execution_id")?, read(&row)?);
    }
    Ok(locked)
}

/// Whose parents are to be locked too.
#[derive(Clone, Copy)]
pub(crate) enum Parents<'a> {
    /// Nobody's.
    None,
    /// Those of these executions, which are about to end.
    Of(&'a [Uuid]),
}

async fn wanted(tx: &impl ConnectionTrait, executions: &[Uuid], parents: Parents<'_>) -> Result<Vec<Uuid>> {
    let mut wanted = executions.to_vec();
    if let Parents::Of(children) = parents
        && !children.is_empty()
    {
        let body = "SELECT e.parent_execution_id FROM executions e \
                    WHERE e.id IN (SELECT id FROM v) AND e.parent_execution_id IS NOT NULL";
        for row in rows::ids(children.iter().copied()).query(tx, body).await? {
            wanted.push(row.try_get("", "parent_execution_id")?);
        }
    }
    wanted.sort_unstable();
    wanted.dedup();
    Ok(wanted)
}

fn read(row: &QueryResult) -> Result<QueueRow> {
    Ok(QueueRow {
        state: row.try_get("", "state")?,
        owner: row.try_get("", "lease_owner")?,
        token: row.try_get("", "lease_token")?,
    })
}
