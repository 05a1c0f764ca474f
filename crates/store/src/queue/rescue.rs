//! What nobody does by himself: leases that have passed, waits whose time has come.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use engine::execution::{Event, ExecutionStatus};
use sea_orm::ConnectionTrait;
use uuid::Uuid;

use super::cancel::{awaited, lock_with_awaited, stop};
use super::end::{Ending, UNCOUNTED, end};
use super::lease::make_pending;
use super::suspend::never;
use super::wake::{Cause, wake};
use super::{Ended, ErrorSummary, Rescued};
use crate::backend::rows::ids;
use crate::backend::{Backend, lock, query};
use crate::clock::truncate;
use crate::notify::Topic;
use crate::{Db, Result, journal};

/// Gives executions whose lease has passed to other workers. Only the lease counts, never the age of an execution, and
/// a final one has no lease. An execution that was claimed `max_claims` times without getting anywhere takes its worker
/// down each time, it seems: it fails with code `lost_too_often`. One that is to be cancelled is cancelled.
///
/// # Errors
/// Those of the database.
pub async fn requeue_lost(db: &Db, now: DateTime<Utc>, limit: u64, max_claims: u32) -> Result<Rescued> {
    db.in_time(rescue(db, now, limit, max_claims)).await
}

async fn rescue(db: &Db, now: DateTime<Utc>, limit: u64, max_claims: u32) -> Result<Rescued> {
    let now = truncate(now);
    let passed = "SELECT 1 FROM execution_queue WHERE state = 'leased' AND lease_until < ? LIMIT 1";
    if query(db.reader(), passed, [now.into()]).await?.is_empty() {
        return Ok(Rescued::default());
    }
    let tx = db.begin().await?;
    let rescued = sort_out(&tx, now, limit, max_claims).await?;
    requeue(&tx, &rescued.requeued).await?;
    let mut ending = rescued.failed.clone();
    ending.extend(&rescued.cancelled);
    lock_with_awaited(&tx, &[], &ending, &rescued.cancelled).await?;
    let children = stop(&tx, now, &awaited(&tx, &rescued.cancelled).await?).await?;
    let (failed, cancelled) = (lost_too_often(max_claims), without_result(ExecutionStatus::Cancelled, None));
    let failed = rescued.failed.iter().map(|id| Ending { execution_id: *id, ended: &failed });
    let cancelled = rescued.cancelled.iter().map(|id| Ending { execution_id: *id, ended: &cancelled });
    let endings: Vec<Ending<'_>> = failed.chain(cancelled).collect();
    journal::close_steps(&tx, now, &rescued.failed, journal::StepStatus::Failed).await?;
    end(&tx, now, &endings).await?;
    tx.commit().await?;
    db.notifier().notify(Topic::Queue);
    ending.extend(children.ended);
    ending.extend(children.requested);
    ending.into_iter().for_each(|id| db.notifier().notify(Topic::Execution(id)));
    Ok(rescued)
}

/// Locks rows whose lease has passed. Those that somebody holds at this moment are not lost yet.
async fn sort_out(
    tx: &impl ConnectionTrait,
    now: DateTime<Utc>,
    limit: u64,
    max_claims: u32,
) -> Result<Rescued> {
    let sql = format!(
        "SELECT q.execution_id, q.attempt, (SELECT e.cancel_requested_at FROM executions e WHERE e.id = q.execution_id) \
         AS cancel FROM execution_queue q WHERE q.state = 'leased' AND q.lease_until < ? \
         ORDER BY q.lease_until LIMIT ?{}",
        Backend::of(tx).for_update_skip_locked("q")
    );
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut rescued = Rescued::default();
    for row in query(tx, &sql, [now.into(), limit.into()]).await? {
        let id: Uuid = row.try_get("", "execution_id")?;
        let attempt: i64 = row.try_get("", "attempt")?;
        if row.try_get::<Option<DateTime<Utc>>>("", "cancel")?.is_some() {
            rescued.cancelled.push(id);
        } else if attempt >= i64::from(max_claims) {
            rescued.failed.push(id);
        } else {
            rescued.requeued.push(id);
        }
    }
    Ok(rescued)
}

async fn requeue(tx: &impl ConnectionTrait, executions: &[Uuid]) -> Result<()> {
    let body = "UPDATE execution_queue SET state = 'ready', lease_owner = NULL, lease_until = NULL \
                WHERE execution_id IN (SELECT id FROM v)";
    ids(executions.iter().copied()).execute(tx, body).await?;
    make_pending(tx, executions, Event::Released).await
}

fn lost_too_often(max_claims: u32) -> Ended {
    let error = ErrorSummary {
        message: format!("given up: the worker that ran it was lost {max_claims} times in a row"),
        code: "lost_too_often".to_owned(),
        stack: None,
        node_id: None,
    };
    without_result(ExecutionStatus::Failed, Some(error))
}

/// An end that no worker gives account of: the steps are counted in the database.
pub(super) fn without_result(status: ExecutionStatus, error: Option<ErrorSummary>) -> Ended {
    Ended {
        status,
        output_data: None,
        error,
        total_steps: UNCOUNTED,
        completed_steps: UNCOUNTED,
        failed_steps: UNCOUNTED,
    }
}

/// Makes executions ready whose wait is over, and gives their ids.
///
/// Those that wait for children are woken when the last child ends. Should one have been missed (a child was deleted,
/// say), this finds it: each call looks at some of them.
///
/// # Errors
/// Those of the database.
pub async fn resume_due(db: &Db, now: DateTime<Utc>, limit: u64) -> Result<Vec<Uuid>> {
    let now = truncate(now);
    let mut resumed = db.in_time(resume_by_time(db, now, limit)).await?;
    resumed.extend(db.in_time(resume_forgotten(db, now, limit)).await?);
    if !resumed.is_empty() {
        db.notifier().notify(Topic::Queue);
    }
    Ok(resumed)
}

async fn resume_by_time(db: &Db, now: DateTime<Utc>, limit: u64) -> Result<Vec<Uuid>> {
    let due = "SELECT 1 FROM execution_queue WHERE state = 'waiting' AND run_at <= ? LIMIT 1";
    if query(db.reader(), due, [now.into()]).await?.is_empty() {
        return Ok(Vec::new());
    }
    let tx = db.begin().await?;
    let sql = format!(
        "SELECT q.execution_id FROM execution_queue q WHERE q.state = 'waiting' AND q.run_at <= ? \
         ORDER BY q.run_at LIMIT ?{}",
        db.backend().for_update_skip_locked("q")
    );
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut due = Vec::new();
    for row in query(&tx, &sql, [now.into(), limit.into()]).await? {
        due.push(row.try_get("", "execution_id")?);
    }
    let resumed = wake(&tx, now, &due, Cause::Certain).await?;
    tx.commit().await?;
    Ok(resumed)
}

async fn resume_forgotten(db: &Db, now: DateTime<Utc>, limit: u64) -> Result<Vec<Uuid>> {
    let cursor = &db.cursors().waiting;
    let sql = format!(
        "SELECT w.execution_id, CASE WHEN {} THEN 1 ELSE 0 END AS forgotten FROM \
         (SELECT q.execution_id FROM execution_queue q WHERE q.state = 'waiting' AND q.run_at = ? \
          AND q.execution_id > ? ORDER BY q.execution_id LIMIT ?) w JOIN execution_queue q \
         ON q.execution_id = w.execution_id ORDER BY w.execution_id",
        Cause::Children.condition()
    );
    let limit_rows = i64::try_from(limit).unwrap_or(i64::MAX);
    let rows = query(db.reader(), &sql, [never().into(), cursor.get().into(), limit_rows.into()]).await?;
    let is_last_part = u64::try_from(rows.len()).unwrap_or(u64::MAX) < limit;
    let mut forgotten: HashSet<Uuid> = HashSet::new();
    let mut last = Uuid::nil();
    for row in &rows {
        last = row.try_get("", "execution_id")?;
        if row.try_get::<i32>("", "forgotten")? == 1 {
            forgotten.insert(last);
        }
    }
    cursor.set(if is_last_part { Uuid::nil() } else { last });
    if forgotten.is_empty() {
        return Ok(Vec::new());
    }
    let forgotten: Vec<Uuid> = forgotten.into_iter().collect();
    let tx = db.begin().await?;
    lock::queue_rows(&tx, &forgotten, lock::Parents::None).await?;
    let resumed = wake(&tx, now, &forgotten, Cause::Children).await?;
    tx.commit().await?;
    Ok(resumed)
}
