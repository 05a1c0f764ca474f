//! A vendor's report, taken in and read.
//!
//! Generated from the migrations; do not edit.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

/// A vendor's report, taken in and read.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize, Deserialize)]
#[sea_orm(table_name = "reports")]
pub struct Model {
    /// Primary key, a UUIDv7 made by the application: ids sort by the time of their making.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The organization that owns the row.
    pub organization_id: Uuid,
    /// Who made the row; null once that user is deleted.
    pub user_id: Option<Uuid>,
    /// Whose report it is.
    #[sea_orm(column_type = "Text")]
    pub vendor: String,
    /// What kind of report it is.
    #[sea_orm(column_type = "Text")]
    pub report_type: String,
    /// The day it is about.
    pub report_date: DateTimeWithTimeZone,
    /// Where the file lay when it was taken in.
    #[sea_orm(column_type = "Text", nullable)]
    pub file_path: Option<String>,
    /// The file as Tidemill keeps it.
    pub file_id: Option<Uuid>,
    /// What was read from it.
    #[sea_orm(column_type = "JsonBinary")]
    pub report_data: Json,
    /// Anything else about it.
    #[sea_orm(column_type = "JsonBinary")]
    pub metadata: Json,
    /// When the row was made.
    pub created_at: DateTimeWithTimeZone,
    /// When the row was last changed; written by the application.
    pub updated_at: DateTimeWithTimeZone,
    /// The row that `file_id` refers to.
    #[sea_orm(belongs_to, from = "file_id", to = "id", on_update = "NoAction", on_delete = "SetNull")]
    pub files: BelongsTo<Option<super::files::Entity>>,
    /// The rows of `insights` that refer to this one.
    #[sea_orm(has_many)]
    pub insights: HasMany<super::insights::Entity>,
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
