//! A user's account at a provider of social login.
//!
//! Generated from the migrations; do not edit.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

/// A user's account at a provider of social login.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize, Deserialize)]
#[sea_orm(table_name = "oauth_accounts")]
pub struct Model {
    /// Primary key, a UUIDv7 made by the application: ids sort by the time of their making.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Whose account it is.
    pub user_id: Uuid,
    /// The provider, such as `google`.
    #[sea_orm(column_type = "Text", unique_key = "uq_oauth_accounts_provider_provider_account_id")]
    pub provider: String,
    /// The provider's lasting name for the account.
    #[sea_orm(column_type = "Text", unique_key = "uq_oauth_accounts_provider_provider_account_id")]
    pub provider_account_id: String,
    /// The address that the provider gave.
    #[sea_orm(column_type = "Text", nullable)]
    pub email: Option<String>,
    /// The latest sign-in by this account.
    pub last_login_at: Option<DateTimeWithTimeZone>,
    /// When the row was made.
    pub created_at: DateTimeWithTimeZone,
    /// When the row was last changed; written by the application.
    pub updated_at: DateTimeWithTimeZone,
    /// The row that `user_id` refers to.
    #[sea_orm(belongs_to, from = "user_id", to = "id", on_update = "NoAction", on_delete = "Cascade")]
    pub users: BelongsTo<super::users::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
