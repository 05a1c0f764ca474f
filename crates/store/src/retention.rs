//! Deleting executions that have been kept long enough, or of which a workflow has enough.
//!
//! Keys are UUIDv7, so "older than" is a range of the primary key; the age that counts is that of the end. An execution
//! that has not ended is never deleted, nor is one whose parent has not: the parent may still want its result.

use chrono::{DateTime, TimeDelta, Utc};
use engine::execution::ExecutionStatus;
use entity::{executions, workflows};
use sea_orm::sea_query::{Alias, Expr, ExprTrait as _, Query, SimpleExpr};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait,
};
use uuid::{NoContext, Timestamp, Uuid};

use crate::{Db, Result};

/// Most workflows with a rule of their own that one call looks at; the next goes on behind them.
const MAX_WORKFLOWS: u64 = 1_000;

/// Deletes ended executions that are older than their workflow keeps them, or than `default_days` where the workflow
/// does not say, and those beyond the number that their workflow keeps; with their steps, logs and queue rows. At most
/// about `limit` by the rules of workflows, and as many by the default. Each workflow has a transaction of its own.
/// Returns how many were deleted.
///
/// # Errors
/// Those of the database.
pub async fn delete_ended(db: &Db, now: DateTime<Utc>, default_days: Option<u32>, limit: u64) -> Result<u64> {
    let mut deleted = delete_by_own_rules(db, now, limit).await?;
    if let Some(days) = default_days {
        let without_rule = workflows::Entity::find()
            .select_only()
            .column(workflows::Column::Id)
            .filter(workflows::Column::RetentionDays.is_null())
            .into_query();
        let of_others = executions::Column::WorkflowId.in_subquery(without_rule);
        deleted += db
            .in_time(async {
                let tx = db.begin().await?;
                let deleted = delete(&tx, older_than(now, i64::from(days)).add(of_others), limit).await?;
                tx.commit().await?;
                Ok(deleted)
            })
            .await?;
    }
    Ok(deleted)
}

async fn delete_by_own_rules(db: &Db, now: DateTime<Utc>, limit: u64) -> Result<u64> {
    let cursor = &db.cursors().retention;
    let rules: Vec<(Uuid, Option<i64>, Option<i64>)> = workflows::Entity::find()
        .select_only()
        .columns([workflows::Column::Id, workflows::Column::RetentionDays, workflows::Column::RetentionCount])
        .filter(
            Condition::any()
                .add(workflows::Column::RetentionDays.is_not_null())
                .add(workflows::Column::RetentionCount.is_not_null()),
        )
        .filter(workflows::Column::Id.gt(cursor.get()))
        .order_by_asc(workflows::Column::Id)
        .limit(MAX_WORKFLOWS)
        .into_tuple()
        .all(db.reader())
        .await?;
    let is_last_part = (rules.len() as u64) < MAX_WORKFLOWS;
    let mut deleted = 0;
    for (workflow_id, days, count) in rules {
        if deleted >= limit {
            return Ok(deleted);
        }
        deleted += db.in_time(delete_of(db, now, workflow_id, days, count, limit - deleted)).await?;
        cursor.set(workflow_id);
    }
    if is_last_part {
        cursor.set(Uuid::nil());
    }
    Ok(deleted)
}

async fn delete_of(
    db: &Db,
    now: DateTime<Utc>,
    workflow_id: Uuid,
    days: Option<i64>,
    count: Option<i64>,
    limit: u64,
) -> Result<u64> {
    let tx = db.begin().await?;
    let of_workflow = executions::Column::WorkflowId.eq(workflow_id);
    let mut deleted = 0;
    if let Some(days) = days {
        deleted += delete(&tx, older_than(now, days).add(of_workflow.clone()), limit).await?;
    }
    if let Some(newest) = count
        && let Some(last) = newest_beyond(&tx, &of_workflow, newest).await?
    {
        let beyond = Condition::all().add(of_workflow).add(executions::Column::Id.lte(last));
        deleted += delete(&tx, beyond, limit.saturating_sub(deleted)).await?;
    }
    tx.commit().await?;
    Ok(deleted)
}

/// The newest ended execution that is not among the `kept` newest ones.
async fn newest_beyond(
    tx: &impl ConnectionTrait,
    of_workflow: &SimpleExpr,
    kept: i64,
) -> Result<Option<Uuid>> {
    Ok(executions::Entity::find()
        .select_only()
        .column(executions::Column::Id)
        .filter(of_workflow.clone())
        .filter(has_ended())
        .order_by_desc(executions::Column::Id)
        .offset(u64::try_from(kept).unwrap_or_default())
        .limit(1)
        .into_tuple()
        .one(tx)
        .await?)
}

fn has_ended() -> SimpleExpr {
    let ended =
        ExecutionStatus::ALL.into_iter().filter(|status| status.is_final()).map(ExecutionStatus::as_str);
    executions::Column::Status.is_in(ended)
}

/// Whether it ended more than so many days ago. None that did was made later, which the index knows.
fn older_than(now: DateTime<Utc>, days: i64) -> Condition {
    let moment =
        TimeDelta::try_days(days).and_then(|age| now.checked_sub_signed(age)).unwrap_or(DateTime::UNIX_EPOCH);
    Condition::all()
        .add(executions::Column::Id.lt(first_id_of(moment)))
        .add(executions::Column::CompletedAt.lt(moment.fixed_offset()))
}

async fn delete(tx: &impl ConnectionTrait, which: Condition, limit: u64) -> Result<u64> {
    let parent = Query::select()
        .expr(Expr::val(1))
        .from(Alias::new("execution_queue"))
        .and_where(
            Expr::col((Alias::new("execution_queue"), Alias::new("execution_id")))
                .equals((executions::Entity, executions::Column::ParentExecutionId)),
        )
        .to_owned();
    let oldest = Query::select()
        .column((executions::Entity, executions::Column::Id))
        .from(executions::Entity)
        .cond_where(which.add(has_ended()).add(Expr::exists(parent).not()))
        .order_by((executions::Entity, executions::Column::Id), sea_orm::Order::Asc)
        .limit(limit)
        .to_owned();
    let outcome =
        executions::Entity::delete_many().filter(executions::Column::Id.in_subquery(oldest)).exec(tx).await?;
    Ok(outcome.rows_affected)
}

/// The least key that an execution can have which was made at this moment or later.
fn first_id_of(moment: DateTime<Utc>) -> Uuid {
    let seconds = u64::try_from(moment.timestamp()).unwrap_or(0);
    let timestamp = Timestamp::from_unix(NoContext, seconds, 0);
    let (high, _) = Uuid::new_v7(timestamp).as_u64_pair();
    // Only the 48 bits of the time: whatever random bits follow, the key is not before this one.
    Uuid::from_u64_pair(high & 0xffff_ffff_ffff_0000, 0)
}
