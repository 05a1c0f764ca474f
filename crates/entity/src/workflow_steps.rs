//! A node of a workflow's current version, derived from the definition at every save.
//!
//! Generated from the migrations; do not edit.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

/// A node of a workflow's current version, derived from the definition at every save.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize, Deserialize)]
#[sea_orm(table_name = "workflow_steps")]
pub struct Model {
    /// Primary key, a UUIDv7 made by the application: ids sort by the time of their making.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The organization that owns the row.
    pub organization_id: Uuid,
    /// The workflow.
    #[sea_orm(unique_key = "uq_workflow_steps_workflow_id_step_order")]
    pub workflow_id: Uuid,
    /// Its place in an order that respects the edges, from 0.
    #[sea_orm(unique_key = "uq_workflow_steps_workflow_id_step_order")]
    pub step_order: i64,
    /// The id of the node in the definition.
    #[sea_orm(column_type = "Text", unique_key = "uq_workflow_steps_workflow_id_node_id")]
    pub node_id: String,
    /// The name of the node.
    #[sea_orm(column_type = "Text")]
    pub node_name: String,
    /// The type of the node, such as `http_request`.
    #[sea_orm(column_type = "Text")]
    pub node_type: String,
    /// What it is to the flow: trigger, action, condition or delay.
    #[sea_orm(column_type = "Text")]
    pub step_type: String,
    /// The connector that it uses; `core` for none.
    #[sea_orm(column_type = "Text")]
    pub service_name: String,
    /// What it does with that connector.
    #[sea_orm(column_type = "Text")]
    pub action_name: String,
    /// The parameters of the node.
    #[sea_orm(column_type = "JsonBinary")]
    pub configuration: Json,
    /// When it runs, for a condition.
    #[sea_orm(column_type = "JsonBinary")]
    pub conditions: Json,
    /// What happens when it fails.
    #[sea_orm(column_type = "JsonBinary")]
    pub error_handling: Json,
    /// Whether it takes part.
    pub is_enabled: bool,
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
    /// The row that `workflow_id` refers to.
    #[sea_orm(belongs_to, from = "workflow_id", to = "id", on_update = "NoAction", on_delete = "Cascade")]
    pub workflows: BelongsTo<super::workflows::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
