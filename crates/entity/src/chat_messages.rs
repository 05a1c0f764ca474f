//! One message of a chat session.
//!
//! Generated from the migrations; do not edit.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

/// One message of a chat session.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize, Deserialize)]
#[sea_orm(table_name = "chat_messages")]
pub struct Model {
    /// Primary key, a UUIDv7 made by the application: ids sort by the time of their making.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The organization that owns the row.
    pub organization_id: Uuid,
    /// The session.
    pub session_id: Uuid,
    /// Who speaks: user, assistant or system.
    #[sea_orm(column_type = "Text")]
    pub role: String,
    /// What is said.
    #[sea_orm(column_type = "Text")]
    pub content: String,
    /// Model, tokens and the like.
    #[sea_orm(column_type = "JsonBinary")]
    pub metadata: Json,
    /// Its meaning as a vector: 32-bit floats, little-endian.
    #[sea_orm(column_type = "Blob", nullable)]
    pub embedding: Option<Vec<u8>>,
    /// When the row was made.
    pub created_at: DateTimeWithTimeZone,
    /// The row that `session_id` refers to.
    #[sea_orm(belongs_to, from = "session_id", to = "id", on_update = "NoAction", on_delete = "Cascade")]
    pub chat_sessions: BelongsTo<super::chat_sessions::Entity>,
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
