//! The end of an execution: its final status, the statistics of its workflow, and the parent that waits for it.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use engine::execution::ExecutionStatus;
use sea_orm::{ConnectionTrait, QueryResult};
use uuid::Uuid;

use super::cancel::{awaited, lock_with_awaited, stop};
use super::transition::can_end;
use super::wake::{Cause, wake};
use super::{Ended, Held, Lease};
use crate::backend::Backend;
use crate::backend::rows::{Column, Kind, Rows, ids, optional, optional_json, optional_text, required};
use crate::clock::truncate;
use crate::{Error, Result, journal};

/// Executions over which the average duration of a workflow is taken, about: it follows changes.
const AVERAGE_OVER: i64 = 100;

/// In place of a number of steps: they are to be counted.
pub(super) const UNCOUNTED: i64 = -1;

/// Ends an execution, if the lease holds: final status, statistics of the workflow, the queue row goes, and the parent
/// becomes ready when this was the last child that it waited for. One that ends as cancelled takes along the children that
/// it waits for, and whatever does not complete leaves no open step behind.
///
/// # Errors
/// [`Error::Invalid`] when the status is not final; those of the database.
pub async fn finish(
    tx: &impl ConnectionTrait,
    now: DateTime<Utc>,
    lease: &Lease,
    ended: &Ended,
) -> Result<Held> {
    let execution_id = lease.execution_id;
    let roots = if ended.status == ExecutionStatus::Cancelled { vec![execution_id] } else { Vec::new() };
    let rows = lock_with_awaited(tx, &[execution_id], &[execution_id], &roots).await?;
    if !rows.get(&execution_id).is_some_and(|row| row.is_held_by(lease)) {
        return Ok(Held::Lost);
    }
    stop(tx, now, &awaited(tx, &roots).await?).await?;
    end(tx, now, &[Ending { execution_id, ended }]).await?;
    Ok(Held::Yes)
}

/// An execution that ends.
pub(crate) struct Ending<'a> {
    pub(crate) execution_id: Uuid,
    pub(crate) ended: &'a Ended,
}

/// What an execution was when it ended.
struct Outcome {
    workflow_id: Uuid,
    status: String,
    parent: Option<Uuid>,
    started_at: Option<DateTime<Utc>>,
    duration_ms: Option<i64>,
    error: Option<String>,
}

static ENDINGS: [Column; 11] = [
    required("v_id", Kind::Uuid),
    required("v_now", Kind::Timestamp),
    required("v_status", Kind::Text),
    optional("v_output", Kind::Json),
    optional("v_message", Kind::Text),
    optional("v_code", Kind::Text),
    optional("v_stack", Kind::Text),
    optional("v_node", Kind::Text),
    required("v_total", Kind::BigInt),
    required("v_completed", Kind::BigInt),
    required("v_failed", Kind::BigInt),
];

/// The same for executions that nobody else can end: the caller has locked their queue rows and those of their parents.
/// A final status is never overwritten. Steps that are still open were stopped, unless the execution completed. Gives the parents that are ready now.
pub(crate) async fn end(
    tx: &impl ConnectionTrait,
    now: DateTime<Utc>,
    endings: &[Ending<'_>],
) -> Result<Vec<Uuid>> {
    if endings.is_empty() {
        return Ok(Vec::new());
    }
    // Before the steps are counted.
    let stopped: Vec<Uuid> = endings
        .iter()
        .filter(|ending| ending.ended.status != ExecutionStatus::Completed)
        .map(|ending| ending.execution_id)
        .collect();
    journal::close_steps(tx, now, &stopped, journal::StepStatus::Cancelled).await?;
    let outcomes = write(tx, truncate(now), endings).await?;
    let executions = endings.iter().map(|ending| ending.execution_id);
    ids(executions)
        .execute(tx, "DELETE FROM execution_queue WHERE execution_id IN (SELECT id FROM v)")
        .await?;
    let mut parents: Vec<Uuid> = outcomes.iter().filter_map(|outcome| outcome.parent).collect();
    parents.sort_unstable();
    parents.dedup();
    let woken = if parents.is_empty() { parents } else { wake(tx, now, &parents, Cause::Children).await? };
    count(tx, &outcomes).await?;
    Ok(woken)
}

async fn write(
    tx: &impl ConnectionTrait,
    now: DateTime<Utc>,
    endings: &[Ending<'_>],
) -> Result<Vec<Outcome>> {
    let mut rows = Rows::new(&ENDINGS);
    for Ending { execution_id, ended } in endings {
        if !ended.status.is_final() {
            return Err(Error::invalid("status", format!("{} is not final", ended.status)));
        }
        let error = ended.error.as_ref();
        rows.push([
            (*execution_id).into(),
            now.into(),
            ended.status.as_str().into(),
            optional_json("output_data", ended.output_data.as_ref())?,
            optional_text(error.map(|error| error.message.as_str())),
            optional_text(error.map(|error| error.code.as_str())),
            optional_text(error.and_then(|error| error.stack.as_deref())),
            optional_text(error.and_then(|error| error.node_id.as_deref())),
            ended.total_steps.into(),
            ended.completed_steps.into(),
            ended.failed_steps.into(),
        ]);
    }
    let counted = |given: &str, condition: &str| {
        format!(
            "CASE WHEN v.{given} < 0 THEN (SELECT count(*) FROM execution_steps s WHERE s.execution_id = e.id{condition}) \
             ELSE v.{given} END"
        )
    };
    let body = format!(
        "UPDATE executions AS e SET status = v.v_status, output_data = v.v_output, error_message = v.v_message, \
         error_code = v.v_code, error_stack = v.v_stack, error_node_id = v.v_node, total_steps = {}, \
         completed_steps = {}, failed_steps = {}, completed_at = v.v_now, \
         duration_ms = CASE WHEN e.started_at IS NULL THEN NULL ELSE {} END \
         FROM v WHERE e.id = v.v_id AND {} \
         RETURNING workflow_id, status, parent_execution_id, started_at, duration_ms, error_message",
        counted("v_total", ""),
        counted("v_completed", " AND s.status = 'completed'"),
        counted("v_failed", " AND s.status = 'failed'"),
        Backend::of(tx).elapsed_ms("e.started_at", "v.v_now"),
        can_end("e", "v.v_status"),
    );
    rows.query(tx, &body).await?.iter().map(read).collect()
}

fn read(row: &QueryResult) -> Result<Outcome> {
    Ok(Outcome {
        workflow_id: row.try_get("", "workflow_id")?,
        status: row.try_get("", "status")?,
        parent: row.try_get("", "parent_execution_id")?,
        started_at: row.try_get("", "started_at")?,
        duration_ms: row.try_get("", "duration_ms")?,
        error: row.try_get("", "error_message")?,
    })
}

/// What the ends of one statement add to the statistics of a workflow.
#[derive(Default)]
struct Sum {
    total: i64,
    successful: i64,
    failed: i64,
    timed: i64,
    duration_ms: i64,
    last_started_at: Option<DateTime<Utc>>,
    last_error: Option<String>,
}

static SUMS: [Column; 8] = [
    required("v_id", Kind::Uuid),
    required("v_total", Kind::BigInt),
    required("v_successful", Kind::BigInt),
    required("v_failed", Kind::BigInt),
    required("v_timed", Kind::BigInt),
    required("v_duration_ms", Kind::BigInt),
    optional("v_started_at", Kind::Timestamp),
    optional("v_error", Kind::Text),
];

/// One update for each workflow, last in the transaction: many executions share the row.
async fn count(tx: &impl ConnectionTrait, outcomes: &[Outcome]) -> Result<()> {
    // Sorted: everybody locks several workflows in the same order.
    let mut sums: BTreeMap<Uuid, Sum> = BTreeMap::new();
    for outcome in outcomes {
        let sum = sums.entry(outcome.workflow_id).or_default();
        sum.total += 1;
        sum.successful += i64::from(outcome.status == ExecutionStatus::Completed.as_str());
        if outcome.status == ExecutionStatus::Failed.as_str() {
            sum.failed += 1;
            sum.last_error.clone_from(&outcome.error);
        }
        if let Some(duration_ms) = outcome.duration_ms {
            sum.timed += 1;
            sum.duration_ms = sum.duration_ms.saturating_add(duration_ms);
        }
        sum.last_started_at = sum.last_started_at.max(outcome.started_at);
    }
    let mut rows = Rows::new(&SUMS);
    for (workflow_id, sum) in &sums {
        rows.push([
            (*workflow_id).into(),
            sum.total.into(),
            sum.successful.into(),
            sum.failed.into(),
            sum.timed.into(),
            sum.duration_ms.into(),
            sum.last_started_at.into(),
            optional_text(sum.last_error.as_deref()),
        ]);
    }
    rows.execute(tx, &count_statement(Backend::of(tx))).await?;
    Ok(())
}

/// The average is a whole number, so that a small difference divided by a hundred would always be cut off. Adding a
/// remainder that runs through all values from count to count rounds it up as often as it should be.
fn count_statement(backend: Backend) -> String {
    let weight =
        format!("CASE WHEN w.total_executions < {0} THEN w.total_executions ELSE {0} END", AVERAGE_OVER - 1);
    // Rows of executions keep `FOR KEY SHARE` on their workflow while they are inserted; this lock does not mind.
    let lock = match backend {
        Backend::Sqlite => "",
        Backend::Postgres => " FOR NO KEY UPDATE OF l",
    };
    format!(
        ", locked AS (SELECT l.id FROM workflows l WHERE l.id IN (SELECT v_id FROM v) ORDER BY l.id{lock}) \
         UPDATE workflows AS w SET total_executions = w.total_executions + v.v_total, \
         successful_executions = w.successful_executions + v.v_successful, \
         failed_executions = w.failed_executions + v.v_failed, \
         average_duration_ms = CASE WHEN v.v_timed = 0 THEN w.average_duration_ms \
           WHEN w.average_duration_ms IS NULL THEN v.v_duration_ms / v.v_timed \
           ELSE (w.average_duration_ms * ({weight}) + v.v_duration_ms \
                 + (w.total_executions * 7919) % (({weight}) + v.v_timed)) / (({weight}) + v.v_timed) END, \
         last_executed_at = CASE WHEN v.v_started_at IS NULL OR w.last_executed_at > v.v_started_at \
           THEN w.last_executed_at ELSE v.v_started_at END, \
         last_error = COALESCE(v.v_error, w.last_error) \
         FROM v WHERE w.id = v.v_id AND w.id IN (SELECT k.id FROM locked k)"
    )
}
