//! What goes into the queue and comes out of it.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use engine::execution::ExecutionStatus;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

/// What started an execution.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TriggerType {
    /// A person or a program, by the API.
    Manual,
    /// A webhook.
    Webhook,
    /// A schedule.
    Schedule,
    /// Something that happened inside Tidemill.
    Event,
    /// Another workflow.
    Workflow,
    /// A retry of an earlier execution.
    Retry,
}

impl TriggerType {
    /// Every one.
    pub const ALL: [Self; 6] =
        [Self::Manual, Self::Webhook, Self::Schedule, Self::Event, Self::Workflow, Self::Retry];

    /// The word in the database and the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Manual => "manual",
            Self::Webhook => "webhook",
            Self::Schedule => "schedule",
            Self::Event => "event",
            Self::Workflow => "workflow",
            Self::Retry => "retry",
        }
    }
}

impl fmt::Display for TriggerType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for TriggerType {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.as_str() == text)
            .ok_or_else(|| format!("unknown trigger type {text:?}"))
    }
}

/// An execution to be enqueued.
#[derive(Clone, Debug)]
pub struct NewExecution {
    /// Its id, made with [`crate::ids::new_id`].
    pub id: Uuid,
    /// The organization that owns it.
    pub organization_id: Uuid,
    /// The workflow.
    pub workflow_id: Uuid,
    /// The version that it runs.
    pub workflow_version: i64,
    /// Who started it, or owns the trigger.
    pub user_id: Option<Uuid>,
    /// What started it.
    pub trigger_type: TriggerType,
    /// The trigger node it starts at; `None` for the workflow's only one.
    pub trigger_node_id: Option<String>,
    /// What the trigger knew.
    pub trigger_data: Option<Value>,
    /// The items that the trigger gives out: `[{"json": ..., "binary": ...}]`.
    pub input_data: Option<Value>,
    /// Higher goes first, among the executions of one organization.
    pub priority: i64,
    /// Not to be claimed before.
    pub run_at: DateTime<Utc>,
    /// Executions of an organization with the same key run one after the other: from its first claim until its end an
    /// execution holds the key, also while it waits or has been handed back.
    pub concurrency_key: Option<String>,
    /// The step that waits for it.
    pub parent: Option<Parent>,
    /// The execution that it retries.
    pub origin_execution_id: Option<Uuid>,
    /// The occurrence that it stands for.
    pub schedule: Option<Occurrence>,
    /// The webhook that was called.
    pub webhook_id: Option<Uuid>,
    /// Anything else; an object.
    pub metadata: Value,
}

/// The step that waits for an execution.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parent {
    /// The execution of the step.
    pub execution_id: Uuid,
    /// The step.
    pub step_id: Uuid,
}

/// One occurrence of a schedule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Occurrence {
    /// The schedule.
    pub schedule_id: Uuid,
    /// The moment.
    pub scheduled_for: DateTime<Utc>,
}

/// The right to run an execution.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// The execution.
    pub execution_id: Uuid,
    /// The worker that holds it.
    pub owner: String,
    /// The fencing token: one higher with every claim of the execution.
    pub token: i64,
    /// Until when, unless a heartbeat extends it.
    pub until: DateTime<Utc>,
}

/// Whether a lease still held when something was to be written under it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Held {
    /// It was written.
    Yes,
    /// The execution is another's, or final: nothing was written.
    Lost,
}

/// What a worker asks for.
#[derive(Clone, Debug)]
pub struct ClaimRequest {
    /// Names the worker process; another process never has the same.
    pub owner: String,
    /// Most executions.
    pub limit: u64,
    /// Life of the leases without a heartbeat.
    pub lease_ms: u64,
    /// How many executions of an organization run at once when the organization does not say; `None` for no limit.
    pub default_organization_concurrency: Option<u32>,
}

/// An execution that a worker may run now.
#[derive(Clone, Debug)]
pub struct Claimed {
    /// The lease.
    pub lease: Lease,
    /// The organization that owns it.
    pub organization_id: Uuid,
    /// The workflow.
    pub workflow_id: Uuid,
    /// The version to run.
    pub workflow_version: i64,
    /// Claims since it last made a wait of its own or was handed back, this one included.
    pub attempt: i64,
    /// Its priority.
    pub priority: i64,
    /// What started it.
    pub trigger_type: TriggerType,
    /// The trigger node it starts at.
    pub trigger_node_id: Option<String>,
    /// The items that the trigger gives out.
    pub input_data: Option<Value>,
    /// What the trigger knew.
    pub trigger_data: Value,
    /// Who started it.
    pub user_id: Option<Uuid>,
    /// The step that waits for it.
    pub parent: Option<Parent>,
    /// The execution that it retries.
    pub origin_execution_id: Option<Uuid>,
    /// When a worker first ran it.
    pub started_at: DateTime<Utc>,
    /// When it was enqueued.
    pub created_at: DateTime<Utc>,
    /// Whether it is to be cancelled rather than run.
    pub cancel_requested: bool,
    /// Anything else.
    pub metadata: Value,
}

/// What became of leases at a heartbeat; those that are in neither list were extended and may go on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Heartbeat {
    /// Executions that are not held any more.
    pub lost: Vec<Uuid>,
    /// Executions that are held, and that somebody wants cancelled.
    pub cancelled: Vec<Uuid>,
}

/// How an execution ended.
#[derive(Clone, Debug)]
pub struct Ended {
    /// Completed, failed or cancelled.
    pub status: ExecutionStatus,
    /// The items of its last node.
    pub output_data: Option<Value>,
    /// Why it failed.
    pub error: Option<ErrorSummary>,
    /// Steps that were started.
    pub total_steps: i64,
    /// Steps that completed.
    pub completed_steps: i64,
    /// Steps that failed.
    pub failed_steps: i64,
}

/// Why an execution failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ErrorSummary {
    /// A sentence.
    pub message: String,
    /// A stable word.
    pub code: String,
    /// Where in the user's code.
    pub stack: Option<String>,
    /// The node that failed.
    pub node_id: Option<String>,
}

/// What the rescue did about leases that had passed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rescued {
    /// Executions that may be claimed again.
    pub requeued: Vec<Uuid>,
    /// Executions that were given up, because they had been lost too often.
    pub failed: Vec<Uuid>,
    /// Executions that somebody wanted cancelled, and that nobody runs any more.
    pub cancelled: Vec<Uuid>,
}

/// The queue in numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Depth {
    /// Executions that may be claimed, now or at their time.
    pub ready: i64,
    /// Executions that run.
    pub leased: i64,
    /// Executions that wait.
    pub waiting: i64,
    /// Since when the oldest ready one could be claimed.
    pub oldest_ready_at: Option<DateTime<Utc>>,
}
