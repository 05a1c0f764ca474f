//! Where an execution is recorded while it runs.
//!
//! [`drive`](fn@crate::drive) knows a journal only as the trait [`Journal`]: [`MemoryJournal`] keeps the records of
//! `tidemill run`, which has no database, and [`LeaseJournal`] hands them to the batching [`Writer`] of a
//! worker. Both take the same [`Records`] in the same order.

mod batch;
mod lease;
mod memory;
mod sink;
mod writer;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use engine::execution::ExecutionStatus;
use engine::item::Items;
use engine::node::NodeError;
use serde_json::Value;
use uuid::Uuid;

use crate::step::{LogLine, Step};

pub use lease::{LeaseClock, LeaseJournal, Tenant};
pub use memory::{MemoryJournal, Progress};
pub use sink::{Sink, StoreSink};
pub use writer::{Writer, WriterOptions};

/// Records the course of one execution.
///
/// Records become durable in the order in which they were handed over. After [`Gone`] nothing more of the
/// execution can be recorded, and it must stop.
#[async_trait]
pub trait Journal: Send + Sync {
    /// Takes records. With [`Durability::Now`] it returns when they, and all before them, are durable.
    async fn record(&self, records: Records, durability: Durability) -> Result<(), Gone>;

    /// Takes records if it can do so at once; [`Journal::record`] without waiting.
    fn offer(&self, records: Records) -> Result<(), Refusal>;

    /// Takes the last records and what the execution came to, together.
    async fn finish(&self, records: Records, ended: Ended) -> Result<(), Gone>;

    /// Takes records and gives the place back until `resume_at`, or until what the last step waits for happens.
    async fn suspend(&self, records: Records, resume_at: Option<DateTime<Utc>>) -> Result<(), Gone>;

    /// Takes records and gives the place back at once, for another worker.
    async fn release(&self, records: Records) -> Result<(), Gone>;
}

/// Why [`Journal::offer`] took nothing.
#[derive(Debug)]
pub enum Refusal {
    /// It has no room at the moment; the records are given back.
    Full(Records),
    /// It takes nothing more.
    Gone(Gone),
}

/// When a record must be durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// Soon.
    Soon,
    /// Before the execution goes on.
    Now,
}

/// What is recorded together.
#[derive(Clone, Debug, Default)]
pub struct Records {
    /// Steps, later states of a step after earlier ones.
    pub steps: Vec<Step>,
    /// Log lines.
    pub logs: Vec<LogLine>,
    /// Executions to be started.
    pub starts: Vec<Start>,
}

impl Records {
    /// Whether there is nothing in them.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty() && self.logs.is_empty() && self.starts.is_empty()
    }
}

/// An execution to be started by this one.
#[derive(Clone, Debug)]
pub struct Start {
    /// Its id.
    pub id: Uuid,
    /// What it runs.
    pub workflow: FoundWorkflow,
    /// What its trigger gives out.
    pub items: Items,
    /// Why.
    pub reason: StartReason,
    /// How many workflows deep it is; 0 was started from outside.
    pub depth: u32,
}

/// Why an execution is started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StartReason {
    /// A step waits for it.
    Awaited {
        /// The step.
        step_id: Uuid,
    },
    /// A step asked for it and goes on.
    Started {
        /// The step.
        step_id: Uuid,
    },
    /// This execution failed and its workflow names another that is to hear of it.
    Failure,
}

/// A workflow that can be started.
#[derive(Clone, Debug)]
pub struct FoundWorkflow {
    /// The workflow; that of the caller when the definition is its own.
    pub id: Uuid,
    /// The version; that of the caller when the definition is its own.
    pub version: i64,
    /// The definition, when it is written in the node that starts it. It travels in the metadata of the
    /// execution, since no table holds it.
    pub definition: Option<Value>,
    /// The trigger to start from.
    pub trigger_node_id: String,
}

/// What an execution came to.
#[derive(Clone, Debug)]
pub struct Ended {
    /// Completed, failed or cancelled.
    pub status: ExecutionStatus,
    /// Its result.
    pub items: Option<Items>,
    /// Why it failed.
    pub error: Option<NodeError>,
    /// The node at which it failed.
    pub error_node_id: Option<String>,
    /// Runs of nodes.
    pub steps: StepCounts,
}

/// How many runs of nodes an execution had.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StepCounts {
    /// In all.
    pub total: u32,
    /// Completed.
    pub completed: u32,
    /// Failed for good.
    pub failed: u32,
}

/// Nothing more can be recorded of this execution.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Gone {
    /// The lease is another's now, or has passed.
    #[error("the lease is lost")]
    Lost,
    /// The database refuses the records, and would again.
    #[error("the database refuses the records: {0}")]
    Refused(String),
}
