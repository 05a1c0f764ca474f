//! Something that somebody did, kept for audits. Rows are only ever added.
//!
//! Generated from the migrations; do not edit.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

/// Something that somebody did, kept for audits. Rows are only ever added.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize, Deserialize)]
#[sea_orm(table_name = "audit_logs")]
pub struct Model {
    /// Primary key, a UUIDv7 made by the application: ids sort by the time of their making.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Where it happened; null outside any organization, such as a failed sign-in.
    pub organization_id: Option<Uuid>,
    /// Who did it; null for the system or an unknown caller.
    pub user_id: Option<Uuid>,
    /// What was done, such as `workflow.update`.
    #[sea_orm(column_type = "Text")]
    pub action: String,
    /// The kind of thing it was done to.
    #[sea_orm(column_type = "Text")]
    pub resource_type: String,
    /// Which one.
    pub resource_id: Option<Uuid>,
    /// More about it.
    #[sea_orm(column_type = "JsonBinary")]
    pub details: Json,
    /// The changed fields before.
    #[sea_orm(column_type = "JsonBinary", nullable)]
    pub old_values: Option<Json>,
    /// The changed fields after.
    #[sea_orm(column_type = "JsonBinary", nullable)]
    pub new_values: Option<Json>,
    /// From where it was done.
    #[sea_orm(column_type = "Text", nullable)]
    pub ip_address: Option<String>,
    /// By which program it was done.
    #[sea_orm(column_type = "Text", nullable)]
    pub user_agent: Option<String>,
    /// When the row was made.
    pub created_at: DateTimeWithTimeZone,
    /// The row that `organization_id` refers to.
    #[sea_orm(
        belongs_to,
        from = "organization_id",
        to = "id",
        on_update = "NoAction",
        on_delete = "SetNull"
    )]
    pub organizations: BelongsTo<Option<super::organizations::Entity>>,
    /// The row that `user_id` refers to.
    #[sea_orm(belongs_to, from = "user_id", to = "id", on_update = "NoAction", on_delete = "SetNull")]
    pub users: BelongsTo<Option<super::users::Entity>>,
}

impl ActiveModelBehavior for ActiveModel {}
