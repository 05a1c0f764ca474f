//! Lists of workflows: without definitions, which can be megabytes each.

use chrono::{DateTime, Utc};
use entity::{workflow_steps, workflows};
use sea_orm::sea_query::{Expr, ExprTrait as _, Func, Query};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult, QueryFilter, QuerySelect};
use serde_json::Value;
use uuid::Uuid;

use super::Status;
use crate::page::{Cursor, Direction, Page, PageRequest};
use crate::{Result, backend};

/// Which workflows are wanted; `None` means all.
#[derive(Clone, Debug, Default)]
pub struct WorkflowFilter {
    /// With this status.
    pub status: Option<Status>,
    /// With this tag.
    pub tag: Option<String>,
    /// With this text in their name, in any case.
    pub name: Option<String>,
    /// With a node of this type in their current version.
    pub node_type: Option<String>,
    /// With a node that uses this connector in their current version.
    pub service_name: Option<String>,
}

/// A workflow without its definition.
#[derive(Clone, Debug, PartialEq, FromQueryResult)]
#[expect(missing_docs, reason = "the fields are the columns of `entity::workflows`, which documents them")]
pub struct WorkflowSummary {
    pub id: Uuid,
    pub organization_id: Uuid,
    pub user_id: Option<Uuid>,
    pub name: String,
    pub description: Option<String>,
    pub version: i64,
    pub status: String,
    pub trigger_type: String,
    pub tags: Value,
    pub is_public: bool,
    pub total_executions: i64,
    pub successful_executions: i64,
    pub failed_executions: i64,
    pub average_duration_ms: Option<i64>,
    pub last_executed_at: Option<DateTime<Utc>>,
    pub last_error: Option<String>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

const SUMMARY: [workflows::Column; 18] = [
    workflows::Column::Id,
    workflows::Column::OrganizationId,
    workflows::Column::UserId,
    workflows::Column::Name,
    workflows::Column::Description,
    workflows::Column::Version,
    workflows::Column::Status,
    workflows::Column::TriggerType,
    workflows::Column::Tags,
    workflows::Column::IsPublic,
    workflows::Column::TotalExecutions,
    workflows::Column::SuccessfulExecutions,
    workflows::Column::FailedExecutions,
    workflows::Column::AverageDurationMs,
    workflows::Column::LastExecutedAt,
    workflows::Column::LastError,
    workflows::Column::CreatedAt,
    workflows::Column::UpdatedAt,
];

/// The workflows of an organization, the newest first.
///
/// # Errors
/// Those of the database.
pub async fn list(
    db: &impl ConnectionTrait,
    organization_id: Uuid,
    filter: &WorkflowFilter,
    page: PageRequest,
) -> Result<Page<WorkflowSummary>> {
    let texts = [&filter.tag, &filter.name, &filter.node_type, &filter.service_name];
    if texts.into_iter().flatten().any(|text| text.contains('\0')) {
        return Ok(Page { items: Vec::new(), next: None });
    }
    let mut select = workflows::Entity::find()
        .select_only()
        .columns(SUMMARY)
        .filter(workflows::Column::OrganizationId.eq(organization_id));
    if let Some(status) = filter.status {
        select = select.filter(workflows::Column::Status.eq(status.as_str()));
    }
    if let Some(tag) = &filter.tag {
        select = select.filter(backend::json::array_holds(db.get_database_backend(), "workflows.tags", tag));
    }
    if let Some(name) = &filter.name {
        let lower = Expr::expr(Func::lower(workflows::Column::Name.into_expr()));
        select = select.filter(lower.like(containing(&name.to_lowercase())));
    }
    if let Some(node_type) = &filter.node_type {
        select = select.filter(has_step(workflow_steps::Column::NodeType, node_type));
    }
    if let Some(service_name) = &filter.service_name {
        select = select.filter(has_step(workflow_steps::Column::ServiceName, service_name));
    }
    let rows = page
        .apply(select, workflows::Column::CreatedAt, workflows::Column::Id, Direction::NewestFirst)
        .into_model::<WorkflowSummary>()
        .all(db)
        .await?;
    Ok(page.page(rows, |workflow| Cursor::new(workflow.created_at, workflow.id)))
}

/// A workflow whose current version has a step with this value.
fn has_step(column: workflow_steps::Column, value: &str) -> Expr {
    let steps = Query::select()
        .expr(Expr::value(1))
        .from(workflow_steps::Entity)
        .and_where(
            Expr::col((workflow_steps::Entity, workflow_steps::Column::WorkflowId))
                .equals((workflows::Entity, workflows::Column::Id)),
        )
        .and_where(Expr::col((workflow_steps::Entity, column)).eq(value))
        .to_owned();
    Expr::exists(steps)
}

/// A pattern for text that holds this text, taken as it is.
fn containing(text: &str) -> sea_orm::sea_query::LikeExpr {
    let plain = text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
    sea_orm::sea_query::LikeExpr::new(format!("%{plain}%")).escape('\\')
}
