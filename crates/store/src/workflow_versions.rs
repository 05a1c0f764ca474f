//! Versions of workflows: each save leaves a copy of the definition, which never changes.

use chrono::{DateTime, Utc};
use entity::workflow_versions;
use sea_orm::sea_query::{Expr, Query};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult, QueryFilter, QuerySelect};
use serde_json::Value;
use uuid::Uuid;

use crate::page::{Cursor, Direction, Page, PageRequest};
use crate::workflows::Workflow;
use crate::{Result, backend, ids, text};

pub use entity::workflow_versions::Model as WorkflowVersion;

/// A version without its definition.
#[derive(Clone, Debug, PartialEq, Eq, FromQueryResult)]
#[expect(
    missing_docs,
    reason = "the fields are the columns of `entity::workflow_versions`, which documents them"
)]
pub struct VersionSummary {
    pub id: Uuid,
    pub workflow_id: Uuid,
    pub version: i64,
    pub change_summary: Option<String>,
    pub created_by: Option<Uuid>,
    pub created_at: DateTime<Utc>,
}

/// Adds the current version of a workflow, with the definition as it was written: `workflows.definition` is `jsonb`,
/// which forgets the order of keys, and people order the fields of what their nodes give out.
pub(crate) async fn add(
    tx: &impl ConnectionTrait,
    workflow: &Workflow,
    definition: &Value,
    created_by: Option<Uuid>,
    change_summary: Option<String>,
) -> Result<()> {
    if let Some(summary) = &change_summary {
        text::refuse_nul("change_summary", summary)?;
    }
    let insert = Query::insert()
        .into_table(workflow_versions::Entity)
        .columns([
            workflow_versions::Column::Id,
            workflow_versions::Column::OrganizationId,
            workflow_versions::Column::WorkflowId,
            workflow_versions::Column::Version,
            workflow_versions::Column::Definition,
            workflow_versions::Column::ChangeSummary,
            workflow_versions::Column::CreatedBy,
            workflow_versions::Column::CreatedAt,
        ])
        .values_panic([
            Expr::value(ids::new_id()),
            Expr::value(workflow.organization_id),
            Expr::value(workflow.id),
            Expr::value(workflow.version),
            backend::json::as_written(tx.get_database_backend(), definition),
            Expr::value(change_summary),
            Expr::value(created_by),
            Expr::value(workflow.updated_at),
        ])
        .to_owned();
    tx.execute(&insert).await?;
    Ok(())
}

/// A version of a workflow.
///
/// # Errors
/// Those of the database.
pub async fn find(
    db: &impl ConnectionTrait,
    organization_id: Uuid,
    workflow_id: Uuid,
    version: i64,
) -> Result<Option<WorkflowVersion>> {
    Ok(workflow_versions::Entity::find()
        .filter(workflow_versions::Column::WorkflowId.eq(workflow_id))
        .filter(workflow_versions::Column::Version.eq(version))
        .filter(workflow_versions::Column::OrganizationId.eq(organization_id))
        .one(db)
        .await?)
}

/// The versions of a workflow, the newest first.
///
/// # Errors
/// Those of the database.
pub async fn list(
    db: &impl ConnectionTrait,
    organization_id: Uuid,
    workflow_id: Uuid,
    page: PageRequest,
) -> Result<Page<VersionSummary>> {
    let select = workflow_versions::Entity::find()
        .select_only()
        .columns([
            workflow_versions::Column::Id,
            workflow_versions::Column::WorkflowId,
            workflow_versions::Column::Version,
            workflow_versions::Column::ChangeSummary,
            workflow_versions::Column::CreatedBy,
            workflow_versions::Column::CreatedAt,
        ])
        .filter(workflow_versions::Column::WorkflowId.eq(workflow_id))
        .filter(workflow_versions::Column::OrganizationId.eq(organization_id));
    let rows = page
        .apply(
            select,
            workflow_versions::Column::CreatedAt,
            workflow_versions::Column::Id,
            Direction::NewestFirst,
        )
        .into_model::<VersionSummary>()
        .all(db)
        .await?;
    Ok(page.page(rows, |version| Cursor::new(version.created_at, version.id)))
}
