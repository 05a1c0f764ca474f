//! Deleting executions that have been kept long enough.
//!
//! Keys are UUIDv7, so "older than" is a range of the primary key. An execution that has not ended is never deleted.

use chrono::{DateTime, TimeDelta, Utc};
use engine::execution::ExecutionStatus;
use entity::{executions, workflows};
use sea_orm::sea_query::Query;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait};
use uuid::{NoContext, Timestamp, Uuid};

use crate::Result;

/// Most workflows with a rule of their own that one call looks at.
const MAX_WORKFLOWS: u64 = 1_000;

/// Deletes ended executions that are older than their workflow keeps them, or than `default_days` where the workflow
/// does not say; at most about `limit`, with their steps, logs and queue rows. Returns how many.
///
/// # Errors
/// Those of the database.
pub async fn delete_ended(
    tx: &impl ConnectionTrait,
    now: DateTime<Utc>,
    default_days: Option<u32>,
    limit: u64,
) -> Result<u64> {
    let mut deleted = 0;
    let own_rules: Vec<(Uuid, i64)> = workflows::Entity::find()
        .select_only()
        .columns([workflows::Column::Id, workflows::Column::RetentionDays])
        .filter(workflows::Column::RetentionDays.is_not_null())
        .order_by_asc(workflows::Column::Id)
        .limit(MAX_WORKFLOWS)
        .into_tuple()
        .all(tx)
        .await?;
    for (workflow_id, days) in own_rules {
        if deleted >= limit {
            return Ok(deleted);
        }
        let of_workflow = executions::Column::WorkflowId.eq(workflow_id);
        deleted += delete_before(tx, first_id_of(now, days), of_workflow, limit - deleted).await?;
    }
    if let Some(days) = default_days.filter(|_| deleted < limit) {
        let without_rule = workflows::Entity::find()
            .select_only()
            .column(workflows::Column::Id)
            .filter(workflows::Column::RetentionDays.is_null())
            .into_query();
        let of_others = executions::Column::WorkflowId.in_subquery(without_rule);
        deleted += delete_before(tx, first_id_of(now, i64::from(days)), of_others, limit - deleted).await?;
    }
    Ok(deleted)
}

async fn delete_before(
    tx: &impl ConnectionTrait,
    before: Uuid,
    which: sea_orm::sea_query::SimpleExpr,
    limit: u64,
) -> Result<u64> {
    let ended =
        ExecutionStatus::ALL.into_iter().filter(|status| status.is_final()).map(ExecutionStatus::as_str);
    let oldest = Query::select()
        .column(executions::Column::Id)
        .from(executions::Entity)
        .and_where(executions::Column::Id.lt(before))
        .and_where(executions::Column::Status.is_in(ended))
        .and_where(which)
        .order_by(executions::Column::Id, sea_orm::Order::Asc)
        .limit(limit)
        .to_owned();
    let outcome =
        executions::Entity::delete_many().filter(executions::Column::Id.in_subquery(oldest)).exec(tx).await?;
    Ok(outcome.rows_affected)
}

/// The least key that an execution can have which is younger than so many days.
fn first_id_of(now: DateTime<Utc>, days: i64) -> Uuid {
    let moment =
        TimeDelta::try_days(days).and_then(|age| now.checked_sub_signed(age)).unwrap_or(DateTime::UNIX_EPOCH);
    let seconds = u64::try_from(moment.timestamp()).unwrap_or(0);
    let timestamp = Timestamp::from_unix(NoContext, seconds, 0);
    let (high, _) = Uuid::new_v7(timestamp).as_u64_pair();
    // Only the 48 bits of the time: whatever random bits follow, the key is not before this one.
    Uuid::from_u64_pair(high & 0xffff_ffff_ffff_0000, 0)
}
