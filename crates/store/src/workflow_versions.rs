//! Versions of workflows: each save leaves a copy of the definition, which never changes.

use chrono::{DateTime, Utc};
use entity::workflow_versions;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult, QueryFilter, QuerySelect};
use uuid::Uuid;

use crate::Result;
use crate::page::{Cursor, Direction, Page, PageRequest};

pub use entity::workflow_versions::Model as WorkflowVersion;

/// A version without its definition.
#[derive(Clone, Debug, PartialEq, Eq, FromQueryResult)]
#[expect(missing_docs, reason = "the fields are the columns of `entity::workflow_versions`, which documents them")]
pub struct VersionSummary {
    pub id: Uuid,
    pub workflow_id: Uuid,
    pub version: i64,
    pub change_summary: Option<String>,
    pub created_by: Option<Uuid>,
    pub created_at: DateTime<Utc>,
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
        .apply(select, workflow_versions::Column::CreatedAt, workflow_versions::Column::Id, Direction::NewestFirst)
        .into_model::<VersionSummary>()
        .all(db)
        .await?;
    Ok(page.page(rows, |version| Cursor::new(version.created_at, version.id)))
}
