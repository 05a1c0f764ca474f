//! One claimed execution, from the claim to its end.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use engine::Item;
use engine::execution::ExecutionStatus;
use engine::item::Items;
use engine::node::{ExecutionInfo, LogLevel, NodeError};
use futures::FutureExt;
use store::queue::{Claimed, TriggerType};
use tokio::time::Instant;
use uuid::Uuid;

use super::definitions::{Pinned, Unusable};
use super::tenant::{TenantEnvironment, items_of};
use super::{Inner, Running};
use crate::drive::control::{Control, Stop};
use crate::drive::failure::Failure;
use crate::drive::{End, Job, Outside, drive};
use crate::environment::TriggerRole;
use crate::journal::{Ended, Gone, Journal, LeaseClock, LeaseJournal, Records, StepCounts, Tenant};
use crate::step::{LogLine, Step};

/// Pause before an execution that could not be loaded is tried again.
const LOAD_BACKOFF: Duration = Duration::from_millis(200);

impl Inner {
    /// Starts the task of a claimed execution. The claim was asked for at `asked`.
    pub(super) fn start(self: &Arc<Self>, claimed: Claimed, asked: Instant) {
        let id = claimed.lease.execution_id;
        let clock = Arc::new(LeaseClock::new(asked, self.options.lease));
        let control = Control { drain: self.drain.clone(), abort: self.abort.clone(), ..Control::default() };
        if claimed.cancel_requested {
            control.cancel.cancel();
        }
        let running =
            Running { lease: claimed.lease.clone(), clock: Arc::clone(&clock), control: control.clone() };
        let token = running.lease.token;
        if let Some(former) = self.running().insert(id, running) {
            // Claimed anew while the task of the former lease has not noticed yet that it is lost.
            former.control.lost.cancel();
        }
        let inner = Arc::clone(self);
        self.tasks.spawn(async move {
            let began = Instant::now();
            let end = inner.run(claimed, &control, &clock).await;
            inner.forget(id, token);
            inner.slot_freed.notify_one();
            inner.changed.notify_waiters();
            metrics::counter!("tidemill_executions_ended_total", "end" => end.as_str()).increment(1);
            metrics::histogram!("tidemill_execution_run_seconds").record(began.elapsed());
            tracing::debug!(execution = %id, end = end.as_str(), "execution left this worker");
        });
    }

    /// The task of a lease has ended. The execution may run here under a later lease by now.
    fn forget(&self, id: Uuid, token: i64) {
        let mut running = self.running();
        if running.get(&id).is_some_and(|running| running.lease.token == token) {
            running.remove(&id);
        }
    }

    async fn run(&self, claimed: Claimed, control: &Control, clock: &Arc<LeaseClock>) -> End {
        let tenant = Tenant {
            organization_id: claimed.organization_id,
            user_id: claimed.user_id,
            workflow_id: claimed.workflow_id,
            priority: claimed.priority,
        };
        let journal =
            self.writer.open(claimed.lease.clone(), tenant, Arc::clone(clock), control.lost.clone());
        let fence = async {
            clock.passed().await;
            control.lost.cancel();
        };
        let running = AssertUnwindSafe(self.run_recorded(&claimed, &journal, control)).catch_unwind();
        tokio::pin!(running);
        let ended = tokio::select! {
            biased;
            ended = &mut running => ended,
            // The lease has passed. What runs sees that and comes to its end by itself.
            () = fence => running.await,
        };
        match ended {
            Ok(end) => end,
            Err(_) => {
                let error = NodeError::fatal(
                    "defect",
                    "the worker stopped this execution because of a defect in Tidemill",
                );
                self.fail(&claimed, &journal, error).await
            }
        }
    }

    fn environment(&self, claimed: &Claimed) -> TenantEnvironment<'_> {
        TenantEnvironment {
            services: &self.services,
            definitions: &self.definitions,
            organization_id: claimed.organization_id,
            user_id: claimed.user_id,
            execution_id: claimed.lease.execution_id,
            workflow: (claimed.workflow_id, claimed.workflow_version),
            inline_binary_bytes: self.options.inline_binary_bytes,
        }
    }

    async fn run_recorded(&self, claimed: &Claimed, journal: &LeaseJournal, control: &Control) -> End {
        let id = claimed.lease.execution_id;
        let job = loop {
            match self.load(claimed).await {
                Ok(job) => break job,
                Err(Unusable::Definition(error)) => return self.fail(claimed, journal, error).await,
                Err(Unusable::Store(error)) if error.is_temporary() => {
                    tracing::warn!(execution = %id, %error, "an execution could not be loaded");
                }
                Err(Unusable::Store(error)) => {
                    tracing::error!(execution = %id, %error, cause = ?std::error::Error::source(&error).map(ToString::to_string), "the record of an execution cannot be read");
                    let error = NodeError::fatal(
                        "corrupt_record",
                        "what is recorded of this execution cannot be read",
                    );
                    return self.fail(claimed, journal, error).await;
                }
            }
            tokio::select! {
                biased;
                stop = control.interrupted() => return match stop {
                    Stop::Lost => End::Lost,
                    Stop::Cancelled => cancel(journal).await,
                    Stop::Aborted | Stop::Drain => release(journal).await,
                },
                () = tokio::time::sleep(LOAD_BACKOFF) => {}
            }
        };
        let environment = self.environment(claimed);
        let outside =
            Outside { journal, environment: &environment, evaluator: self.services.evaluator.as_ref() };
        drive(job, outside, control, &self.options.limits).await.end
    }

    /// The workflow of an execution.
    async fn pinned(&self, claimed: &Claimed) -> Result<Pinned, Unusable> {
        let (db, catalogue) = (&self.services.db, &self.services.catalogue);
        let organization_id = claimed.organization_id;
        match claimed.metadata.get("definition") {
            Some(definition) => {
                let definition = definition.clone();
                self.definitions
                    .unpinned(db, catalogue, organization_id, claimed.workflow_id, definition)
                    .await
            }
            None => {
                let key = (claimed.workflow_id, claimed.workflow_version);
                self.definitions.pinned(db, catalogue, organization_id, key).await
            }
        }
    }

    fn info(&self, claimed: &Claimed, pinned: &Pinned) -> ExecutionInfo {
        let Pinned { graph, details } = pinned;
        let id = claimed.lease.execution_id;
        let is_manual = claimed.trigger_type == TriggerType::Manual;
        ExecutionInfo {
            id,
            mode: if is_manual { "test" } else { "production" }.to_owned(),
            resume_url: Some(self.services.resume_urls.url(id)),
            workflow: details.workflow.clone(),
            timezone: graph.settings.timezone.clone().unwrap_or_else(|| "UTC".to_owned()),
            vars: details.vars.clone(),
        }
    }

    /// Ends an execution that could not begin, or that a defect has stopped.
    async fn fail(&self, claimed: &Claimed, journal: &LeaseJournal, error: NodeError) -> End {
        // What has failed may be what is asked for here: then the failure is recorded without it.
        let heard = AssertUnwindSafe(self.failure_records(claimed, &error)).catch_unwind();
        let records = heard.await.unwrap_or_default();
        let ended = Ended {
            status: ExecutionStatus::Failed,
            items: None,
            error: Some(error.clone()),
            error_node_id: None,
            steps: StepCounts::default(),
        };
        let mut finished = journal.finish(records, ended.clone()).await;
        if let Err(Gone::Refused(_)) = finished {
            finished = journal.finish(Records::default(), ended).await;
        }
        match finished {
            Ok(()) => End::Failed(error),
            Err(_) => End::Lost,
        }
    }

    /// The start of the error workflow, or the log line that says why it is not started.
    async fn failure_records(&self, claimed: &Claimed, error: &NodeError) -> Records {
        let mut records = Records::default();
        if is_error_run(claimed) {
            return records;
        }
        let Ok(pinned) = self.pinned(claimed).await else { return records };
        let execution = self.info(claimed, &pinned);
        let failure = Failure { graph: &pinned.graph, execution: &execution, error, node_id: None };
        match failure.start(&self.environment(claimed)).await {
            Ok(start) => records.starts.extend(start),
            Err(message) => records.logs.push(LogLine {
                id: store::ids::new_id(),
                step_id: None,
                node: None,
                level: LogLevel::Error,
                message,
                data: None,
                at: self.services.db.now(),
            }),
        }
        records
    }

    async fn load(&self, claimed: &Claimed) -> Result<Job, Unusable> {
        let db = &self.services.db;
        let id = claimed.lease.execution_id;
        let pinned = self.pinned(claimed).await?;
        let execution = self.info(claimed, &pinned);
        let graph = pinned.graph;
        // The first claim of a new execution finds no steps, and need not look. A retry starts with copied ones.
        let recorded = if claimed.lease.token <= 1 && claimed.origin_execution_id.is_none() {
            Vec::new()
        } else {
            let records = store::journal::steps_of(db, id).await?;
            let steps: Result<Vec<Step>, _> = records.into_iter().map(Step::from_record).collect();
            steps.map_err(|error| {
                NodeError::fatal("corrupt_record", format!("a recorded step cannot be read: {error}"))
            })?
        };
        let trigger = match &claimed.trigger_node_id {
            Some(node_id) => graph.by_id(node_id).ok_or_else(|| {
                NodeError::fatal(
                    "trigger_not_found",
                    format!("the workflow has no node {node_id:?} to start at"),
                )
            })?,
            None => TriggerRole::SubWorkflow.trigger_of(&graph).ok_or_else(|| {
                NodeError::fatal("no_trigger", "the workflow has no enabled trigger to start at")
            })?,
        };
        let items = match &claimed.input_data {
            None => Items::new(vec![Item::default()]),
            input => items_of(input.clone()).map_err(|error| {
                NodeError::fatal("invalid_input", format!("the items to start with cannot be read: {error}"))
            })?,
        };
        Ok(Job {
            execution,
            graph,
            trigger,
            items,
            recorded,
            depth: claimed
                .metadata
                .get("depth")
                .and_then(serde_json::Value::as_u64)
                .and_then(|depth| u32::try_from(depth).ok())
                .unwrap_or(0),
            is_error_run: is_error_run(claimed),
            resume_token_hash: Some(self.services.resume_urls.token_hash(id)),
        })
    }
}

/// Whether it was itself started by a failure.
fn is_error_run(claimed: &Claimed) -> bool {
    claimed.metadata.get("errorOf").is_some()
}

/// Ends an execution that was cancelled before it could begin.
async fn cancel(journal: &LeaseJournal) -> End {
    let ended = Ended {
        status: ExecutionStatus::Cancelled,
        items: None,
        error: None,
        error_node_id: None,
        steps: StepCounts::default(),
    };
    match journal.finish(Records::default(), ended).await {
        Ok(()) => End::Cancelled,
        Err(_) => End::Lost,
    }
}

async fn release(journal: &LeaseJournal) -> End {
    match journal.release(Records::default()).await {
        Ok(()) => End::HandedBack,
        Err(_) => End::Lost,
    }
}
