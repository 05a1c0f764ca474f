//! One run of a workflow, from its trigger to exactly one final state.
//!
//! Generated from the migrations; do not edit.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

/// One run of a workflow, from its trigger to exactly one final state.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize, Deserialize)]
#[sea_orm(table_name = "executions")]
pub struct Model {
    /// Primary key, a UUIDv7 made by the application: ids sort by the time of their making.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The organization that owns the row.
    pub organization_id: Uuid,
    /// The workflow.
    pub workflow_id: Uuid,
    /// The version it runs, fixed when it was made.
    pub workflow_version: i64,
    /// Who started it, or who owns the trigger; null once that user is deleted.
    pub user_id: Option<Uuid>,
    /// pending, running, waiting; or finally completed, failed, cancelled.
    #[sea_orm(column_type = "Text")]
    pub status: String,
    /// What started it: manual, webhook, schedule, event, workflow or retry.
    #[sea_orm(column_type = "Text")]
    pub trigger_type: String,
    /// The trigger node it starts at; null for the workflow's only one.
    #[sea_orm(column_type = "Text", nullable)]
    pub trigger_node_id: Option<String>,
    /// What the trigger knew: the request, the occurrence, the caller.
    pub trigger_data: Json,
    /// The items it started with.
    pub input_data: Option<Json>,
    /// The items of its last nodes.
    pub output_data: Option<Json>,
    /// Why it failed.
    #[sea_orm(column_type = "Text", nullable)]
    pub error_message: Option<String>,
    /// Where it failed, as far as a stack is known.
    #[sea_orm(column_type = "Text", nullable)]
    pub error_stack: Option<String>,
    /// The kind of the error, stable for programs.
    #[sea_orm(column_type = "Text", nullable)]
    pub error_code: Option<String>,
    /// The node that failed.
    #[sea_orm(column_type = "Text", nullable)]
    pub error_node_id: Option<String>,
    /// The execution that called it as a sub-workflow.
    pub parent_execution_id: Option<Uuid>,
    /// The step of the parent that waits for it.
    pub parent_step_id: Option<Uuid>,
    /// The execution that it retries.
    pub origin_execution_id: Option<Uuid>,
    /// The schedule that fired.
    pub schedule_id: Option<Uuid>,
    /// The webhook that was called.
    pub webhook_id: Option<Uuid>,
    /// The occurrence of the schedule that it stands for.
    pub scheduled_for: Option<DateTimeWithTimeZone>,
    /// How many steps were started.
    pub total_steps: i64,
    /// How many of them completed.
    pub completed_steps: i64,
    /// How many of them failed.
    pub failed_steps: i64,
    /// What it cost.
    pub credits_used: i64,
    /// Anything else that callers want to keep with it.
    #[sea_orm(column_type = "JsonBinary")]
    pub metadata: Json,
    /// When somebody asked for it to stop.
    pub cancel_requested_at: Option<DateTimeWithTimeZone>,
    /// When a worker first ran it.
    pub started_at: Option<DateTimeWithTimeZone>,
    /// When it reached its final state.
    pub completed_at: Option<DateTimeWithTimeZone>,
    /// From the first start to the final state.
    pub duration_ms: Option<i64>,
    /// When the row was made.
    pub created_at: DateTimeWithTimeZone,
    /// The rows of `execution_logs` that refer to this one.
    #[sea_orm(has_many)]
    pub execution_logs: HasMany<super::execution_logs::Entity>,
    /// The row of `execution_queue` that refers to this one.
    #[sea_orm(has_one)]
    pub execution_queue: HasOne<super::execution_queue::Entity>,
    /// The rows of `execution_steps` that refer to this one.
    #[sea_orm(has_many)]
    pub execution_steps: HasMany<super::execution_steps::Entity>,
    /// The row that `origin_execution_id` refers to.
    #[sea_orm(
        self_ref,
        relation_enum = "SelfRef2",
        from = "origin_execution_id",
        to = "id",
        on_update = "NoAction",
        on_delete = "SetNull"
    )]
    pub executions_2: BelongsTo<Option<Entity>>,
    /// The row that `parent_execution_id` refers to.
    #[sea_orm(
        self_ref,
        relation_enum = "SelfRef1",
        from = "parent_execution_id",
        to = "id",
        on_update = "NoAction",
        on_delete = "SetNull"
    )]
    pub executions_1: BelongsTo<Option<Entity>>,
    /// The rows of `files` that refer to this one.
    #[sea_orm(has_many)]
    pub files: HasMany<super::files::Entity>,
    /// The row that `organization_id` refers to.
    #[sea_orm(
        belongs_to,
        from = "organization_id",
        to = "id",
        on_update = "NoAction",
        on_delete = "Cascade"
    )]
    pub organizations: BelongsTo<super::organizations::Entity>,
    /// The row that `schedule_id` refers to.
    #[sea_orm(belongs_to, from = "schedule_id", to = "id", on_update = "NoAction", on_delete = "SetNull")]
    pub schedules: BelongsTo<Option<super::schedules::Entity>>,
    /// The row that `user_id` refers to.
    #[sea_orm(belongs_to, from = "user_id", to = "id", on_update = "NoAction", on_delete = "SetNull")]
    pub users: BelongsTo<Option<super::users::Entity>>,
    /// The rows of `webhook_events` that refer to this one.
    #[sea_orm(has_many)]
    pub webhook_events: HasMany<super::webhook_events::Entity>,
    /// The row that `webhook_id` refers to.
    #[sea_orm(belongs_to, from = "webhook_id", to = "id", on_update = "NoAction", on_delete = "SetNull")]
    pub webhooks: BelongsTo<Option<super::webhooks::Entity>>,
    /// The row that `workflow_id` refers to.
    #[sea_orm(belongs_to, from = "workflow_id", to = "id", on_update = "NoAction", on_delete = "Cascade")]
    pub workflows: BelongsTo<super::workflows::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
