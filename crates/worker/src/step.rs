//! The record of one attempt of one step.
//!
//! [`Step`] holds the items themselves, shared with the run; it becomes a row of `execution_steps` only
//! where it is written. What the row's `context` holds is [`StepContext`].

use chrono::{DateTime, Utc};
use engine::graph::NodeSpec;
use engine::item::{Item, Items};
use engine::node::{HttpReply, LogLevel, NodeError};
use engine::run::Task;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::journal::{LogRecord, StepRecord, StepStatus};
use uuid::Uuid;

/// One attempt of one run of a node.
#[derive(Clone, Debug)]
pub struct Step {
    /// Its row.
    pub id: Uuid,
    /// Id of the node in the definition.
    pub node_id: String,
    /// Name of the node.
    pub node_name: String,
    /// Type of the node.
    pub node_type: String,
    /// Which run of the node, from 0.
    pub run_index: usize,
    /// Which attempt of the run, from 1.
    pub attempt: u32,
    /// Which task of the execution, from 0.
    pub sequence: u64,
    /// Where it stands.
    pub status: StepStatus,
    /// Where its inputs came from: references, not copies.
    pub sources: Value,
    /// What it gave out.
    pub outputs: Option<Vec<Items>>,
    /// Why it failed.
    pub error: Option<NodeError>,
    /// What else has to be known to go on from here.
    pub context: StepContext,
    /// When a waiting step goes on.
    pub resume_at: Option<DateTime<Utc>>,
    /// SHA-256 of the token in the resume URL, in hex.
    pub resume_token_hash: Option<String>,
    /// The only execution that it started.
    pub child_execution_id: Option<Uuid>,
    /// When the attempt began.
    pub started_at: DateTime<Utc>,
    /// When it ended.
    pub completed_at: Option<DateTime<Utc>>,
    /// How long the node ran in milliseconds, waiting not counted.
    pub duration_ms: Option<u64>,
}

/// `execution_steps.context`: what has to be known to go on, besides items.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct StepContext {
    /// State that the node left for its next run in this execution.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<Value>,
    /// The answer to whoever called the webhook.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response: Option<HttpReply>,
    /// The request that resumed the step.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request: Option<Item>,
    /// Executions that it waits for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub children: Option<Vec<Uuid>>,
    /// Executions that it started without waiting.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started: Option<Vec<Uuid>>,
    /// The node was run again after its wait and had not ended when this was written.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub resumed: bool,
}

impl StepContext {
    fn to_json(&self) -> Option<Value> {
        if *self == Self::default() {
            return None;
        }
        serde_json::to_value(self).ok()
    }
}

/// A line of the execution log.
#[derive(Clone, Debug)]
pub struct LogLine {
    /// Its row.
    pub id: Uuid,
    /// The step that wrote it; `None` for the execution as a whole.
    pub step_id: Option<Uuid>,
    /// Id and type of the node that wrote it.
    pub node: Option<(String, String)>,
    /// How grave it is.
    pub level: LogLevel,
    /// The text.
    pub message: String,
    /// More.
    pub data: Option<Value>,
    /// When.
    pub at: DateTime<Utc>,
}

impl Step {
    /// The first record of an attempt.
    pub(crate) fn begin(
        spec: &NodeSpec,
        task: &Task,
        sources: Value,
        attempt: u32,
        now: DateTime<Utc>,
    ) -> Self {
        Self {
            id: store::ids::new_id(),
            node_id: spec.id.clone(),
            node_name: spec.name.clone(),
            node_type: spec.node_type().to_owned(),
            run_index: task.run_index,
            attempt,
            sequence: task.sequence,
            status: StepStatus::Running,
            sources,
            outputs: None,
            error: None,
            context: StepContext::default(),
            resume_at: None,
            resume_token_hash: None,
            child_execution_id: None,
            started_at: now,
            completed_at: None,
            duration_ms: None,
        }
    }

    /// The row.
    pub(crate) fn to_record(&self, organization_id: Uuid, execution_id: Uuid) -> StepRecord {
        StepRecord {
            id: self.id,
            organization_id,
            execution_id,
            node_id: self.node_id.clone(),
            node_name: self.node_name.clone(),
            node_type: self.node_type.clone(),
            run_index: whole(self.run_index),
            attempt: i64::from(self.attempt),
            sequence: whole(self.sequence),
            status: self.status,
            input_data: Some(self.sources.clone()),
            output_data: self.outputs.as_ref().and_then(|outputs| serde_json::to_value(outputs).ok()),
            error: self.error.as_ref().and_then(|error| serde_json::to_value(error).ok()),
            context: self.context.to_json(),
            resume_at: self.resume_at,
            resume_token_hash: self.resume_token_hash.clone(),
            child_execution_id: self.child_execution_id,
            started_at: self.started_at,
            completed_at: self.completed_at,
            duration_ms: self.duration_ms.map(whole),
        }
    }

    /// The step that a row holds.
    ///
    /// # Errors
    /// The row's JSON is not what [`Step::to_record`] writes.
    pub(crate) fn from_record(record: StepRecord) -> Result<Self, serde_json::Error> {
        Ok(Self {
            id: record.id,
            node_id: record.node_id,
            node_name: record.node_name,
            node_type: record.node_type,
            run_index: usize::try_from(record.run_index).unwrap_or_default(),
            attempt: u32::try_from(record.attempt).unwrap_or(1),
            sequence: u64::try_from(record.sequence).unwrap_or_default(),
            status: record.status,
            sources: record.input_data.unwrap_or_default(),
            outputs: record.output_data.map(serde_json::from_value).transpose()?,
            error: record.error.map(serde_json::from_value).transpose()?,
            context: record.context.map(serde_json::from_value).transpose()?.unwrap_or_default(),
            resume_at: record.resume_at,
            resume_token_hash: record.resume_token_hash,
            child_execution_id: record.child_execution_id,
            started_at: record.started_at,
            completed_at: record.completed_at,
            duration_ms: record.duration_ms.and_then(|ms| u64::try_from(ms).ok()),
        })
    }
}

impl LogLine {
    /// The row.
    pub(crate) fn into_record(self, organization_id: Uuid, execution_id: Uuid) -> LogRecord {
        let (node_id, node_type) = self.node.unzip();
        LogRecord {
            id: self.id,
            organization_id,
            execution_id,
            step_id: self.step_id,
            node_id,
            node_type,
            level: self.level,
            message: self.message,
            data: self.data,
            timestamp: self.at,
        }
    }
}

/// Counters are far below `i64::MAX`; saturating keeps a corrupt one from becoming negative.
fn whole(number: impl TryInto<i64>) -> i64 {
    number.try_into().unwrap_or(i64::MAX)
}
