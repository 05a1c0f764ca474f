//! A line that an execution wrote about itself.
//!
//! Generated from the migrations; do not edit.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

/// A line that an execution wrote about itself.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize, Deserialize)]
#[sea_orm(table_name = "execution_logs")]
pub struct Model {
    /// Primary key, a UUIDv7 made by the application: ids sort by the time of their making.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The organization that owns the row.
    pub organization_id: Uuid,
    /// The execution.
    pub execution_id: Uuid,
    /// The step that wrote it.
    pub step_id: Option<Uuid>,
    /// The node that wrote it.
    #[sea_orm(column_type = "Text", nullable)]
    pub node_id: Option<String>,
    /// The type of that node.
    #[sea_orm(column_type = "Text", nullable)]
    pub node_type: Option<String>,
    /// debug, info, warn or error.
    #[sea_orm(column_type = "Text")]
    pub level: String,
    /// What it says.
    #[sea_orm(column_type = "Text")]
    pub message: String,
    /// More about it, for programs.
    pub data: Option<Json>,
    /// When it was written.
    pub timestamp: DateTimeWithTimeZone,
    /// The row that `execution_id` refers to.
    #[sea_orm(belongs_to, from = "execution_id", to = "id", on_update = "NoAction", on_delete = "Cascade")]
    pub executions: BelongsTo<super::executions::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
