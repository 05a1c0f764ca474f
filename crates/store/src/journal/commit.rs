//! Group commit: one transaction for what became known of many executions.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use engine::execution::ExecutionStatus;
use sea_orm::DatabaseTransaction;
use uuid::Uuid;

use super::{Close, JournalEntry, logs, steps};
use crate::notify::Topic;
use crate::queue::{self, Ending, Held, NewExecution, Stopped, Suspension};
use crate::{Db, Result};

/// Writes entries of several executions in one transaction: their steps, their log lines, the executions that they
/// start, and what becomes of them. An entry whose lease does not hold any more is left out as a whole; the answer says
/// so, in the order of the entries. After an error nothing was written, or (the connection broke during the commit)
/// everything; writing it again does no harm then, and an execution that was closed answers [`Held::Lost`].
///
/// # Errors
/// [`crate::Error::Invalid`] when JSON is nested deeper than [`crate::MAX_DEPTH`] levels; those of the database. One bad
/// entry fails all of them.
pub async fn commit(db: &Db, now: DateTime<Utc>, entries: &[JournalEntry]) -> Result<Vec<Held>> {
    if entries.is_empty() {
        return Ok(Vec::new());
    }
    db.in_time(record(db, now, entries)).await
}

async fn record(db: &Db, now: DateTime<Utc>, entries: &[JournalEntry]) -> Result<Vec<Held>> {
    let tx = db.begin().await?;
    let held = held(&tx, entries).await?;
    let kept: Vec<&JournalEntry> =
        entries.iter().zip(&held).filter(|(_, held)| **held == Held::Yes).map(|(entry, _)| entry).collect();
    if kept.is_empty() {
        tx.rollback().await?;
        return Ok(held);
    }
    let (is_anything_ready, stopped) = write(&tx, now, &kept).await?;
    tx.commit().await?;
    if is_anything_ready {
        db.notifier().notify(Topic::Queue);
    }
    let mut executions: HashSet<Uuid> = kept.iter().map(|entry| entry.lease.execution_id).collect();
    executions.extend(stopped.ended);
    executions.extend(stopped.requested);
    executions.into_iter().for_each(|id| db.notifier().notify(Topic::Execution(id)));
    Ok(held)
}

async fn held(tx: &DatabaseTransaction, entries: &[JournalEntry]) -> Result<Vec<Held>> {
    let executions: Vec<Uuid> = entries.iter().map(|entry| entry.lease.execution_id).collect();
    let ending: Vec<Uuid> = entries
        .iter()
        .filter(|entry| matches!(entry.close, Some(Close::Finish(_))))
        .map(|entry| entry.lease.execution_id)
        .collect();
    let rows = queue::lock_with_awaited(tx, &executions, &ending, &cancelled(entries.iter())).await?;
    let mut closed = HashSet::new();
    let check = |entry: &JournalEntry| {
        let id = entry.lease.execution_id;
        let is_held = rows.get(&id).is_some_and(|row| row.is_held_by(&entry.lease)) && !closed.contains(&id);
        if is_held && entry.close.is_some() {
            closed.insert(id);
        }
        if is_held { Held::Yes } else { Held::Lost }
    };
    Ok(entries.iter().map(check).collect())
}

/// The executions that end as cancelled.
fn cancelled<'a>(entries: impl Iterator<Item = &'a JournalEntry>) -> Vec<Uuid> {
    let ends_cancelled = |entry: &&JournalEntry| matches!(&entry.close, Some(Close::Finish(ended)) if ended.status == ExecutionStatus::Cancelled);
    entries.filter(ends_cancelled).map(|entry| entry.lease.execution_id).collect()
}

/// Gives whether an execution is ready now that was not before, and the children that were cancelled with their parents.
async fn write(
    tx: &DatabaseTransaction,
    now: DateTime<Utc>,
    entries: &[&JournalEntry],
) -> Result<(bool, Stopped)> {
    // Before the steps that wait for them are closed.
    let children = queue::awaited(tx, &cancelled(entries.iter().copied())).await?;
    let stopped = queue::stop(tx, now, &children).await?;
    steps::write(tx, entries.iter().flat_map(|entry| &entry.steps)).await?;
    logs::write(tx, entries.iter().flat_map(|entry| &entry.logs)).await?;
    let starts: Vec<NewExecution> = entries.iter().flat_map(|entry| entry.starts.iter().cloned()).collect();
    queue::enqueue_again(tx, now, &starts).await?;
    let (mut endings, mut suspensions, mut released) = (Vec::new(), Vec::new(), Vec::new());
    for entry in entries {
        let execution_id = entry.lease.execution_id;
        match &entry.close {
            Some(Close::Finish(ended)) => endings.push(Ending { execution_id, ended }),
            Some(Close::Suspend(resume_at)) => {
                suspensions.push(Suspension { execution_id, resume_at: *resume_at })
            }
            Some(Close::Release) => released.push(execution_id),
            None => {}
        }
    }
    // Suspensions before ends: a parent that suspends together with the end of its child is woken by that end.
    let resumed = queue::suspend_held(tx, now, &suspensions).await?;
    if !released.is_empty() {
        queue::release_held(tx, &released).await?;
    }
    let woken = queue::end(tx, now, &endings).await?;
    let is_anything_ready =
        !(starts.is_empty() && resumed.is_empty() && released.is_empty() && woken.is_empty());
    Ok((is_anything_ready, stopped))
}
