//! A set-up for an integration to start from. Comes with Tidemill.
//!
//! Generated from the migrations; do not edit.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

/// A set-up for an integration to start from. Comes with Tidemill.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize, Deserialize)]
#[sea_orm(table_name = "integration_templates")]
pub struct Model {
    /// Primary key, a UUIDv7 made by the application: ids sort by the time of their making.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The connector.
    #[sea_orm(column_type = "Text", unique_key = "uq_integration_templates_service_name_template_name")]
    pub service_name: String,
    /// The name to show.
    #[sea_orm(column_type = "Text", unique_key = "uq_integration_templates_service_name_template_name")]
    pub template_name: String,
    /// What it is for.
    #[sea_orm(column_type = "Text", nullable)]
    pub description: Option<String>,
    /// The configuration that it fills in.
    #[sea_orm(column_type = "JsonBinary")]
    pub configuration: Json,
    /// An array of the OAuth scopes that it needs.
    #[sea_orm(column_type = "JsonBinary", nullable)]
    pub required_scopes: Option<Json>,
    /// What the user has to do, in Markdown.
    #[sea_orm(column_type = "Text", nullable)]
    pub setup_guide: Option<String>,
    /// Whether it is offered.
    pub is_active: bool,
    /// When the row was made.
    pub created_at: DateTimeWithTimeZone,
}

impl ActiveModelBehavior for ActiveModel {}
