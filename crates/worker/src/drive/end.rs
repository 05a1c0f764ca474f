//! How a drive ends.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use engine::Item;
use engine::execution::ExecutionStatus;
use engine::item::Items;
use engine::node::{LogLevel, NodeError, WorkflowReference};
use engine::run::{Run, Trace};
use serde_json::json;

use super::Driver;
use crate::environment::TriggerRole;
use crate::journal::{Ended, Gone, Records, Start, StartReason};

/// How a drive ended.
#[derive(Clone, Debug, PartialEq)]
pub enum End {
    /// Every reachable node ran.
    Completed,
    /// It cannot go on.
    Failed(NodeError),
    /// It was cancelled.
    Cancelled,
    /// It gave its place back until this moment, or until what it waits for happens.
    Suspended {
        /// The moment.
        resume_at: Option<DateTime<Utc>>,
    },
    /// The worker shuts down: another goes on with it.
    HandedBack,
    /// The lease is lost: another goes on with it, or has done so.
    Lost,
}

impl End {
    /// A word for logs and metrics.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::Failed(_) => "failed",
            Self::Cancelled => "cancelled",
            Self::Suspended { .. } => "suspended",
            Self::HandedBack => "handed_back",
            Self::Lost => "lost",
        }
    }
}

/// How a drive ended, and everything that the execution has given out.
#[derive(Debug)]
pub struct Report {
    /// How it ended.
    pub end: End,
    /// The run.
    pub run: Run,
}

impl Report {
    /// The result: what the last step gave out.
    #[must_use]
    pub fn items(&self) -> Items {
        self.run.result()
    }

    /// What happened, node by node.
    #[must_use]
    pub fn trace(&self) -> Trace {
        let (status, error) = match &self.end {
            End::Completed => (ExecutionStatus::Completed, None),
            End::Failed(error) => (ExecutionStatus::Failed, Some(error.message.clone())),
            End::Cancelled => (ExecutionStatus::Cancelled, None),
            End::Suspended { .. } => (ExecutionStatus::Waiting, None),
            End::HandedBack | End::Lost => (ExecutionStatus::Running, None),
        };
        self.run.trace(status, error)
    }
}

impl Driver<'_> {
    pub(super) async fn finish_completed(&mut self) -> Result<End, Gone> {
        let ended = self.ended(ExecutionStatus::Completed, None, None);
        let records = self.take_records();
        self.outside.journal.finish(records, ended).await?;
        Ok(End::Completed)
    }

    pub(super) async fn finish_cancelled(&mut self) -> Result<End, Gone> {
        self.log(None, LogLevel::Warn, "the execution was cancelled".to_owned(), None);
        let ended = self.ended(ExecutionStatus::Cancelled, None, None);
        let records = self.take_records();
        self.outside.journal.finish(records, ended).await?;
        Ok(End::Cancelled)
    }

    pub(super) async fn finish_failed(
        &mut self,
        mut error: NodeError,
        node_id: Option<String>,
    ) -> Result<End, Gone> {
        self.secrets.mask_error(&mut error);
        self.start_error_workflow(&error, node_id.as_deref()).await;
        let ended = self.ended(ExecutionStatus::Failed, Some(error.clone()), node_id);
        let records = self.take_records();
        self.outside.journal.finish(records, ended).await?;
        Ok(End::Failed(error))
    }

    /// Gives the execution to another worker, at a boundary between steps.
    pub(super) async fn hand_back(&mut self) -> Result<End, Gone> {
        let records = self.take_records();
        self.outside.journal.release(records).await?;
        Ok(End::HandedBack)
    }

    /// The journal takes nothing more: if that is because of what was recorded, the execution can at least be failed.
    pub(super) async fn give_up(&mut self, gone: Gone) -> End {
        let Gone::Refused(reason) = gone else { return End::Lost };
        tracing::error!(execution = %self.execution_id(), %reason, "the records of an execution were refused");
        let error =
            NodeError::fatal("record_refused", "the database refused to store the data of this execution");
        let ended = self.ended(ExecutionStatus::Failed, Some(error.clone()), None);
        match self.outside.journal.finish(Records::default(), ended).await {
            Ok(()) => End::Failed(error),
            Err(_) => End::Lost,
        }
    }

    fn ended(
        &self,
        status: ExecutionStatus,
        error: Option<NodeError>,
        error_node_id: Option<String>,
    ) -> Ended {
        let items = (status == ExecutionStatus::Completed).then(|| self.run.result());
        Ended { status, items, error, error_node_id, steps: self.counts }
    }

    /// Puts the execution of the workflow that is to hear of this failure with the last records.
    async fn start_error_workflow(&mut self, error: &NodeError, node_id: Option<&str>) {
        let graph = Arc::clone(&self.job.graph);
        let Some(name) = graph.settings.error_workflow.as_deref().filter(|name| !name.is_empty()) else {
            return;
        };
        if self.job.is_error_run {
            return;
        }
        let reference = WorkflowReference::Stored(name.to_owned());
        match self.outside.environment.find_workflow(&reference, TriggerRole::Failure).await {
            Ok(workflow) => {
                let items = Arc::new(vec![self.failure_item(error, node_id)]);
                let id = store::ids::new_id();
                self.outbox.starts.push(Start {
                    id,
                    workflow,
                    items,
                    reason: StartReason::Failure,
                    depth: 0,
                });
            }
            Err(problem) => {
                let message = format!("the error workflow could not be started: {}", problem.message);
                self.log(None, LogLevel::Error, message, None);
            }
        }
    }

    fn failure_item(&self, error: &NodeError, node_id: Option<&str>) -> Item {
        let info = &self.job.execution;
        let node = node_id.and_then(|id| self.job.graph.by_id(id)).map(|index| &self.job.graph.nodes[index]);
        Item::from_value(json!({
            "execution": {
                "id": info.id,
                "mode": info.mode,
                "lastNodeExecuted": node.map(|node| &node.name),
                "error": { "message": error.message, "code": error.code, "nodeId": node_id, "nodeType": node.map(|node| node.node_type()) },
            },
            "workflow": { "id": info.workflow.id, "name": info.workflow.name },
        }))
    }
}
