//! A sign-in from a browser. The cookie holds the token, the row only its hash.
//!
//! Generated from the migrations; do not edit.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

/// A sign-in from a browser. The cookie holds the token, the row only its hash.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize, Deserialize)]
#[sea_orm(table_name = "sessions")]
pub struct Model {
    /// Primary key, a UUIDv7 made by the application: ids sort by the time of their making.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// SHA-256 of the token, in hex.
    #[sea_orm(column_type = "Text", unique)]
    pub token_hash: String,
    /// Who signed in.
    pub user_id: Uuid,
    /// The organization the user is working in.
    pub organization_id: Option<Uuid>,
    /// What the session remembers between requests.
    #[sea_orm(column_type = "JsonBinary")]
    pub data: Json,
    /// From where it was opened.
    #[sea_orm(column_type = "Text", nullable)]
    pub ip_address: Option<String>,
    /// By which browser it was opened.
    #[sea_orm(column_type = "Text", nullable)]
    pub user_agent: Option<String>,
    /// When the row was made.
    pub created_at: DateTimeWithTimeZone,
    /// The latest request.
    pub last_seen_at: DateTimeWithTimeZone,
    /// From when the session no longer counts.
    pub expires_at: DateTimeWithTimeZone,
    /// The row that `organization_id` refers to.
    #[sea_orm(
        belongs_to,
        from = "organization_id",
        to = "id",
        on_update = "NoAction",
        on_delete = "SetNull"
    )]
    pub organizations: BelongsTo<Option<super::organizations::Entity>>,
    /// The row that `user_id` refers to.
    #[sea_orm(belongs_to, from = "user_id", to = "id", on_update = "NoAction", on_delete = "Cascade")]
    pub users: BelongsTo<super::users::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
