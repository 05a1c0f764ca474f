//! One attempt at one run of a node in an execution, with what went in and what came out.
//!
//! Generated from the migrations; do not edit.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

/// One attempt at one run of a node in an execution, with what went in and what came out.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize, Deserialize)]
#[sea_orm(table_name = "execution_steps")]
pub struct Model {
    /// Primary key, a UUIDv7 made by the application: ids sort by the time of their making.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The organization that owns the row.
    pub organization_id: Uuid,
    /// The execution.
    #[sea_orm(unique_key = "uq_execution_steps_execution_id_node_id_run_index_attempt")]
    pub execution_id: Uuid,
    /// The node in the definition.
    #[sea_orm(
        column_type = "Text",
        unique_key = "uq_execution_steps_execution_id_node_id_run_index_attempt"
    )]
    pub node_id: String,
    /// Its name.
    #[sea_orm(column_type = "Text")]
    pub node_name: String,
    /// Its type.
    #[sea_orm(column_type = "Text")]
    pub node_type: String,
    /// Which run of the node in this execution, from 0; more than one in a loop.
    #[sea_orm(unique_key = "uq_execution_steps_execution_id_node_id_run_index_attempt")]
    pub run_index: i64,
    /// Which attempt at that run, from 1.
    #[sea_orm(unique_key = "uq_execution_steps_execution_id_node_id_run_index_attempt")]
    pub attempt: i64,
    /// Its place in the order in which steps were started.
    pub sequence: i64,
    /// running, completed, failed, waiting or cancelled.
    #[sea_orm(column_type = "Text")]
    pub status: String,
    /// Where its items came from, per input: node, run and output, not the items again.
    pub input_data: Option<Json>,
    /// Its items, one array per output.
    pub output_data: Option<Json>,
    /// Why it failed.
    pub error: Option<Json>,
    /// What the node keeps between its runs in a loop.
    pub context: Option<Json>,
    /// When a waiting step goes on by itself.
    pub resume_at: Option<DateTimeWithTimeZone>,
    /// SHA-256 of the token that resumes a waiting step by a call, in hex.
    #[sea_orm(column_type = "Text", nullable)]
    pub resume_token_hash: Option<String>,
    /// The sub-workflow that it waits for.
    pub child_execution_id: Option<Uuid>,
    /// When it started.
    pub started_at: DateTimeWithTimeZone,
    /// When it ended.
    pub completed_at: Option<DateTimeWithTimeZone>,
    /// From start to end.
    pub duration_ms: Option<i64>,
    /// The row that `execution_id` refers to.
    #[sea_orm(belongs_to, from = "execution_id", to = "id", on_update = "NoAction", on_delete = "Cascade")]
    pub executions: BelongsTo<super::executions::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
