//! A workflow to start from.
//!
//! Generated from the migrations; do not edit.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

/// A workflow to start from.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize, Deserialize)]
#[sea_orm(table_name = "workflow_templates")]
pub struct Model {
    /// Primary key, a UUIDv7 made by the application: ids sort by the time of their making.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The organization that made it; null for one that comes with Tidemill.
    pub organization_id: Option<Uuid>,
    /// The name to show.
    #[sea_orm(column_type = "Text")]
    pub name: String,
    /// What it does.
    #[sea_orm(column_type = "Text", nullable)]
    pub description: Option<String>,
    /// The shelf it stands on.
    #[sea_orm(column_type = "Text")]
    pub category: String,
    /// How much it asks of its user: beginner, intermediate or advanced.
    #[sea_orm(column_type = "Text")]
    pub difficulty: String,
    /// An array of the connectors that it needs.
    #[sea_orm(column_type = "JsonBinary")]
    pub required_integrations: Json,
    /// The whole definition of the workflow.
    #[sea_orm(column_type = "JsonBinary")]
    pub template_data: Json,
    /// Where its picture is.
    #[sea_orm(column_type = "Text", nullable)]
    pub preview_image: Option<String>,
    /// How many workflows were made from it.
    pub use_count: i64,
    /// Whether it is shown first.
    pub is_featured: bool,
    /// Who made it; null if it comes with Tidemill.
    pub created_by: Option<Uuid>,
    /// When the row was made.
    pub created_at: DateTimeWithTimeZone,
    /// When the row was last changed; written by the application.
    pub updated_at: DateTimeWithTimeZone,
    /// The row that `organization_id` refers to.
    #[sea_orm(
        belongs_to,
        from = "organization_id",
        to = "id",
        on_update = "NoAction",
        on_delete = "Cascade"
    )]
    pub organizations: BelongsTo<Option<super::organizations::Entity>>,
    /// The row that `created_by` refers to.
    #[sea_orm(belongs_to, from = "created_by", to = "id", on_update = "NoAction", on_delete = "SetNull")]
    pub users: BelongsTo<Option<super::users::Entity>>,
}

impl ActiveModelBehavior for ActiveModel {}
