//! One look at one service. The latest row of a service is its present state.
//!
//! Generated from the migrations; do not edit.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

/// One look at one service. The latest row of a service is its present state.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize, Deserialize)]
#[sea_orm(table_name = "health_checks")]
pub struct Model {
    /// Primary key, a UUIDv7 made by the application: ids sort by the time of their making.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Which service, stable for programs.
    #[sea_orm(column_type = "Text")]
    pub service_name: String,
    /// The name to show.
    #[sea_orm(column_type = "Text")]
    pub display_name: String,
    /// healthy, degraded or down.
    #[sea_orm(column_type = "Text")]
    pub status: String,
    /// How long the service took to answer.
    pub response_time_ms: Option<i64>,
    /// The state in a sentence.
    #[sea_orm(column_type = "Text", nullable)]
    pub message: Option<String>,
    /// More about it, for people.
    #[sea_orm(column_type = "Text", nullable)]
    pub details: Option<String>,
    /// What went wrong, if it did.
    #[sea_orm(column_type = "Text", nullable)]
    pub error_message: Option<String>,
    /// More about it, for programs.
    #[sea_orm(column_type = "JsonBinary")]
    pub metadata: Json,
    /// When the look was taken.
    pub checked_at: DateTimeWithTimeZone,
    /// When the row was made.
    pub created_at: DateTimeWithTimeZone,
}

impl ActiveModelBehavior for ActiveModel {}
