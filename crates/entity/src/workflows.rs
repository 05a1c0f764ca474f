//! A graph of nodes that does some work, as it is now; executions run one of its versions.
//!
//! Generated from the migrations; do not edit.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

/// A graph of nodes that does some work, as it is now; executions run one of its versions.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize, Deserialize)]
#[sea_orm(table_name = "workflows")]
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
    /// What it is for.
    #[sea_orm(column_type = "Text", nullable)]
    pub description: Option<String>,
    /// Nodes, edges, groups, settings and metadata, in React Flow's shape.
    #[sea_orm(column_type = "JsonBinary")]
    pub definition: Json,
    /// The current version; every save adds one.
    pub version: i64,
    /// draft: being made; active: its triggers fire; paused: they do not; archived: put away.
    #[sea_orm(column_type = "Text")]
    pub status: String,
    /// What starts it: manual, scheduled, webhook, email or event.
    #[sea_orm(column_type = "Text")]
    pub trigger_type: String,
    /// The parameters of the trigger.
    #[sea_orm(column_type = "JsonBinary")]
    pub trigger_config: Json,
    /// An array of words to sort workflows by.
    #[sea_orm(column_type = "JsonBinary")]
    pub tags: Json,
    /// Whether others may read and copy it.
    pub is_public: bool,
    /// How many executions have finished.
    pub total_executions: i64,
    /// How many of them completed.
    pub successful_executions: i64,
    /// How many of them failed.
    pub failed_executions: i64,
    /// The mean duration of finished executions.
    pub average_duration_ms: Option<i64>,
    /// When an execution last started.
    pub last_executed_at: Option<DateTimeWithTimeZone>,
    /// Whether a chat made it.
    pub created_from_chat: bool,
    /// How many of its executions may run at once; null for no limit of its own.
    pub concurrency_limit: Option<i64>,
    /// How long finished executions are kept; null for the installation's default.
    pub retention_days: Option<i64>,
    /// How many finished executions are kept; null for no such bound.
    pub retention_count: Option<i64>,
    /// The error of the latest execution that failed.
    #[sea_orm(column_type = "Text", nullable)]
    pub last_error: Option<String>,
    /// When the row was made.
    pub created_at: DateTimeWithTimeZone,
    /// When the row was last changed; written by the application.
    pub updated_at: DateTimeWithTimeZone,
    /// The chat that made it.
    pub chat_session_id: Option<Uuid>,
    /// The row that `chat_session_id` refers to.
    #[sea_orm(
        belongs_to,
        from = "chat_session_id",
        to = "id",
        on_update = "NoAction",
        on_delete = "SetNull"
    )]
    pub chat_sessions: BelongsTo<Option<super::chat_sessions::Entity>>,
    /// The rows of `executions` that refer to this one.
    #[sea_orm(has_many)]
    pub executions: HasMany<super::executions::Entity>,
    /// The row that `organization_id` refers to.
    #[sea_orm(
        belongs_to,
        from = "organization_id",
        to = "id",
        on_update = "NoAction",
        on_delete = "Cascade"
    )]
    pub organizations: BelongsTo<super::organizations::Entity>,
    /// The rows of `schedules` that refer to this one.
    #[sea_orm(has_many)]
    pub schedules: HasMany<super::schedules::Entity>,
    /// The row that `user_id` refers to.
    #[sea_orm(belongs_to, from = "user_id", to = "id", on_update = "NoAction", on_delete = "SetNull")]
    pub users: BelongsTo<Option<super::users::Entity>>,
    /// The rows of `webhooks` that refer to this one.
    #[sea_orm(has_many)]
    pub webhooks: HasMany<super::webhooks::Entity>,
    /// The rows of `workflow_steps` that refer to this one.
    #[sea_orm(has_many)]
    pub workflow_steps: HasMany<super::workflow_steps::Entity>,
    /// The rows of `workflow_versions` that refer to this one.
    #[sea_orm(has_many)]
    pub workflow_versions: HasMany<super::workflow_versions::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
