//! Executions as users see them. Writing them is the business of [`crate::queue`].
//!
//! Lists carry no payloads: an input may be megabytes, and a list has up to 200 rows.

use chrono::{DateTime, Utc};
use engine::execution::ExecutionStatus;
use entity::{execution_steps, executions, workflows};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult, JoinType, QueryFilter, QueryOrder,
    QuerySelect,
};
use serde_json::Value;
use uuid::Uuid;

use crate::page::{Cursor, Direction, Page, PageRequest};
use crate::queue::TriggerType;
use crate::{Error, Result};

pub use entity::executions::Model as Execution;

/// The execution with this id, payloads and all.
///
/// # Errors
/// Those of the database.
pub async fn find(
    db: &impl ConnectionTrait,
    organization_id: Uuid,
    execution_id: Uuid,
) -> Result<Option<Execution>> {
    Ok(executions::Entity::find_by_id(execution_id)
        .filter(executions::Column::OrganizationId.eq(organization_id))
        .one(db)
        .await?)
}

/// The executions with these ids, payloads and all, in no particular order.
///
/// # Errors
/// Those of the database.
pub async fn find_many(
    db: &impl ConnectionTrait,
    organization_id: Uuid,
    execution_ids: &[Uuid],
) -> Result<Vec<Execution>> {
    let mut found = Vec::with_capacity(execution_ids.len());
    for chunk in execution_ids.chunks(1_000) {
        let rows = executions::Entity::find()
            .filter(executions::Column::OrganizationId.eq(organization_id))
            .filter(executions::Column::Id.is_in(chunk.iter().copied()))
            .all(db)
            .await?;
        found.extend(rows);
    }
    Ok(found)
}

/// Where an execution stands: for those who wait for its end.
///
/// # Errors
/// Those of the database.
pub async fn status(
    db: &impl ConnectionTrait,
    organization_id: Uuid,
    execution_id: Uuid,
) -> Result<Option<ExecutionStatus>> {
    let word: Option<String> = executions::Entity::find_by_id(execution_id)
        .select_only()
        .column(executions::Column::Status)
        .filter(executions::Column::OrganizationId.eq(organization_id))
        .into_tuple()
        .one(db)
        .await?;
    word.map(|word| parse_status(&word)).transpose()
}

/// Which executions are wanted; `None` and an empty list mean all.
#[derive(Clone, Debug, Default)]
pub struct ExecutionFilter {
    /// Of this workflow.
    pub workflow_id: Option<Uuid>,
    /// With one of these statuses.
    pub statuses: Vec<ExecutionStatus>,
    /// Started by this.
    pub trigger_type: Option<TriggerType>,
    /// Made not before.
    pub from: Option<DateTime<Utc>>,
    /// Made before.
    pub until: Option<DateTime<Utc>>,
    /// Called by this execution.
    pub parent_execution_id: Option<Uuid>,
    /// That retry this execution.
    pub origin_execution_id: Option<Uuid>,
}

/// An execution without payloads.
#[derive(Clone, Debug, PartialEq, FromQueryResult)]
#[expect(missing_docs, reason = "the fields are the columns of `entity::executions`, which documents them")]
pub struct ExecutionSummary {
    pub id: Uuid,
    pub organization_id: Uuid,
    pub workflow_id: Uuid,
    /// The name of the workflow as it is now.
    pub workflow_name: String,
    pub workflow_version: i64,
    pub user_id: Option<Uuid>,
    pub status: String,
    pub trigger_type: String,
    pub trigger_node_id: Option<String>,
    pub error_message: Option<String>,
    pub error_code: Option<String>,
    pub error_node_id: Option<String>,
    pub parent_execution_id: Option<Uuid>,
    pub origin_execution_id: Option<Uuid>,
    pub schedule_id: Option<Uuid>,
    pub webhook_id: Option<Uuid>,
    pub scheduled_for: Option<DateTime<Utc>>,
    pub total_steps: i64,
    pub completed_steps: i64,
    pub failed_steps: i64,
    pub metadata: Value,
    pub cancel_requested_at: Option<DateTime<Utc>>,
    pub started_at: Option<DateTime<Utc>>,
    pub completed_at: Option<DateTime<Utc>>,
    pub duration_ms: Option<i64>,
    pub created_at: DateTime<Utc>,
}

const SUMMARY: [executions::Column; 25] = [
    executions::Column::Id,
    executions::Column::OrganizationId,
    executions::Column::WorkflowId,
    executions::Column::WorkflowVersion,
    executions::Column::UserId,
    executions::Column::Status,
    executions::Column::TriggerType,
    executions::Column::TriggerNodeId,
    executions::Column::ErrorMessage,
    executions::Column::ErrorCode,
    executions::Column::ErrorNodeId,
    executions::Column::ParentExecutionId,
    executions::Column::OriginExecutionId,
    executions::Column::ScheduleId,
    executions::Column::WebhookId,
    executions::Column::ScheduledFor,
    executions::Column::TotalSteps,
    executions::Column::CompletedSteps,
    executions::Column::FailedSteps,
    executions::Column::Metadata,
    executions::Column::CancelRequestedAt,
    executions::Column::StartedAt,
    executions::Column::CompletedAt,
    executions::Column::DurationMs,
    executions::Column::CreatedAt,
];

/// The executions of an organization, the newest first.
///
/// # Errors
/// Those of the database.
pub async fn list(
    db: &impl ConnectionTrait,
    organization_id: Uuid,
    filter: &ExecutionFilter,
    page: PageRequest,
) -> Result<Page<ExecutionSummary>> {
    let mut select = summaries().filter(executions::Column::OrganizationId.eq(organization_id));
    if let Some(workflow_id) = filter.workflow_id {
        select = select.filter(executions::Column::WorkflowId.eq(workflow_id));
    }
    if !filter.statuses.is_empty() {
        let words = filter.statuses.iter().map(|status| status.as_str());
        select = select.filter(executions::Column::Status.is_in(words));
    }
    if let Some(trigger_type) = filter.trigger_type {
        select = select.filter(executions::Column::TriggerType.eq(trigger_type.as_str()));
    }
    if let Some(from) = filter.from {
        select = select.filter(executions::Column::CreatedAt.gte(from.fixed_offset()));
    }
    if let Some(until) = filter.until {
        select = select.filter(executions::Column::CreatedAt.lt(until.fixed_offset()));
    }
    if let Some(parent) = filter.parent_execution_id {
        select = select.filter(executions::Column::ParentExecutionId.eq(parent));
    }
    if let Some(origin) = filter.origin_execution_id {
        select = select.filter(executions::Column::OriginExecutionId.eq(origin));
    }
    let rows = page
        .apply(select, executions::Column::CreatedAt, executions::Column::Id, Direction::NewestFirst)
        .into_model::<ExecutionSummary>()
        .all(db)
        .await?;
    Ok(page.page(rows, |execution| Cursor::new(execution.created_at, execution.id)))
}

/// The execution with this id without its payloads: for progress.
///
/// # Errors
/// Those of the database.
pub async fn summary(
    db: &impl ConnectionTrait,
    organization_id: Uuid,
    execution_id: Uuid,
) -> Result<Option<ExecutionSummary>> {
    Ok(summaries()
        .filter(executions::Column::Id.eq(execution_id))
        .filter(executions::Column::OrganizationId.eq(organization_id))
        .into_model::<ExecutionSummary>()
        .one(db)
        .await?)
}

fn summaries() -> sea_orm::Select<executions::Entity> {
    let to_workflow = executions::Entity::belongs_to(workflows::Entity)
        .from(executions::Column::WorkflowId)
        .to(workflows::Column::Id)
        .into();
    executions::Entity::find()
        .select_only()
        .columns(SUMMARY)
        .column_as(workflows::Column::Name, "workflow_name")
        .join(JoinType::InnerJoin, to_workflow)
}

/// What is needed to run an execution again.
#[derive(Clone, Debug)]
pub struct RetryInfo {
    /// The execution, with what started it.
    pub execution: Execution,
    /// Its status; only one that is final can be run again.
    pub status: ExecutionStatus,
    /// The version of the workflow that is current now.
    pub current_version: i64,
    /// Where the first attempt of the run of a node that failed for good stands: a retry from there keeps the steps
    /// before it. `None` when no step failed.
    pub failed_sequence: Option<i64>,
}

/// What is needed to run an execution again.
///
/// # Errors
/// Those of the database.
pub async fn retry_info(
    db: &impl ConnectionTrait,
    organization_id: Uuid,
    execution_id: Uuid,
) -> Result<Option<RetryInfo>> {
    let Some(execution) = find(db, organization_id, execution_id).await? else { return Ok(None) };
    let current: Option<i64> = workflows::Entity::find_by_id(execution.workflow_id)
        .select_only()
        .column(workflows::Column::Version)
        .filter(workflows::Column::OrganizationId.eq(organization_id))
        .into_tuple()
        .one(db)
        .await?;
    let Some(current_version) = current else { return Ok(None) };
    // Of the failed steps the last one ended the execution; those before it were retried or handled. All attempts of
    // one run are left out together, so the retry starts at the run's first attempt.
    let failed: Option<(String, i64)> = execution_steps::Entity::find()
        .select_only()
        .columns([execution_steps::Column::NodeId, execution_steps::Column::RunIndex])
        .filter(execution_steps::Column::ExecutionId.eq(execution_id))
        .filter(execution_steps::Column::Status.eq("failed"))
        .order_by_desc(execution_steps::Column::Sequence)
        .order_by_desc(execution_steps::Column::Attempt)
        .limit(1)
        .into_tuple()
        .one(db)
        .await?;
    let failed_sequence = match failed {
        Some((node_id, run_index)) => {
            execution_steps::Entity::find()
                .select_only()
                .column(execution_steps::Column::Sequence)
                .filter(execution_steps::Column::ExecutionId.eq(execution_id))
                .filter(execution_steps::Column::NodeId.eq(node_id))
                .filter(execution_steps::Column::RunIndex.eq(run_index))
                .order_by_asc(execution_steps::Column::Sequence)
                .limit(1)
                .into_tuple::<i64>()
                .one(db)
                .await?
        }
        None => None,
    };
    let status = parse_status(&execution.status)?;
    Ok(Some(RetryInfo { execution, status, current_version, failed_sequence }))
}

/// An execution of a schedule that has not ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromQueryResult)]
pub struct Unfinished {
    /// The schedule.
    pub schedule_id: Uuid,
    /// The execution.
    pub id: Uuid,
    /// Whose it is.
    pub organization_id: Uuid,
}

/// The executions of schedules that have not ended, the oldest first: what the overlap policies look at.
///
/// # Errors
/// Those of the database.
pub async fn unfinished_of_schedules(
    db: &impl ConnectionTrait,
    schedule_ids: &[Uuid],
) -> Result<Vec<Unfinished>> {
    let mut found = Vec::new();
    for chunk in schedule_ids.chunks(1_000) {
        let rows = executions::Entity::find()
            .select_only()
            .columns([
                executions::Column::ScheduleId,
                executions::Column::Id,
                executions::Column::OrganizationId,
            ])
            // A row of the queue is there for just as long as the execution has not ended, and the queue is short.
            .join(
                JoinType::InnerJoin,
                executions::Entity::belongs_to(entity::execution_queue::Entity)
                    .from(executions::Column::Id)
                    .to(entity::execution_queue::Column::ExecutionId)
                    .into(),
            )
            .filter(executions::Column::ScheduleId.is_in(chunk.iter().copied()))
            .order_by_asc(executions::Column::Id)
            .into_model::<Unfinished>()
            .all(db)
            .await?;
        found.extend(rows);
    }
    Ok(found)
}

fn parse_status(word: &str) -> Result<ExecutionStatus> {
    word.parse().map_err(|reason: String| Error::invalid("status", reason))
}
