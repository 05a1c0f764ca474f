//! Steps as users see them. Writing them is the business of [`crate::journal`].

use chrono::{DateTime, Utc};
use engine::node::HttpReply;
use entity::execution_steps;
use sea_orm::sea_query::{Expr, ExprTrait as _};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult, QueryFilter, QueryOrder, QuerySelect,
};
use serde_json::Value;
use uuid::Uuid;

use crate::{Error, Result};

pub use entity::execution_steps::Model as Step;

/// Most steps of one list; more are asked for by the sequence of the last one.
pub const MAX_LISTED: u64 = 500;

/// A step without its items.
#[derive(Clone, Debug, PartialEq, FromQueryResult)]
#[expect(
    missing_docs,
    reason = "the fields are the columns of `entity::execution_steps`, which documents them"
)]
pub struct StepSummary {
    pub id: Uuid,
    pub execution_id: Uuid,
    pub node_id: String,
    pub node_name: String,
    pub node_type: String,
    pub run_index: i64,
    pub attempt: i64,
    pub sequence: i64,
    pub status: String,
    pub error: Option<Value>,
    pub resume_at: Option<DateTime<Utc>>,
    pub child_execution_id: Option<Uuid>,
    pub started_at: DateTime<Utc>,
    pub completed_at: Option<DateTime<Utc>>,
    pub duration_ms: Option<i64>,
}

/// The place of a step within its execution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StepPlace {
    /// In the order of start.
    pub sequence: i64,
    /// Which attempt.
    pub attempt: i64,
}

/// The steps of an execution in the order of their start, those after a place if one is given: at most
/// [`MAX_LISTED`]. Empty for an execution of another organization.
///
/// # Errors
/// Those of the database.
pub async fn list(
    db: &impl ConnectionTrait,
    organization_id: Uuid,
    execution_id: Uuid,
    after: Option<StepPlace>,
) -> Result<Vec<StepSummary>> {
    let mut select = execution_steps::Entity::find()
        .select_only()
        .columns([
            execution_steps::Column::Id,
            execution_steps::Column::ExecutionId,
            execution_steps::Column::NodeId,
            execution_steps::Column::NodeName,
            execution_steps::Column::NodeType,
            execution_steps::Column::RunIndex,
            execution_steps::Column::Attempt,
            execution_steps::Column::Sequence,
            execution_steps::Column::Status,
            execution_steps::Column::Error,
            execution_steps::Column::ResumeAt,
            execution_steps::Column::ChildExecutionId,
            execution_steps::Column::StartedAt,
            execution_steps::Column::CompletedAt,
            execution_steps::Column::DurationMs,
        ])
        .filter(execution_steps::Column::ExecutionId.eq(execution_id))
        .filter(execution_steps::Column::OrganizationId.eq(organization_id));
    if let Some(after) = after {
        let row: Expr = Expr::tuple([
            execution_steps::Column::Sequence.into_expr(),
            execution_steps::Column::Attempt.into_expr(),
        ]);
        select =
            select.filter(row.gt(Expr::tuple([Expr::value(after.sequence), Expr::value(after.attempt)])));
    }
    Ok(select
        .order_by_asc(execution_steps::Column::Sequence)
        .order_by_asc(execution_steps::Column::Attempt)
        .order_by_asc(execution_steps::Column::Id)
        .limit(MAX_LISTED)
        .into_model::<StepSummary>()
        .all(db)
        .await?)
}

/// A step with its items.
///
/// # Errors
/// Those of the database.
pub async fn find(
    db: &impl ConnectionTrait,
    organization_id: Uuid,
    execution_id: Uuid,
    step_id: Uuid,
) -> Result<Option<Step>> {
    Ok(execution_steps::Entity::find_by_id(step_id)
        .filter(execution_steps::Column::ExecutionId.eq(execution_id))
        .filter(execution_steps::Column::OrganizationId.eq(organization_id))
        .one(db)
        .await?)
}

/// The items that a run of a node gave out: those of its last attempt, with the step they belong to. `None` while it has
/// given out none.
///
/// # Errors
/// Those of the database.
pub async fn find_run(
    db: &impl ConnectionTrait,
    organization_id: Uuid,
    execution_id: Uuid,
    node_id: &str,
    run_index: i64,
) -> Result<Option<Step>> {
    Ok(execution_steps::Entity::find()
        .filter(execution_steps::Column::ExecutionId.eq(execution_id))
        .filter(execution_steps::Column::OrganizationId.eq(organization_id))
        .filter(execution_steps::Column::NodeId.eq(node_id))
        .filter(execution_steps::Column::RunIndex.eq(run_index))
        .filter(execution_steps::Column::OutputData.is_not_null())
        .order_by_desc(execution_steps::Column::Attempt)
        .limit(1)
        .one(db)
        .await?)
}

/// Where the first run of a node with this name stands in an execution.
///
/// # Errors
/// Those of the database.
pub async fn first_sequence(
    db: &impl ConnectionTrait,
    organization_id: Uuid,
    execution_id: Uuid,
    node_name: &str,
) -> Result<Option<i64>> {
    Ok(execution_steps::Entity::find()
        .select_only()
        .column(execution_steps::Column::Sequence)
        .filter(execution_steps::Column::ExecutionId.eq(execution_id))
        .filter(execution_steps::Column::OrganizationId.eq(organization_id))
        .filter(execution_steps::Column::NodeName.eq(node_name.replace('\0', "\u{fffd}")))
        .order_by_asc(execution_steps::Column::Sequence)
        .limit(1)
        .into_tuple()
        .one(db)
        .await?)
}

/// Ids of the nodes that ran in an execution before a place in it.
///
/// # Errors
/// Those of the database.
pub async fn nodes_before(
    db: &impl ConnectionTrait,
    organization_id: Uuid,
    execution_id: Uuid,
    sequence: i64,
) -> Result<Vec<String>> {
    Ok(execution_steps::Entity::find()
        .select_only()
        .column(execution_steps::Column::NodeId)
        .distinct()
        .filter(execution_steps::Column::ExecutionId.eq(execution_id))
        .filter(execution_steps::Column::OrganizationId.eq(organization_id))
        .filter(execution_steps::Column::Sequence.lt(sequence))
        .into_tuple()
        .all(db)
        .await?)
}

/// The node type that answers the caller of a webhook.
const RESPOND_NODE: &str = "respond_to_webhook";

/// What a node of the execution answered the caller of the webhook: the first one, if there are several.
///
/// # Errors
/// Those of the database.
pub async fn reply(
    db: &impl ConnectionTrait,
    organization_id: Uuid,
    execution_id: Uuid,
) -> Result<Option<HttpReply>> {
    let context: Option<Option<Value>> = execution_steps::Entity::find()
        .select_only()
        .column(execution_steps::Column::Context)
        .filter(execution_steps::Column::ExecutionId.eq(execution_id))
        .filter(execution_steps::Column::OrganizationId.eq(organization_id))
        .filter(execution_steps::Column::NodeType.eq(RESPOND_NODE))
        .filter(execution_steps::Column::Status.eq("completed"))
        .order_by_asc(execution_steps::Column::Sequence)
        .limit(1)
        .into_tuple()
        .one(db)
        .await?;
    let reply = context.flatten().and_then(|mut context| context.get_mut("response").map(Value::take));
    reply
        .map(|reply| {
            serde_json::from_value(reply).map_err(|error| Error::invalid("context", error.to_string()))
        })
        .transpose()
}
