//! An event that came in, remembered so that a repeat of it starts nothing.
//!
//! Generated from the migrations; do not edit.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

/// An event that came in, remembered so that a repeat of it starts nothing.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize, Deserialize)]
#[sea_orm(table_name = "webhook_events")]
pub struct Model {
    /// Primary key, a UUIDv7 made by the application: ids sort by the time of their making.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The organization that owns the row.
    pub organization_id: Uuid,
    /// The webhook that was called; null for events of other sources.
    #[sea_orm(unique_key = "uq_webhook_events_webhook_id_event_hash")]
    pub webhook_id: Option<Uuid>,
    /// The sender's name for the event, or the hash of its body.
    #[sea_orm(column_type = "Text")]
    pub event_id: String,
    /// What kind of event it is.
    #[sea_orm(column_type = "Text")]
    pub event_type: String,
    /// The conversation that the event is about, for demos.
    #[sea_orm(column_type = "Text", nullable)]
    pub conversation_id: Option<String>,
    /// The event itself.
    pub event_data: Json,
    /// SHA-256 of the webhook's id and the event's id, in hex.
    #[sea_orm(column_type = "Text", unique)]
    pub event_hash: String,
    /// The execution that it started.
    pub execution_id: Option<Uuid>,
    /// When it was taken in.
    pub processed_at: DateTimeWithTimeZone,
    /// How long taking it in lasted.
    pub processing_duration_ms: Option<i64>,
    /// From when the same event counts as new.
    pub expires_at: DateTimeWithTimeZone,
    /// The row that `execution_id` refers to.
    #[sea_orm(belongs_to, from = "execution_id", to = "id", on_update = "NoAction", on_delete = "SetNull")]
    pub executions: BelongsTo<Option<super::executions::Entity>>,
    /// The row that `organization_id` refers to.
    #[sea_orm(
        belongs_to,
        from = "organization_id",
        to = "id",
        on_update = "NoAction",
        on_delete = "Cascade"
    )]
    pub organizations: BelongsTo<super::organizations::Entity>,
    /// The row that `webhook_id` refers to.
    #[sea_orm(belongs_to, from = "webhook_id", to = "id", on_update = "NoAction", on_delete = "Cascade")]
    pub webhooks: BelongsTo<Option<super::webhooks::Entity>>,
}

impl ActiveModelBehavior for ActiveModel {}
