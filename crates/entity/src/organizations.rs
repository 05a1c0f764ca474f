//! A tenant: the owner of all work. Every user has a personal one from sign-up.
//!
//! Generated from the migrations; do not edit.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

/// A tenant: the owner of all work. Every user has a personal one from sign-up.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize, Deserialize)]
#[sea_orm(table_name = "organizations")]
pub struct Model {
    /// Primary key, a UUIDv7 made by the application: ids sort by the time of their making.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The name to show.
    #[sea_orm(column_type = "Text")]
    pub name: String,
    /// The name in addresses.
    #[sea_orm(column_type = "Text", unique)]
    pub slug: String,
    /// Whether it is a user's own and goes with that user.
    pub is_personal: bool,
    /// How many executions may run at once; null for no limit of its own.
    pub max_concurrency: Option<i64>,
    /// Settings of the whole organization.
    #[sea_orm(column_type = "JsonBinary")]
    pub settings: Json,
    /// When the row was made.
    pub created_at: DateTimeWithTimeZone,
    /// When the row was last changed; written by the application.
    pub updated_at: DateTimeWithTimeZone,
    /// The rows of `agent_chunks` that refer to this one.
    #[sea_orm(has_many)]
    pub agent_chunks: HasMany<super::agent_chunks::Entity>,
    /// The rows of `agents` that refer to this one.
    #[sea_orm(has_many)]
    pub agents: HasMany<super::agents::Entity>,
    /// The rows of `api_keys` that refer to this one.
    #[sea_orm(has_many)]
    pub api_keys: HasMany<super::api_keys::Entity>,
    /// The rows of `audit_logs` that refer to this one.
    #[sea_orm(has_many)]
    pub audit_logs: HasMany<super::audit_logs::Entity>,
    /// The rows of `chat_messages` that refer to this one.
    #[sea_orm(has_many)]
    pub chat_messages: HasMany<super::chat_messages::Entity>,
    /// The rows of `chat_sessions` that refer to this one.
    #[sea_orm(has_many)]
    pub chat_sessions: HasMany<super::chat_sessions::Entity>,
    /// The rows of `conversation_messages` that refer to this one.
    #[sea_orm(has_many)]
    pub conversation_messages: HasMany<super::conversation_messages::Entity>,
    /// The rows of `demo_videos` that refer to this one.
    #[sea_orm(has_many)]
    pub demo_videos: HasMany<super::demo_videos::Entity>,
    /// The rows of `demos` that refer to this one.
    #[sea_orm(has_many)]
    pub demos: HasMany<super::demos::Entity>,
    /// The rows of `email_queue` that refer to this one.
    #[sea_orm(has_many)]
    pub email_queues: HasMany<super::email_queue::Entity>,
    /// The rows of `emails` that refer to this one.
    #[sea_orm(has_many)]
    pub emails: HasMany<super::emails::Entity>,
    /// The rows of `executions` that refer to this one.
    #[sea_orm(has_many)]
    pub executions: HasMany<super::executions::Entity>,
    /// The rows of `files` that refer to this one.
    #[sea_orm(has_many)]
    pub files: HasMany<super::files::Entity>,
    /// The rows of `insight_distributions` that refer to this one.
    #[sea_orm(has_many)]
    pub insight_distributions: HasMany<super::insight_distributions::Entity>,
    /// The rows of `insights` that refer to this one.
    #[sea_orm(has_many)]
    pub insights: HasMany<super::insights::Entity>,
    /// The rows of `integrations` that refer to this one.
    #[sea_orm(has_many)]
    pub integrations: HasMany<super::integrations::Entity>,
    /// The rows of `knowledge_chunks` that refer to this one.
    #[sea_orm(has_many)]
    pub knowledge_chunks: HasMany<super::knowledge_chunks::Entity>,
    /// The rows of `organization_members` that refer to this one.
    #[sea_orm(has_many)]
    pub organization_members: HasMany<super::organization_members::Entity>,
    /// The rows of `reports` that refer to this one.
    #[sea_orm(has_many)]
    pub reports: HasMany<super::reports::Entity>,
    /// The rows of `schedules` that refer to this one.
    #[sea_orm(has_many)]
    pub schedules: HasMany<super::schedules::Entity>,
    /// The rows of `sessions` that refer to this one.
    #[sea_orm(has_many)]
    pub sessions: HasMany<super::sessions::Entity>,
    /// The rows of `webhook_events` that refer to this one.
    #[sea_orm(has_many)]
    pub webhook_events: HasMany<super::webhook_events::Entity>,
    /// The rows of `webhooks` that refer to this one.
    #[sea_orm(has_many)]
    pub webhooks: HasMany<super::webhooks::Entity>,
    /// The rows of `workflow_steps` that refer to this one.
    #[sea_orm(has_many)]
    pub workflow_steps: HasMany<super::workflow_steps::Entity>,
    /// The rows of `workflow_templates` that refer to this one.
    #[sea_orm(has_many)]
    pub workflow_templates: HasMany<super::workflow_templates::Entity>,
    /// The rows of `workflow_versions` that refer to this one.
    #[sea_orm(has_many)]
    pub workflow_versions: HasMany<super::workflow_versions::Entity>,
    /// The rows of `workflows` that refer to this one.
    #[sea_orm(has_many)]
    pub workflows: HasMany<super::workflows::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
