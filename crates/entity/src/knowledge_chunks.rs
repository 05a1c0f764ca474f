//! A piece of what a demo's agent knows.
//!
//! Generated from the migrations; do not edit.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

/// A piece of what a demo's agent knows.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize, Deserialize)]
#[sea_orm(table_name = "knowledge_chunks")]
pub struct Model {
    /// Primary key, a UUIDv7 made by the application: ids sort by the time of their making.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The organization that owns the row.
    pub organization_id: Uuid,
    /// The demo.
    pub demo_id: Uuid,
    /// The text.
    #[sea_orm(column_type = "Text")]
    pub content: String,
    /// The question, if it is a pair of question and answer.
    #[sea_orm(column_type = "Text", nullable)]
    pub question: Option<String>,
    /// The answer to it.
    #[sea_orm(column_type = "Text", nullable)]
    pub answer: Option<String>,
    /// Where it is from.
    #[sea_orm(column_type = "Text", nullable)]
    pub source: Option<String>,
    /// Its meaning as a vector: 32-bit floats, little-endian.
    #[sea_orm(column_type = "Blob", nullable)]
    pub embedding: Option<Vec<u8>>,
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
