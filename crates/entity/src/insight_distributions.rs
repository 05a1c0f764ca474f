//! An insight on its way to one reader.
//!
//! Generated from the migrations; do not edit.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

/// An insight on its way to one reader.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize, Deserialize)]
#[sea_orm(table_name = "insight_distributions")]
pub struct Model {
    /// Primary key, a UUIDv7 made by the application: ids sort by the time of their making.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The organization that owns the row.
    pub organization_id: Uuid,
    /// The insight.
    pub insight_id: Uuid,
    /// What kind of reader, such as `executive`.
    #[sea_orm(column_type = "Text")]
    pub recipient_type: String,
    /// Which reader.
    #[sea_orm(column_type = "Text")]
    pub recipient_id: String,
    /// How it is sent, such as `email`.
    #[sea_orm(column_type = "Text")]
    pub distribution_method: String,
    /// pending, sent or failed.
    #[sea_orm(column_type = "Text")]
    pub status: String,
    /// When it was sent.
    pub sent_at: Option<DateTimeWithTimeZone>,
    /// When the row was made.
    pub created_at: DateTimeWithTimeZone,
    /// The row that `insight_id` refers to.
    #[sea_orm(belongs_to, from = "insight_id", to = "id", on_update = "NoAction", on_delete = "Cascade")]
    pub insights: BelongsTo<super::insights::Entity>,
    /// The row that `organization_id` refers to.
    #[sea_orm(
        belongs_to,
        from = "organization_id",
        to = "id",
        on_update = "NoAction",
        on_delete = "Cascade"
    )]
    pub organizations: BelongsTo<super::organizations::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
