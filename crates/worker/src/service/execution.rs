//! One claimed execution, from the claim to its end.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use engine::Item;
use engine::execution::ExecutionStatus;
use engine::item::Items;
use engine::node::{ExecutionInfo, NodeError};
use futures::FutureExt;
use store::queue::{Claimed, TriggerType};
use tokio::time::Instant;

use super::definitions::{Pinned, Unusable};
use super::tenant::{TenantEnvironment, items_of};
use super::{Inner, Running};
use crate::drive::{Control, End, Job, Outside, drive};
use crate::environment::TriggerRole;
use crate::journal::{Ended, Journal, LeaseClock, LeaseJournal, Records, StepCounts, Tenant};
use crate::step::Step;

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
        self.running().insert(id, running);
        let inner = Arc::clone(self);
        self.tasks.spawn(async move {
            let began = Instant::now();
            let end = inner.run(claimed, &control, &clock).await;
            inner.running().remove(&id);
            inner.slot_freed.notify_one();
            inner.changed.notify_waiters();
            metrics::counter!("tidemill_executions_ended_total", "end" => end.as_str()).increment(1);
            metrics::histogram!("tidemill_execution_run_seconds").record(began.elapsed());
            tracing::debug!(execution = %id, end = end.as_str(), "execution left this worker");
        });
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
        let running = AssertUnwindSafe(self.run_recorded(claimed, &journal, control)).catch_unwind();
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
                fail(&journal, error).await
            }
        }
    }

    async fn run_recorded(&self, claimed: Claimed, journal: &LeaseJournal, control: &Control) -> End {
        let environment = TenantEnvironment {
            services: &self.services,
            definitions: &self.definitions,
            organization_id: claimed.organization_id,
            user_id: claimed.user_id,
            execution_id: claimed.lease.execution_id,
            workflow: (claimed.workflow_id, claimed.workflow_version),
            inline_binary_bytes: self.options.inline_binary_bytes,
        };
        let job = loop {
            match self.load(&claimed).await {
                Ok(job) => break job,
                Err(Unusable::Definition(error)) => return fail(journal, error).await,
                Err(Unusable::Store(error)) => {
                    tracing::warn!(execution = %claimed.lease.execution_id, %error, "an execution could not be loaded");
                    tokio::select! {
                        () = control.lost.cancelled() => return End::Lost,
                        () = control.drain.cancelled() => return release(journal).await,
                        () = tokio::time::sleep(LOAD_BACKOFF) => {}
                    }
                }
            }
        };
        let outside =
            Outside { journal, environment: &environment, evaluator: self.services.evaluator.as_ref() };
        drive(job, outside, control, &self.options.limits).await.end
    }

    async fn load(&self, claimed: &Claimed) -> Result<Job, Unusable> {
        let (db, catalogue) = (&self.services.db, &self.services.catalogue);
        let organization_id = claimed.organization_id;
        let id = claimed.lease.execution_id;
        let Pinned { graph, details } = match claimed.metadata.get("definition") {
            Some(definition) => {
                let definition = definition.clone();
                self.definitions
                    .unpinned(db, catalogue, organization_id, claimed.workflow_id, definition)
                    .await?
            }
            None => {
                let key = (claimed.workflow_id, claimed.workflow_version);
                self.definitions.pinned(db, catalogue, organization_id, key).await?
            }
        };
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
        let is_manual = claimed.trigger_type == TriggerType::Manual;
        let timezone = graph.settings.timezone.clone().unwrap_or_else(|| "UTC".to_owned());
        Ok(Job {
            execution: ExecutionInfo {
                id,
                mode: if is_manual { "test" } else { "production" }.to_owned(),
                resume_url: Some(self.services.resume_urls.url(id)),
                workflow: details.workflow.clone(),
                timezone,
                vars: details.vars.clone(),
            },
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
            is_error_run: claimed.metadata.get("errorOf").is_some(),
            resume_token_hash: Some(self.services.resume_urls.token_hash(id)),
        })
    }
}

/// Ends an execution that cannot even begin.
async fn fail(journal: &LeaseJournal, error: NodeError) -> End {
    let ended = Ended {
        status: ExecutionStatus::Failed,
        items: None,
        error: Some(error.clone()),
        error_node_id: None,
        steps: StepCounts::default(),
    };
    match journal.finish(Records::default(), ended).await {
        Ok(()) => End::Failed(error),
        Err(_) => End::Lost,
    }
}

async fn release(journal: &LeaseJournal) -> End {
    match journal.release(Records::default()).await {
        Ok(()) => End::HandedBack,
        Err(_) => End::Lost,
    }
}
