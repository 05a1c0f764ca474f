//! One setting of a user, by key.
//!
//! Generated from the migrations; do not edit.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

/// One setting of a user, by key.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize, Deserialize)]
#[sea_orm(table_name = "user_preferences")]
pub struct Model {
    /// Primary key, a UUIDv7 made by the application: ids sort by the time of their making.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Whose setting it is.
    #[sea_orm(unique_key = "uq_user_preferences_user_id_preference_key")]
    pub user_id: Uuid,
    /// The name of the setting.
    #[sea_orm(column_type = "Text", unique_key = "uq_user_preferences_user_id_preference_key")]
    pub preference_key: String,
    /// Its value.
    #[sea_orm(column_type = "JsonBinary")]
    pub preference_value: Json,
    /// When the row was made.
    pub created_at: DateTimeWithTimeZone,
    /// When the row was last changed; written by the application.
    pub updated_at: DateTimeWithTimeZone,
    /// The row that `user_id` refers to.
    #[sea_orm(belongs_to, from = "user_id", to = "id", on_update = "NoAction", on_delete = "Cascade")]
    pub users: BelongsTo<super::users::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
