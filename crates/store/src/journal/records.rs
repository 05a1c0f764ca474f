//! What is recorded.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use engine::node::LogLevel;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::queue::{Ended, Lease, NewExecution};

/// Where a step stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepStatus {
    /// A worker runs it, or was lost while it did.
    Running,
    /// It waits for a time, a request or other executions.
    Waiting,
    /// It is done.
    Completed,
    /// It failed.
    Failed,
    /// It was stopped.
    Cancelled,
}

impl StepStatus {
    /// Every one.
    pub const ALL: [Self; 5] = [Self::Running, Self::Waiting, Self::Completed, Self::Failed, Self::Cancelled];

    /// Whether nothing can happen to it any more.
    #[must_use]
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Completed | Self::Failed | Self::Cancelled)
    }

    /// The word in the database and the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Waiting => "waiting",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }
}

impl fmt::Display for StepStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for StepStatus {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|status| status.as_str() == text)
            .ok_or_else(|| format!("unknown step status {text:?}"))
    }
}

/// One attempt at one run of a node.
#[derive(Clone, Debug, PartialEq)]
pub struct StepRecord {
    /// Its id, made with [`crate::ids::new_id`].
    pub id: Uuid,
    /// The organization that owns the execution.
    pub organization_id: Uuid,
    /// The execution.
    pub execution_id: Uuid,
    /// The node in the definition.
    pub node_id: String,
    /// Its name.
    pub node_name: String,
    /// Its type.
    pub node_type: String,
    /// Which run of the node, from 0.
    pub run_index: i64,
    /// Which attempt at that run, from 1.
    pub attempt: i64,
    /// Its place in the order of starts.
    pub sequence: i64,
    /// Where it stands.
    pub status: StepStatus,
    /// Where its items came from: `[[{"node", "run", "output"}]]`.
    pub input_data: Option<Value>,
    /// Its items, one array per output.
    pub output_data: Option<Value>,
    /// Why it failed.
    pub error: Option<Value>,
    /// What has to be known to go on, besides items.
    pub context: Option<Value>,
    /// When it goes on by itself.
    pub resume_at: Option<DateTime<Utc>>,
    /// The hash of the token that resumes it; `used:` and the hash once that has happened.
    pub resume_token_hash: Option<String>,
    /// An execution that it waits for.
    pub child_execution_id: Option<Uuid>,
    /// When it started.
    pub started_at: DateTime<Utc>,
    /// When it ended.
    pub completed_at: Option<DateTime<Utc>>,
    /// From start to end.
    pub duration_ms: Option<i64>,
}

/// A line in the execution log.
#[derive(Clone, Debug, PartialEq)]
pub struct LogRecord {
    /// Its id, made with [`crate::ids::new_id`].
    pub id: Uuid,
    /// The organization that owns the execution.
    pub organization_id: Uuid,
    /// The execution.
    pub execution_id: Uuid,
    /// The step that wrote it.
    pub step_id: Option<Uuid>,
    /// The node of that step.
    pub node_id: Option<String>,
    /// The type of that node.
    pub node_type: Option<String>,
    /// How grave it is.
    pub level: LogLevel,
    /// The text.
    pub message: String,
    /// More, for programs.
    pub data: Option<Value>,
    /// When it was written.
    pub timestamp: DateTime<Utc>,
}

/// What is written together of one execution.
#[derive(Clone, Debug)]
pub struct JournalEntry {
    /// The lease under which it is written.
    pub lease: Lease,
    /// Steps, later states of a step behind earlier ones.
    pub steps: Vec<StepRecord>,
    /// Log lines.
    pub logs: Vec<LogRecord>,
    /// Executions that a step starts.
    pub starts: Vec<NewExecution>,
    /// What becomes of the execution; `None` while it goes on.
    pub close: Option<Close>,
}

/// What becomes of an execution at the end of an entry.
#[derive(Clone, Debug)]
pub enum Close {
    /// It has ended.
    Finish(Box<Ended>),
    /// It waits, until this moment or for what its step waits for.
    Suspend(Option<DateTime<Utc>>),
    /// It is handed back, for another worker to go on.
    Release,
}
