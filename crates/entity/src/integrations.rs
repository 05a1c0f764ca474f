//! An organization's connection to a service, with its credentials encrypted.
//!
//! Generated from the migrations; do not edit.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

/// An organization's connection to a service, with its credentials encrypted.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize, Deserialize)]
#[sea_orm(table_name = "integrations")]
pub struct Model {
    /// Primary key, a UUIDv7 made by the application: ids sort by the time of their making.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The organization that owns the row.
    #[sea_orm(unique_key = "uq_integrations_organization_id_service_name_display_name")]
    pub organization_id: Uuid,
    /// Who made the row; null once that user is deleted.
    pub user_id: Option<Uuid>,
    /// The connector, such as `slack`.
    #[sea_orm(
        column_type = "Text",
        unique_key = "uq_integrations_organization_id_service_name_display_name"
    )]
    pub service_name: String,
    /// The user's name for it.
    #[sea_orm(
        column_type = "Text",
        unique_key = "uq_integrations_organization_id_service_name_display_name"
    )]
    pub display_name: String,
    /// Keys and tokens, refresh tokens too, encrypted together with their key's id.
    #[sea_orm(column_type = "Blob")]
    pub credentials_encrypted: Vec<u8>,
    /// Settings that are no secret, such as a default channel.
    #[sea_orm(column_type = "JsonBinary")]
    pub configuration: Json,
    /// active, inactive, error or expired.
    #[sea_orm(column_type = "Text")]
    pub status: String,
    /// When the access token ends; null if it does not.
    pub expires_at: Option<DateTimeWithTimeZone>,
    /// When the refresh token ends; null if it does not.
    pub refresh_token_expires_at: Option<DateTimeWithTimeZone>,
    /// When the connection was last tried.
    pub last_tested_at: Option<DateTimeWithTimeZone>,
    /// What the latest try said, if it failed.
    #[sea_orm(column_type = "Text", nullable)]
    pub error_message: Option<String>,
    /// What the service told about the account.
    #[sea_orm(column_type = "JsonBinary")]
    pub metadata: Json,
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
    #[sea_orm(belongs_to, from = "user_id", to = "id", on_update = "NoAction", on_delete = "SetNull")]
    pub users: BelongsTo<Option<super::users::Entity>>,
}

impl ActiveModelBehavior for ActiveModel {}
