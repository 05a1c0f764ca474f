//! An e-mail that Tidemill sends.
//!
//! Generated from the migrations; do not edit.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

/// An e-mail that Tidemill sends.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize, Deserialize)]
#[sea_orm(table_name = "emails")]
pub struct Model {
    /// Primary key, a UUIDv7 made by the application: ids sort by the time of their making.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The organization that owns the row.
    pub organization_id: Uuid,
    /// Who made the row; null once that user is deleted.
    pub user_id: Option<Uuid>,
    /// The subject.
    #[sea_orm(column_type = "Text")]
    pub subject: String,
    /// The text.
    #[sea_orm(column_type = "Text")]
    pub body: String,
    /// An array of addresses.
    #[sea_orm(column_type = "JsonBinary")]
    pub recipients: Json,
    /// An array of files.
    #[sea_orm(column_type = "JsonBinary")]
    pub attachments: Json,
    /// draft, queued, sent or failed.
    #[sea_orm(column_type = "Text")]
    pub status: String,
    /// When it was sent.
    pub sent_at: Option<DateTimeWithTimeZone>,
    /// When the row was made.
    pub created_at: DateTimeWithTimeZone,
    /// The rows of `email_queue` that refer to this one.
    #[sea_orm(has_many)]
    pub email_queues: HasMany<super::email_queue::Entity>,
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
