//! A demo with an agent that talks to its visitors.
//!
//! Generated from the migrations; do not edit.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

/// A demo with an agent that talks to its visitors.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize, Deserialize)]
#[sea_orm(table_name = "demos")]
pub struct Model {
    /// Primary key, a UUIDv7 made by the application: ids sort by the time of their making.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The organization that owns the row.
    pub organization_id: Uuid,
    /// Who made the row; null once that user is deleted.
    pub user_id: Option<Uuid>,
    /// The name to show.
    #[sea_orm(column_type = "Text")]
    pub name: String,
    /// What it shows.
    #[sea_orm(column_type = "Text", nullable)]
    pub description: Option<String>,
    /// The name of its agent.
    #[sea_orm(column_type = "Text")]
    pub agent_name: String,
    /// How the agent speaks.
    #[sea_orm(column_type = "Text")]
    pub agent_personality: String,
    /// What the agent says first.
    #[sea_orm(column_type = "Text")]
    pub agent_greeting: String,
    /// The words of the call to action.
    #[sea_orm(column_type = "Text", nullable)]
    pub cta_text: Option<String>,
    /// Where the call to action leads.
    #[sea_orm(column_type = "Text", nullable)]
    pub cta_link: Option<String>,
    /// draft, published or archived.
    #[sea_orm(column_type = "Text")]
    pub status: String,
    /// Where visitors find it.
    #[sea_orm(column_type = "Text", nullable)]
    pub published_url: Option<String>,
    /// The persona at the video service.
    #[sea_orm(column_type = "Text", nullable)]
    pub tavus_persona_id: Option<String>,
    /// The conversation there that is going on.
    #[sea_orm(column_type = "Text", nullable)]
    pub tavus_conversation_id: Option<String>,
    /// Where its videos are in the file store.
    #[sea_orm(column_type = "Text")]
    pub video_storage_path: String,
    /// Its other settings.
    #[sea_orm(column_type = "JsonBinary")]
    pub metadata: Json,
    /// When the row was made.
    pub created_at: DateTimeWithTimeZone,
    /// When the row was last changed; written by the application.
    pub updated_at: DateTimeWithTimeZone,
    /// The rows of `conversation_messages` that refer to this one.
    #[sea_orm(has_many)]
    pub conversation_messages: HasMany<super::conversation_messages::Entity>,
    /// The rows of `demo_videos` that refer to this one.
    #[sea_orm(has_many)]
    pub demo_videos: HasMany<super::demo_videos::Entity>,
    /// The rows of `knowledge_chunks` that refer to this one.
    #[sea_orm(has_many)]
    pub knowledge_chunks: HasMany<super::knowledge_chunks::Entity>,
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
}

impl ActiveModelBehavior for ActiveModel {}
