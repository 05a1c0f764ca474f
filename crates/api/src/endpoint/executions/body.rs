//! Executions as the API shows them.

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;
use store::executions::{Execution, ExecutionSummary};
use utoipa::ToSchema;
use uuid::Uuid;

/// An execution without its items.
#[derive(Serialize, ToSchema)]
#[schema(as = ExecutionSummary)]
pub struct ExecutionSummaryBody {
    id: Uuid,
    workflow_id: Uuid,
    /// The name of the workflow as it is now.
    workflow_name: String,
    /// The version that it runs.
    workflow_version: i64,
    /// `pending`, `running` or `waiting`; in the end `completed`, `failed` or `cancelled`.
    status: String,
    /// What started it: `manual`, `webhook`, `schedule`, `event`, `workflow` or `retry`.
    trigger_type: String,
    /// The node that it starts at.
    #[schema(required)]
    trigger_node_id: Option<String>,
    /// Why it failed.
    #[schema(required)]
    error: Option<ExecutionErrorBody>,
    /// How many steps it has, and how they went.
    steps: StepCounts,
    /// Who started it, or owns the trigger.
    #[schema(required)]
    user_id: Option<Uuid>,
    /// The execution that called it.
    #[schema(required)]
    parent_execution_id: Option<Uuid>,
    /// The execution that it retries.
    #[schema(required)]
    origin_execution_id: Option<Uuid>,
    /// The schedule that fired.
    #[schema(required)]
    schedule_id: Option<Uuid>,
    /// The webhook that was called.
    #[schema(required)]
    webhook_id: Option<Uuid>,
    /// The occurrence of the schedule that it stands for.
    #[schema(required)]
    scheduled_for: Option<DateTime<Utc>>,
    /// When somebody asked for it to stop.
    #[schema(required)]
    cancel_requested_at: Option<DateTime<Utc>>,
    created_at: DateTime<Utc>,
    /// When a worker first ran it.
    #[schema(required)]
    started_at: Option<DateTime<Utc>>,
    /// When it ended.
    #[schema(required)]
    completed_at: Option<DateTime<Utc>>,
    /// From its start to its end.
    #[schema(required)]
    duration_ms: Option<i64>,
}

/// Why an execution failed.
#[derive(Serialize, ToSchema)]
#[schema(as = ExecutionError)]
pub struct ExecutionErrorBody {
    /// A sentence.
    message: String,
    /// A stable word.
    #[schema(required)]
    code: Option<String>,
    /// The node that failed.
    #[schema(required)]
    node_id: Option<String>,
    /// Where in the user's code.
    #[serde(skip_serializing_if = "Option::is_none")]
    stack: Option<String>,
}

/// The steps of an execution in numbers.
#[derive(Serialize, ToSchema)]
pub struct StepCounts {
    /// Started.
    total: i64,
    /// Completed.
    completed: i64,
    /// Failed.
    failed: i64,
}

/// An execution.
#[derive(Serialize, ToSchema)]
#[schema(as = Execution)]
pub struct ExecutionBody {
    #[serde(flatten)]
    summary: ExecutionSummaryBody,
    /// What the trigger knew: the request, the occurrence, the caller.
    #[schema(value_type = Object)]
    trigger_data: Value,
    /// The items that it started with; null for one empty item.
    #[schema(value_type = Option<Vec<Object>>, required)]
    input: Option<Value>,
    /// The items of its last node; null while it has not ended.
    #[schema(value_type = Option<Vec<Object>>, required)]
    output: Option<Value>,
}

/// An execution that is in the queue or on its way.
#[derive(Serialize, ToSchema)]
pub struct ExecutionStarted {
    /// What to ask for under `/api/v1/executions/{id}`.
    pub id: Uuid,
    /// Where it stands.
    pub status: String,
    /// The workflow.
    pub workflow_id: Uuid,
    /// The version that it runs.
    pub workflow_version: i64,
}

impl From<ExecutionSummary> for ExecutionSummaryBody {
    fn from(row: ExecutionSummary) -> Self {
        Self {
            id: row.id,
            workflow_id: row.workflow_id,
            workflow_name: row.workflow_name,
            workflow_version: row.workflow_version,
            status: row.status,
            trigger_type: row.trigger_type,
            trigger_node_id: row.trigger_node_id,
            error: error(row.error_message, row.error_code, row.error_node_id, None),
            steps: StepCounts {
                total: row.total_steps,
                completed: row.completed_steps,
                failed: row.failed_steps,
            },
            user_id: row.user_id,
            parent_execution_id: row.parent_execution_id,
            origin_execution_id: row.origin_execution_id,
            schedule_id: row.schedule_id,
            webhook_id: row.webhook_id,
            scheduled_for: row.scheduled_for,
            cancel_requested_at: row.cancel_requested_at,
            created_at: row.created_at,
            started_at: row.started_at,
            completed_at: row.completed_at,
            duration_ms: row.duration_ms,
        }
    }
}

impl ExecutionBody {
    /// An execution of the workflow with this name.
    #[must_use]
    pub fn of(row: Execution, workflow_name: String) -> Self {
        Self {
            summary: ExecutionSummaryBody {
                id: row.id,
                workflow_id: row.workflow_id,
                workflow_name,
                workflow_version: row.workflow_version,
                status: row.status,
                trigger_type: row.trigger_type,
                trigger_node_id: row.trigger_node_id,
                error: error(row.error_message, row.error_code, row.error_node_id, row.error_stack),
                steps: StepCounts {
                    total: row.total_steps,
                    completed: row.completed_steps,
                    failed: row.failed_steps,
                },
                user_id: row.user_id,
                parent_execution_id: row.parent_execution_id,
                origin_execution_id: row.origin_execution_id,
                schedule_id: row.schedule_id,
                webhook_id: row.webhook_id,
                scheduled_for: row.scheduled_for.map(|at| at.to_utc()),
                cancel_requested_at: row.cancel_requested_at.map(|at| at.to_utc()),
                created_at: row.created_at.to_utc(),
                started_at: row.started_at.map(|at| at.to_utc()),
                completed_at: row.completed_at.map(|at| at.to_utc()),
                duration_ms: row.duration_ms,
            },
            trigger_data: row.trigger_data,
            input: row.input_data,
            output: row.output_data,
        }
    }
}

fn error(
    message: Option<String>,
    code: Option<String>,
    node_id: Option<String>,
    stack: Option<String>,
) -> Option<ExecutionErrorBody> {
    message.map(|message| ExecutionErrorBody { message, code, node_id, stack })
}
