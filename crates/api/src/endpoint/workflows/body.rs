//! Workflows as the API shows them.

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;
use store::workflows::{Workflow, WorkflowSummary};
use utoipa::ToSchema;
use uuid::Uuid;

use super::ProblemOfWorkflow;

/// A workflow without its definition.
#[derive(Serialize, ToSchema)]
#[schema(as = WorkflowSummary)]
pub struct WorkflowSummaryBody {
    id: Uuid,
    name: String,
    /// What it is for.
    #[schema(required)]
    description: Option<String>,
    /// The current version; every save adds one.
    version: i64,
    /// `draft`: being made; `active`: its triggers fire; `paused`: they do not; `archived`: put away.
    status: String,
    /// What starts it: `manual`, `scheduled` or `webhook`.
    trigger_type: String,
    /// Words to sort workflows by.
    #[schema(value_type = Vec<String>)]
    tags: Value,
    /// Whether others may read and copy it.
    is_public: bool,
    /// Who made it.
    #[schema(required)]
    user_id: Option<Uuid>,
    /// How many executions have finished, and how.
    statistics: WorkflowStatistics,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

/// How the executions of a workflow went.
#[derive(Serialize, ToSchema)]
pub struct WorkflowStatistics {
    /// How many have finished.
    total_executions: i64,
    /// How many of them completed.
    successful_executions: i64,
    /// How many of them failed.
    failed_executions: i64,
    /// Their mean duration.
    #[schema(required)]
    average_duration_ms: Option<i64>,
    /// When one last started.
    #[schema(required)]
    last_executed_at: Option<DateTime<Utc>>,
    /// The error of the latest one that failed.
    #[schema(required)]
    last_error: Option<String>,
}

/// A workflow.
#[derive(Serialize, ToSchema)]
#[schema(as = Workflow)]
pub struct WorkflowBody {
    #[serde(flatten)]
    summary: WorkflowSummaryBody,
    /// Nodes, edges, groups, settings and metadata, in React Flow's shape.
    #[schema(value_type = Object)]
    definition: Value,
    /// How long finished executions are kept; null for the installation's default.
    #[schema(required)]
    retention_days: Option<i64>,
    /// How many finished executions are kept; null for no such bound.
    #[schema(required)]
    retention_count: Option<i64>,
    /// Everything that is wrong with the definition or doubtful in it. One with errors can be saved as a draft, but
    /// neither activated nor executed.
    problems: Vec<ProblemOfWorkflow>,
}

impl From<WorkflowSummary> for WorkflowSummaryBody {
    fn from(workflow: WorkflowSummary) -> Self {
        Self {
            id: workflow.id,
            name: workflow.name,
            description: workflow.description,
            version: workflow.version,
            status: workflow.status,
            trigger_type: workflow.trigger_type,
            tags: workflow.tags,
            is_public: workflow.is_public,
            user_id: workflow.user_id,
            statistics: WorkflowStatistics {
                total_executions: workflow.total_executions,
                successful_executions: workflow.successful_executions,
                failed_executions: workflow.failed_executions,
                average_duration_ms: workflow.average_duration_ms,
                last_executed_at: workflow.last_executed_at,
                last_error: workflow.last_error,
            },
            created_at: workflow.created_at,
            updated_at: workflow.updated_at,
        }
    }
}

impl WorkflowBody {
    /// A workflow with what is wrong with it.
    pub fn of(workflow: Workflow, problems: Vec<engine::Problem>) -> Self {
        Self {
            summary: WorkflowSummaryBody {
                id: workflow.id,
                name: workflow.name,
                description: workflow.description,
                version: workflow.version,
                status: workflow.status,
                trigger_type: workflow.trigger_type,
                tags: workflow.tags,
                is_public: workflow.is_public,
                user_id: workflow.user_id,
                statistics: WorkflowStatistics {
                    total_executions: workflow.total_executions,
                    successful_executions: workflow.successful_executions,
                    failed_executions: workflow.failed_executions,
                    average_duration_ms: workflow.average_duration_ms,
                    last_executed_at: workflow.last_executed_at.map(|at| at.to_utc()),
                    last_error: workflow.last_error,
                },
                created_at: workflow.created_at.to_utc(),
                updated_at: workflow.updated_at.to_utc(),
            },
            definition: workflow.definition,
            retention_days: workflow.retention_days,
            retention_count: workflow.retention_count,
            problems: problems.into_iter().map(ProblemOfWorkflow::from).collect(),
        }
    }
}
