//! A part of an agent's work: a stretch of the recording and the actions learned from it.
//!
//! Generated from the migrations; do not edit.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

/// A part of an agent's work: a stretch of the recording and the actions learned from it.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize, Deserialize)]
#[sea_orm(table_name = "agent_chunks")]
pub struct Model {
    /// Primary key, a UUIDv7 made by the application: ids sort by the time of their making.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The organization that owns the row.
    pub organization_id: Uuid,
    /// The agent.
    pub agent_id: Uuid,
    /// Its place in the agent's work, from 0.
    pub order_index: i64,
    /// Where it starts in the recording.
    #[sea_orm(column_type = "Text", nullable)]
    pub start_time: Option<String>,
    /// Where it ends in the recording.
    #[sea_orm(column_type = "Text", nullable)]
    pub end_time: Option<String>,
    /// The user's name for it.
    #[sea_orm(column_type = "Text", nullable)]
    pub name: Option<String>,
    /// not_started, running, completed, failed, skipped or needs_review.
    #[sea_orm(column_type = "Text")]
    pub status: String,
    /// An array of the actions, learned or recorded by hand.
    #[sea_orm(column_type = "JsonBinary")]
    pub learned_actions: Json,
    /// What went wrong the last time: message, time, screenshot.
    #[sea_orm(column_type = "JsonBinary", nullable)]
    pub error_details: Option<Json>,
    /// When the row was made.
    pub created_at: DateTimeWithTimeZone,
    /// When the row was last changed; written by the application.
    pub updated_at: DateTimeWithTimeZone,
    /// The row that `agent_id` refers to.
    #[sea_orm(belongs_to, from = "agent_id", to = "id", on_update = "NoAction", on_delete = "Cascade")]
    pub agents: BelongsTo<super::agents::Entity>,
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
