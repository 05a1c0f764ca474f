//! A video segment of a demo.
//!
//! Generated from the migrations; do not edit.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

/// A video segment of a demo.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize, Deserialize)]
#[sea_orm(table_name = "demo_videos")]
pub struct Model {
    /// Primary key, a UUIDv7 made by the application: ids sort by the time of their making.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The organization that owns the row.
    pub organization_id: Uuid,
    /// The demo.
    pub demo_id: Uuid,
    /// The name to show.
    #[sea_orm(column_type = "Text")]
    pub title: String,
    /// Where the video is in the file store.
    #[sea_orm(column_type = "Text")]
    pub storage_url: String,
    /// Its place in the demo, from 0.
    pub order_index: i64,
    /// Its length.
    pub duration_seconds: Option<i64>,
    /// How far its transcript is: pending, processing, completed or failed.
    #[sea_orm(column_type = "Text")]
    pub processing_status: String,
    /// What is said in it.
    #[sea_orm(column_type = "Text", nullable)]
    pub transcript: Option<String>,
    /// When the row was made.
    pub created_at: DateTimeWithTimeZone,
    /// When the row was last changed; written by the application.
    pub updated_at: DateTimeWithTimeZone,
    /// The row that `demo_id` refers to.
    #[sea_orm(belongs_to, from = "demo_id", to = "id", on_update = "NoAction", on_delete = "Cascade")]
    pub demos: BelongsTo<super::demos::Entity>,
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
