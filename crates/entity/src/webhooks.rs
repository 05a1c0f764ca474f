//! An address that starts a workflow when it is called.
//!
//! Generated from the migrations; do not edit.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

/// An address that starts a workflow when it is called.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize, Deserialize)]
#[sea_orm(table_name = "webhooks")]
pub struct Model {
    /// Primary key, a UUIDv7 made by the application: ids sort by the time of their making.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The organization that owns the row.
    pub organization_id: Uuid,
    /// The workflow to run.
    pub workflow_id: Uuid,
    /// Who made the row; null once that user is deleted.
    pub user_id: Option<Uuid>,
    /// The trigger node it was derived from; null for one that was made by hand.
    #[sea_orm(column_type = "Text", nullable)]
    pub node_id: Option<String>,
    /// The part of the address after `/webhooks/`, unique in the installation.
    #[sea_orm(column_type = "Text", unique)]
    pub path: String,
    /// The signing secret, encrypted; null if no signature is asked for.
    #[sea_orm(column_type = "Blob", nullable)]
    pub secret_encrypted: Option<Vec<u8>>,
    /// How calls are signed: none, standard (Standard Webhooks) or github.
    #[sea_orm(column_type = "Text")]
    pub signature_scheme: String,
    /// How old a signed timestamp may be.
    pub tolerance_secs: i64,
    /// How long a repeated event is known as a repeat.
    pub dedup_window_secs: i64,
    /// The header that names the event, if not the one of the scheme.
    #[sea_orm(column_type = "Text", nullable)]
    pub dedup_header: Option<String>,
    /// The HTTP method it answers to, or ANY.
    #[sea_orm(column_type = "Text")]
    pub method: String,
    /// When the caller is answered: immediate, last_node or respond_node.
    #[sea_orm(column_type = "Text")]
    pub response_mode: String,
    /// The largest body it takes; null for the installation's default.
    pub max_body_bytes: Option<i64>,
    /// Whether it takes calls.
    pub is_active: bool,
    /// The latest call that started an execution.
    pub last_triggered_at: Option<DateTimeWithTimeZone>,
    /// How many executions it started.
    pub trigger_count: i64,
    /// When the row was made.
    pub created_at: DateTimeWithTimeZone,
    /// When the row was last changed; written by the application.
    pub updated_at: DateTimeWithTimeZone,
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
    /// The row that `user_id` refers to.
    #[sea_orm(belongs_to, from = "user_id", to = "id", on_update = "NoAction", on_delete = "SetNull")]
    pub users: BelongsTo<Option<super::users::Entity>>,
    /// The rows of `webhook_events` that refer to this one.
    #[sea_orm(has_many)]
    pub webhook_events: HasMany<super::webhook_events::Entity>,
    /// The row that `workflow_id` refers to.
    #[sea_orm(belongs_to, from = "workflow_id", to = "id", on_update = "NoAction", on_delete = "Cascade")]
    pub workflows: BelongsTo<super::workflows::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
