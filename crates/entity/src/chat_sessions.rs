//! A conversation with the assistant.
//!
//! Generated from the migrations; do not edit.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

/// A conversation with the assistant.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize, Deserialize)]
#[sea_orm(table_name = "chat_sessions")]
pub struct Model {
    /// Primary key, a UUIDv7 made by the application: ids sort by the time of their making.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The organization that owns the row.
    pub organization_id: Uuid,
    /// Who made the row; null once that user is deleted.
    pub user_id: Option<Uuid>,
    /// The name to show.
    #[sea_orm(column_type = "Text", nullable)]
    pub session_name: Option<String>,
    /// What it is about: workflow_creation, help, troubleshooting.
    #[sea_orm(column_type = "Text", nullable)]
    pub intent: Option<String>,
    /// What the assistant keeps in mind.
    #[sea_orm(column_type = "JsonBinary")]
    pub context: Json,
    /// active, completed or abandoned.
    #[sea_orm(column_type = "Text")]
    pub status: String,
    /// The workflow that came of it.
    pub workflow_id: Option<Uuid>,
    /// When the row was made.
    pub created_at: DateTimeWithTimeZone,
    /// When the row was last changed; written by the application.
    pub updated_at: DateTimeWithTimeZone,
    /// The rows of `chat_messages` that refer to this one.
    #[sea_orm(has_many)]
    pub chat_messages: HasMany<super::chat_messages::Entity>,
    /// The row that `organization_id` refers to.
    #[sea_orm(
        belongs_to,
        from = "organization_id",
        to = "id",
        on_update = "NoAction",
        on_delete = "Cascade"
    )]
    pub organizations: BelongsTo<super::organizations::Entity>,
    /// The row that `user_id` refers to.
    #[sea_orm(belongs_to, from = "user_id", to = "id", on_update = "NoAction", on_delete = "SetNull")]
    pub users: BelongsTo<Option<super::users::Entity>>,
    /// The row that `workflow_id` refers to.
    #[sea_orm(belongs_to, from = "workflow_id", to = "id", on_update = "NoAction", on_delete = "SetNull")]
    pub workflows: BelongsTo<Option<super::workflows::Entity>>,
}

impl ActiveModelBehavior for ActiveModel {}
