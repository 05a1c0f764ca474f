//! Something that was said in a demo's conversation.
//!
//! Generated from the migrations; do not edit.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

/// Something that was said in a demo's conversation.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, Serialize, Deserialize)]
#[sea_orm(table_name = "conversation_messages")]
pub struct Model {
    /// Primary key, a UUIDv7 made by the application: ids sort by the time of their making.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The organization that owns the row.
    pub organization_id: Uuid,
    /// The demo, once it is known.
    pub demo_id: Option<Uuid>,
    /// The conversation at the video service.
    #[sea_orm(column_type = "Text")]
    pub conversation_id: String,
    /// The message there.
    #[sea_orm(column_type = "Text", nullable)]
    pub message_id: Option<String>,
    /// Who speaks: user, assistant or system.
    #[sea_orm(column_type = "Text")]
    pub role: String,
    /// What is said.
    #[sea_orm(column_type = "Text", nullable)]
    pub content: Option<String>,
    /// How many characters that is.
    pub content_length: Option<i64>,
    /// When it was said.
    pub timestamp: Option<DateTimeWithTimeZone>,
    /// The mood it was said in.
    #[sea_orm(column_type = "Text", nullable)]
    pub sentiment: Option<String>,
    /// What the speaker wants.
    #[sea_orm(column_type = "Text", nullable)]
    pub intent: Option<String>,
    /// How sure that reading is, from 0 to 1.
    #[sea_orm(column_type = "Double", nullable)]
    pub confidence: Option<f64>,
    /// When the row was made.
    pub created_at: DateTimeWithTimeZone,
    /// The row that `demo_id` refers to.
    #[sea_orm(belongs_to, from = "demo_id", to = "id", on_update = "NoAction", on_delete = "Cascade")]
    pub demos: BelongsTo<Option<super::demos::Entity>>,
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
