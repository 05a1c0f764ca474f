//! A workflow's definition as it was at one save. Never changed afterwards.
//!
//! Generated from the migrations; do not edit.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

/// A workflow's definition as it was at one save. Never changed afterwards.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize, Deserialize)]
#[sea_orm(table_name = "workflow_versions")]
pub struct Model {
    /// Primary key, a UUIDv7 made by the application: ids sort by the time of their making.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The organization that owns the row.
    pub organization_id: Uuid,
    /// The workflow.
    #[sea_orm(unique_key = "uq_workflow_versions_workflow_id_version")]
    pub workflow_id: Uuid,
    /// Its number, counted from 1 within the workflow.
    #[sea_orm(unique_key = "uq_workflow_versions_workflow_id_version")]
    pub version: i64,
    /// The definition as it was saved.
    pub definition: Json,
    /// What changed, in the words of who saved it.
    #[sea_orm(column_type = "Text", nullable)]
    pub change_summary: Option<String>,
    /// Who saved it; null once that user is deleted.
    pub created_by: Option<Uuid>,
    /// When the row was made.
    pub created_at: DateTimeWithTimeZone,
    /// The row that `organization_id` refers to.
    #[sea_orm(
        belongs_to,
        from = "organization_id",
        to = "id",
        on_update = "NoAction",
        on_delete = "Cascade"
    )]
    pub organizations: BelongsTo<super::organizations::Entity>,
    /// The row that `created_by` refers to.
    #[sea_orm(belongs_to, from = "created_by", to = "id", on_update = "NoAction", on_delete = "SetNull")]
    pub users: BelongsTo<Option<super::users::Entity>>,
    /// The row that `workflow_id` refers to.
    #[sea_orm(belongs_to, from = "workflow_id", to = "id", on_update = "NoAction", on_delete = "Cascade")]
    pub workflows: BelongsTo<super::workflows::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
