//! An e-mail that is to be sent, and how the attempts went.
//!
//! Generated from the migrations; do not edit.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

/// An e-mail that is to be sent, and how the attempts went.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize, Deserialize)]
#[sea_orm(table_name = "email_queue")]
pub struct Model {
    /// Primary key, a UUIDv7 made by the application: ids sort by the time of their making.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The organization that owns the row.
    pub organization_id: Uuid,
    /// The e-mail.
    pub email_id: Uuid,
    /// Higher goes first.
    pub priority: i64,
    /// How often sending was tried.
    pub attempts: i64,
    /// When it was last tried.
    pub last_attempt_at: Option<DateTimeWithTimeZone>,
    /// pending, sending, sent or failed.
    #[sea_orm(column_type = "Text")]
    pub status: String,
    /// What the latest attempt said, if it failed.
    #[sea_orm(column_type = "Text", nullable)]
    pub error: Option<String>,
    /// When the row was made.
    pub created_at: DateTimeWithTimeZone,
    /// When the row was last changed; written by the application.
    pub updated_at: DateTimeWithTimeZone,
    /// The row that `email_id` refers to.
    #[sea_orm(belongs_to, from = "email_id", to = "id", on_update = "NoAction", on_delete = "Cascade")]
    pub emails: BelongsTo<super::emails::Entity>,
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
