//! How a drive ends.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use engine::execution::ExecutionStatus;
use engine::item::Items;
use engine::node::{LogLevel, NodeError};
use engine::run::{Run, Trace};
use store::journal::StepStatus;

use super::Driver;
use super::failure::Failure;
use crate::journal::{Ended, Gone, Records};
use crate::step::Step;

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

    /// Records unfinished steps as cancelled.
    pub(super) fn cancel_steps(&mut self, steps: impl IntoIterator<Item = Step>) {
        let now = self.outside.environment.now();
        self.outbox.steps.extend(steps.into_iter().map(|mut step| {
            step.status = StepStatus::Cancelled;
            step.completed_at = Some(now);
            step.resume_at = None;
            step.resume_token_hash = None;
            step
        }));
    }

    pub(super) async fn finish_cancelled(&mut self) -> Result<End, Gone> {
        let unfinished = self.recorded.take_unfinished();
        self.cancel_steps(unfinished);
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
        let unfinished = self.recorded.take_unfinished();
        self.cancel_steps(unfinished);
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
        // What has not been handed over may be what is refused.
        self.outbox = Records::default();
        self.start_error_workflow(&error, None).await;
        let records = std::mem::take(&mut self.outbox);
        let mut finished = self.outside.journal.finish(records, ended.clone()).await;
        if let Err(Gone::Refused(_)) = finished {
            finished = self.outside.journal.finish(Records::default(), ended).await;
        }
        match finished {
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
        if self.job.is_error_run {
            return;
        }
        let graph = Arc::clone(&self.job.graph);
        let failure = Failure { graph: &graph, execution: &self.job.execution, error, node_id };
        match failure.start(self.outside.environment).await {
            Ok(start) => self.outbox.starts.extend(start),
            Err(problem) => self.log(None, LogLevel::Error, problem, None),
        }
    }
}
