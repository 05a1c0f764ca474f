//! Something worth knowing that was found in a report.
//!
//! Generated from the migrations; do not edit.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

/// Something worth knowing that was found in a report.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize, Deserialize)]
#[sea_orm(table_name = "insights")]
pub struct Model {
    /// Primary key, a UUIDv7 made by the application: ids sort by the time of their making.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The organization that owns the row.
    pub organization_id: Uuid,
    /// The report.
    pub report_id: Uuid,
    /// What kind of insight it is.
    #[sea_orm(column_type = "Text")]
    pub insight_type: String,
    /// What it says.
    #[sea_orm(column_type = "JsonBinary")]
    pub content: Json,
    /// How good it is, from 0 to 100.
    pub score: Option<i64>,
    /// Anything else about it.
    #[sea_orm(column_type = "JsonBinary")]
    pub metadata: Json,
    /// When the row was made.
    pub created_at: DateTimeWithTimeZone,
    /// The rows of `insight_distributions` that refer to this one.
    #[sea_orm(has_many)]
    pub insight_distributions: HasMany<super::insight_distributions::Entity>,
    /// The row that `organization_id` refers to.
    #[sea_orm(
        belongs_to,
        from = "organization_id",
        to = "id",
        on_update = "NoAction",
        on_delete = "Cascade"
    )]
    pub organizations: BelongsTo<super::organizations::Entity>,
    /// The row that `report_id` refers to.
    #[sea_orm(belongs_to, from = "report_id", to = "id", on_update = "NoAction", on_delete = "Cascade")]
    pub reports: BelongsTo<super::reports::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
