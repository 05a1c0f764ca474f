//! A key for programs. It is shown once, at its making; the row holds a hash.
//!
//! Generated from the migrations; do not edit.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

/// A key for programs. It is shown once, at its making; the row holds a hash.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize, Deserialize)]
#[sea_orm(table_name = "api_keys")]
pub struct Model {
    /// Primary key, a UUIDv7 made by the application: ids sort by the time of their making.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The organization that owns the row.
    #[sea_orm(unique_key = "uq_api_keys_organization_id_user_id_key_name")]
    pub organization_id: Uuid,
    /// For whom the key acts.
    #[sea_orm(unique_key = "uq_api_keys_organization_id_user_id_key_name")]
    pub user_id: Uuid,
    /// The user's name for it.
    #[sea_orm(column_type = "Text", unique_key = "uq_api_keys_organization_id_user_id_key_name")]
    pub key_name: String,
    /// The first characters, to tell keys apart.
    #[sea_orm(column_type = "Text")]
    pub key_prefix: String,
    /// SHA-256 of the whole key, in hex.
    #[sea_orm(column_type = "Text", unique)]
    pub key_hash: String,
    /// What the key may do: an array of permission names.
    #[sea_orm(column_type = "JsonBinary")]
    pub permissions: Json,
    /// The latest request with it.
    pub last_used_at: Option<DateTimeWithTimeZone>,
    /// How many requests were made with it.
    pub usage_count: i64,
    /// From when it no longer counts; null for never.
    pub expires_at: Option<DateTimeWithTimeZone>,
    /// Whether it counts at all.
    pub is_active: bool,
    /// When the row was made.
    pub created_at: DateTimeWithTimeZone,
    /// When the row was last changed; written by the application.
    pub updated_at: DateTimeWithTimeZone,
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
    #[sea_orm(belongs_to, from = "user_id", to = "id", on_update = "NoAction", on_delete = "Cascade")]
    pub users: BelongsTo<super::users::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
