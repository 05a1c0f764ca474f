//! The journal of an execution that runs under a lease.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use engine::execution::ExecutionStatus;
use serde_json::{Value, json};
use store::journal::{Close, JournalEntry};
use store::queue::{ErrorSummary, Lease, NewExecution, Parent, TriggerType};
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::batch::Submission;
use super::{Durability, Ended, Gone, Journal, Records, Refusal, Start, StartReason};

/// Until when a lease certainly holds, by this machine's monotonic clock.
///
/// It is counted from before the claim or heartbeat was sent, so it ends no later than the lease in the
/// database, whatever the wall clocks say. When it passes, the execution is stopped: a worker that has lost
/// touch with the database stops by itself.
#[derive(Debug)]
pub struct LeaseClock {
    until: Mutex<Instant>,
}

impl LeaseClock {
    /// A lease that was asked for at `asked`.
    #[must_use]
    pub fn new(asked: Instant, life: Duration) -> Self {
        Self { until: Mutex::new(asked + life) }
    }

    /// The lease was renewed; the request was sent at `asked`.
    pub fn renew(&self, asked: Instant, life: Duration) {
        let mut until = self.until.lock().unwrap_or_else(PoisonError::into_inner);
        *until = (*until).max(asked + life);
    }

    /// Whether it has passed.
    #[must_use]
    pub fn has_passed(&self) -> bool {
        Instant::now() >= self.until()
    }

    /// Returns when it has passed.
    pub async fn passed(&self) {
        while !self.has_passed() {
            tokio::time::sleep_until(self.until()).await;
        }
    }

    fn until(&self) -> Instant {
        *self.until.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the journal of an execution and the writer both know of its lease.
pub(super) struct LeaseState {
    pub clock: Arc<LeaseClock>,
    lost: CancellationToken,
    fault: Mutex<Option<Gone>>,
}

impl LeaseState {
    /// Remembers why nothing more can be recorded. Where nobody waits for the answer, the next call gets it.
    pub(super) fn fail(&self, gone: Gone, is_unheard: bool) {
        if gone == Gone::Lost {
            self.lost.cancel();
        } else if is_unheard {
            *self.fault.lock().unwrap_or_else(PoisonError::into_inner) = Some(gone);
        }
    }

    fn check(&self) -> Result<(), Gone> {
        if self.lost.is_cancelled() {
            return Err(Gone::Lost);
        }
        self.fault.lock().unwrap_or_else(PoisonError::into_inner).take().map_or(Ok(()), Err)
    }
}

/// Whose execution it is: what the rows of its steps and of its children carry.
#[derive(Clone, Debug)]
pub struct Tenant {
    /// The organization.
    pub organization_id: Uuid,
    /// Who started it.
    pub user_id: Option<Uuid>,
    /// The workflow.
    pub workflow_id: Uuid,
    /// Its priority, which children inherit.
    pub priority: i64,
}

/// The journal of an execution that runs under a lease: converts records to rows and hands them to the writer.
pub struct LeaseJournal {
    sender: mpsc::Sender<Submission>,
    state: Arc<LeaseState>,
    lease: Lease,
    tenant: Tenant,
    now: Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>,
}

impl LeaseJournal {
    pub(super) fn new(
        sender: mpsc::Sender<Submission>,
        lease: Lease,
        tenant: Tenant,
        clock: Arc<LeaseClock>,
        lost: CancellationToken,
        now: Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>,
    ) -> Self {
        Self {
            sender,
            state: Arc::new(LeaseState { clock, lost, fault: Mutex::default() }),
            lease,
            tenant,
            now,
        }
    }

    async fn submit(
        &self,
        records: Records,
        close: Option<Close>,
        durability: Durability,
    ) -> Result<(), Gone> {
        self.state.check()?;
        let (reply, answer) = match durability {
            Durability::Soon => (None, None),
            Durability::Now => {
                let (sender, receiver) = oneshot::channel();
                (Some(sender), Some(receiver))
            }
        };
        let submission =
            Submission { entry: self.entry(records, close), lease: Arc::clone(&self.state), reply };
        // The writer ends only after every execution: if it is gone, so is the worker.
        self.sender.send(submission).await.map_err(|_| Gone::Lost)?;
        match answer {
            None => Ok(()),
            Some(answer) => answer.await.unwrap_or(Err(Gone::Lost)),
        }
    }

    fn entry(&self, records: Records, close: Option<Close>) -> JournalEntry {
        let (organization_id, execution_id) = (self.tenant.organization_id, self.lease.execution_id);
        JournalEntry {
            lease: self.lease.clone(),
            steps: records.steps.iter().map(|step| step.to_record(organization_id, execution_id)).collect(),
            logs: records
                .logs
                .into_iter()
                .map(|line| line.into_record(organization_id, execution_id))
                .collect(),
            starts: records.starts.into_iter().map(|start| self.new_execution(start)).collect(),
            close,
        }
    }

    fn new_execution(&self, start: Start) -> NewExecution {
        let execution_id = self.lease.execution_id;
        let (parent, trigger_type, mut metadata) = match start.reason {
            StartReason::Awaited { step_id } => (
                Some(Parent { execution_id, step_id }),
                TriggerType::Workflow,
                json!({ "depth": start.depth }),
            ),
            // Without a parent: nobody waits for it, and cancelling its starter leaves it alone.
            StartReason::Started { step_id } => (
                None,
                TriggerType::Workflow,
                json!({ "depth": start.depth, "startedBy": { "executionId": execution_id, "stepId": step_id } }),
            ),
            StartReason::Failure => (None, TriggerType::Event, json!({ "errorOf": execution_id })),
        };
        if let Some(definition) = start.workflow.definition {
            metadata["definition"] = definition;
        }
        NewExecution {
            id: start.id,
            organization_id: self.tenant.organization_id,
            workflow_id: start.workflow.id,
            workflow_version: start.workflow.version,
            user_id: self.tenant.user_id,
            trigger_type,
            trigger_node_id: Some(start.workflow.trigger_node_id),
            trigger_data: None,
            input_data: serde_json::to_value(&start.items).ok(),
            priority: self.tenant.priority,
            run_at: (self.now)(),
            concurrency_key: None,
            parent,
            origin_execution_id: None,
            schedule: None,
            webhook_id: None,
            metadata,
        }
    }
}

#[async_trait]
impl Journal for LeaseJournal {
    async fn record(&self, records: Records, durability: Durability) -> Result<(), Gone> {
        if records.is_empty() && durability == Durability::Soon {
            return Ok(());
        }
        self.submit(records, None, durability).await
    }

    fn offer(&self, records: Records) -> Result<(), Refusal> {
        self.state.check().map_err(Refusal::Gone)?;
        match self.sender.try_reserve() {
            Ok(permit) => {
                permit.send(Submission {
                    entry: self.entry(records, None),
                    lease: Arc::clone(&self.state),
                    reply: None,
                });
                Ok(())
            }
            Err(mpsc::error::TrySendError::Full(())) => Err(Refusal::Full(records)),
            Err(mpsc::error::TrySendError::Closed(())) => Err(Refusal::Gone(Gone::Lost)),
        }
    }

    async fn finish(&self, records: Records, ended: Ended) -> Result<(), Gone> {
        self.submit(records, Some(Close::Finish(Box::new(to_ended(ended)))), Durability::Now).await
    }

    async fn suspend(&self, records: Records, resume_at: Option<DateTime<Utc>>) -> Result<(), Gone> {
        self.submit(records, Some(Close::Suspend(resume_at)), Durability::Now).await
    }

    async fn release(&self, records: Records) -> Result<(), Gone> {
        self.submit(records, Some(Close::Release), Durability::Now).await
    }
}

fn to_ended(ended: Ended) -> store::queue::Ended {
    let error = ended.error.map(|error| ErrorSummary {
        message: error.message,
        code: error.code,
        stack: error
            .details
            .as_ref()
            .and_then(|details| details.get("stack"))
            .and_then(Value::as_str)
            .map(str::to_owned),
        node_id: ended.error_node_id,
    });
    debug_assert!(ended.status.is_final() && ended.status != ExecutionStatus::Pending);
    store::queue::Ended {
        status: ended.status,
        output_data: ended.items.and_then(|items| serde_json::to_value(items).ok()),
        error,
        total_steps: i64::from(ended.steps.total),
        completed_steps: i64::from(ended.steps.completed),
        failed_steps: i64::from(ended.steps.failed),
    }
}
