//! Taking the schedules that are due, and noting what became of them.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use entity::{schedules, workflows};
use sea_orm::sea_query::{LockBehavior, LockType};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, FromQueryResult, JoinType, QueryFilter, QueryOrder,
    QuerySelect, Select, Statement, Value,
};
use uuid::Uuid;

use super::{Schedule, Timing};
use crate::workflows::{Status, priority_column};
use crate::{Error, Result};

/// Rows of one statement of [`advance`]; five binds each, far below SQLite's 32,766.
const ADVANCE_ROWS: usize = 1_000;

/// How the `last_error` of a schedule begins for which [`reconcile`] found that it cannot fire.
const SETTLED: &str = "cannot fire: ";

/// A schedule that is due, with what its execution needs to know of the workflow.
#[derive(Clone, Debug)]
pub struct Due {
    /// The schedule; `next_run_at` is the occurrence that is due.
    pub schedule: Schedule,
    /// The version to run.
    pub workflow_version: i64,
    /// Only an active workflow is to be run.
    pub workflow_status: Status,
    /// The priority of its executions.
    pub priority: i64,
}

#[derive(FromQueryResult)]
struct WorkflowRow {
    id: Uuid,
    version: i64,
    status: String,
    priority: Option<i64>,
}

/// Takes schedules that are due, the longest due first, and locks them until the end of the transaction: any number of
/// schedulers take different ones. The caller enqueues their executions and calls [`advance`] in the same transaction.
///
/// # Errors
/// Those of the database.
pub async fn claim_due(tx: &impl ConnectionTrait, now: DateTime<Utc>, limit: u64) -> Result<Vec<Due>> {
    let rows = due(now).limit(limit).all(tx).await?;
    with_workflows(tx, rows).await
}

/// Takes this schedule if it is due and nobody else has it.
///
/// # Errors
/// Those of the database.
pub async fn claim_one(
    tx: &impl ConnectionTrait,
    now: DateTime<Utc>,
    schedule_id: Uuid,
) -> Result<Option<Due>> {
    let rows = due(now).filter(schedules::Column::Id.eq(schedule_id)).all(tx).await?;
    Ok(with_workflows(tx, rows).await?.pop())
}

/// The schedules that are due, the longest due first, without taking them.
///
/// # Errors
/// Those of the database.
pub async fn due_ids(db: &impl ConnectionTrait, now: DateTime<Utc>, limit: u64) -> Result<Vec<Uuid>> {
    Ok(schedules::Entity::find()
        .select_only()
        .column(schedules::Column::Id)
        .filter(schedules::Column::IsActive.eq(true))
        .filter(schedules::Column::NextRunAt.lte(now.fixed_offset()))
        .order_by_asc(schedules::Column::NextRunAt)
        .order_by_asc(schedules::Column::Id)
        .limit(limit)
        .into_tuple()
        .all(db)
        .await?)
}

/// Schedules that are due, under a lock.
fn due(now: DateTime<Utc>) -> Select<schedules::Entity> {
    schedules::Entity::find()
        .filter(schedules::Column::IsActive.eq(true))
        .filter(schedules::Column::NextRunAt.lte(now.fixed_offset()))
        .order_by_asc(schedules::Column::NextRunAt)
        .order_by_asc(schedules::Column::Id)
        // On SQLite this adds nothing, and need not: there is one write transaction at a time.
        .lock_with_behavior(LockType::NoKeyUpdate, LockBehavior::SkipLocked)
}

async fn with_workflows(tx: &impl ConnectionTrait, rows: Vec<Schedule>) -> Result<Vec<Due>> {
    let mut workflow_ids: Vec<Uuid> = rows.iter().map(|schedule| schedule.workflow_id).collect();
    workflow_ids.sort_unstable();
    workflow_ids.dedup();
    let mut found = HashMap::with_capacity(workflow_ids.len());
    for chunk in workflow_ids.chunks(ADVANCE_ROWS) {
        let workflows = workflows::Entity::find()
            .select_only()
            .columns([workflows::Column::Id, workflows::Column::Version, workflows::Column::Status])
            .expr_as(priority_column(), "priority")
            .filter(workflows::Column::Id.is_in(chunk.iter().copied()))
            .into_model::<WorkflowRow>()
            .all(tx)
            .await?;
        found.extend(workflows.into_iter().map(|workflow| (workflow.id, workflow)));
    }
    rows.into_iter()
        .filter_map(|schedule| Some((found.get(&schedule.workflow_id)?, schedule)))
        .map(|(workflow, schedule)| {
            Ok(Due {
                schedule,
                workflow_version: workflow.version,
                workflow_status: workflow.status.parse()?,
                priority: workflow.priority.unwrap_or(0),
            })
        })
        .collect()
}

/// What became of a due schedule.
#[derive(Clone, Debug)]
pub struct Advanced {
    /// The schedule.
    pub id: Uuid,
    /// Its next occurrence.
    pub next_run_at: Option<DateTime<Utc>>,
    /// The latest occurrence that was fired; `None` leaves the column as it is.
    pub last_run_at: Option<DateTime<Utc>>,
    /// How many occurrences were fired.
    pub fired: i64,
    /// Why the occurrence could not be fired; `None` clears the column.
    pub last_error: Option<String>,
}

/// Notes what became of due schedules, in one statement for many of them.
///
/// # Errors
/// Those of the database.
pub async fn advance(tx: &impl ConnectionTrait, advanced: &[Advanced]) -> Result<()> {
    for chunk in advanced.chunks(ADVANCE_ROWS) {
        let backend = tx.get_database_backend();
        let mut values: Vec<Value> = Vec::with_capacity(chunk.len() * 5);
        let mut rows = Vec::with_capacity(chunk.len());
        for one in chunk {
            let first = values.len() + 1;
            rows.push(format!(
                "(${}, ${}, ${}, ${}, ${})",
                first,
                first + 1,
                first + 2,
                first + 3,
                first + 4
            ));
            values.extend([
                Value::from(one.id),
                Value::from(one.next_run_at.map(|at| at.fixed_offset())),
                Value::from(one.last_run_at.map(|at| at.fixed_offset())),
                Value::from(one.fired),
                Value::from(one.last_error.as_ref().map(|error| error.replace('\0', "\u{fffd}"))),
            ]);
        }
        // UPDATE ... FROM a CTE of VALUES is the one form of a bulk update that both databases have.
        let sql = format!(
            "WITH advanced (id, next_run_at, last_run_at, fired, last_error) AS (VALUES {}) \
             UPDATE schedules SET next_run_at = advanced.next_run_at, \
             last_run_at = COALESCE(advanced.last_run_at, schedules.last_run_at), \
             run_count = schedules.run_count + advanced.fired, \
             last_error = advanced.last_error \
             FROM advanced WHERE schedules.id = advanced.id",
            rows.join(", ")
        );
        tx.execute_raw(Statement::from_sql_and_values(backend, sql, values)).await?;
    }
    Ok(())
}

/// A schedule that could fire but had no next occurrence.
#[derive(Clone, Debug)]
pub struct Reconciled {
    /// The schedule.
    pub id: Uuid,
    /// What was found for it; `None` when it has no occurrence any more, which is noted in its `last_error`.
    pub next_run_at: Option<DateTime<Utc>>,
}

/// Compares "can fire" with "has a next occurrence", and repairs at most `limit` schedules for which the two differ.
/// Nothing should ever be found: a schedule that stops in silence is the mistake this guards against.
///
/// # Errors
/// Those of the database.
pub async fn reconcile(tx: &impl ConnectionTrait, now: DateTime<Utc>, limit: u64) -> Result<Vec<Reconciled>> {
    let to_workflow = schedules::Entity::belongs_to(workflows::Entity)
        .from(schedules::Column::WorkflowId)
        .to(workflows::Column::Id)
        .into();
    let stopped = schedules::Entity::find()
        .join(JoinType::InnerJoin, to_workflow)
        .filter(workflows::Column::Status.eq(Status::Active.as_str()))
        .filter(schedules::Column::IsActive.eq(true))
        .filter(schedules::Column::NextRunAt.is_null())
        .filter(
            Condition::any()
                .add(schedules::Column::EndsAt.is_null())
                .add(schedules::Column::EndsAt.gt(now.fixed_offset())),
        )
        // Those already found unable to fire are settled until somebody edits them.
        .filter(
            Condition::any()
                .add(schedules::Column::LastError.is_null())
                .add(schedules::Column::LastError.not_like(format!("{SETTLED}%"))),
        )
        .order_by_asc(schedules::Column::Id)
        .limit(limit)
        .all(tx)
        .await?;
    let mut advanced = Vec::with_capacity(stopped.len());
    for schedule in &stopped {
        let (next_run_at, last_error) = match Timing::of(schedule).next_after(now) {
            Ok(Some(next)) => (Some(next), schedule.last_error.clone()),
            Ok(None) => (None, Some(format!("{SETTLED}it has no occurrence any more"))),
            Err(error @ Error::Invalid { .. }) => (None, Some(format!("{SETTLED}{error}"))),
            Err(error) => return Err(error),
        };
        advanced.push(Advanced { id: schedule.id, next_run_at, last_run_at: None, fired: 0, last_error });
    }
    advance(tx, &advanced).await?;
    Ok(advanced.into_iter().map(|one| Reconciled { id: one.id, next_run_at: one.next_run_at }).collect())
}
