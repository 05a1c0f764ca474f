//! What becomes of an attempt's answer.

use std::sync::Arc;
use std::time::Duration;

use engine::graph::NodeIndex;
use engine::item::Items;
use engine::node::{
    ChildCall, ChildStart, HttpReply, LogLevel, NodeError, Outcome, Resume, Wait, WorkflowReference,
};
use engine::run::{Settled, Task};
use serde_json::{Value, json};
use store::journal::StepStatus;

use super::attempt::{Answer, Attempt, Cut};
use super::control::Stop;
use super::recovery::Next;
use super::{Driver, Flow, depth, out_of_time};
use crate::environment::TriggerRole;
use crate::journal::{Durability, FoundWorkflow, Gone, Start, StartReason};
use crate::step::Step;

/// Where a task stands after an attempt.
pub(super) enum Taken {
    /// It is settled.
    Settled(Flow),
    /// It is not: this comes next.
    Again(Task, Next),
}

impl Driver<'_> {
    /// Takes what an attempt came to.
    pub(super) async fn take_answer(
        &mut self,
        task: Task,
        attempt: Attempt,
        answer: Answer,
    ) -> Result<Taken, Gone> {
        let answer =
            answer.map(|outcome| outcome.and_then(|outcome| depth::check(&outcome).map(|()| outcome)));
        match answer {
            Ok(Ok(Outcome::Done { outputs, context })) => {
                self.complete(task, attempt, outputs, context, None).await
            }
            Ok(Ok(Outcome::Respond { outputs, reply })) => {
                self.complete(task, attempt, outputs, None, Some(reply)).await
            }
            Ok(Ok(Outcome::Wait(wait))) => self.begin_wait(task, attempt, wait).await,
            Ok(Ok(Outcome::Start { calls, wait })) => self.start_workflows(task, attempt, calls, wait).await,
            Ok(Err(error)) => self.fail(task, attempt, error).await,
            Err(cut) => Ok(Taken::Settled(self.cut_short(attempt, cut).await?)),
        }
    }

    async fn complete(
        &mut self,
        task: Task,
        attempt: Attempt,
        mut outputs: Vec<Items>,
        mut state: Option<Value>,
        mut response: Option<HttpReply>,
    ) -> Result<Taken, Gone> {
        self.secrets.mask_outputs(&mut outputs);
        state.iter_mut().for_each(|state| self.secrets.mask_value(state));
        response.iter_mut().for_each(|reply| self.secrets.mask_reply(reply));

        let mut step = self.close(attempt, StepStatus::Completed);
        let durability = if response.is_some() { Durability::Now } else { Durability::Soon };
        step.context.state.clone_from(&state);
        step.context.response = response;
        let node = task.node;
        self.run.settle(task, Ok((outputs, state)));
        self.counts.completed += 1;
        // The record holds the items as they were settled: with their origins.
        step.outputs = self.settled_outputs(node);
        let counts: Vec<usize> = step.outputs.iter().flatten().map(|items| items.len()).collect();
        let ms = step.duration_ms.unwrap_or(0);
        let message =
            format!("{} completed in {ms} ms with {} items", step.node_name, counts.iter().sum::<usize>());
        self.log(Some(&step), LogLevel::Info, message, Some(json!({ "items": counts, "durationMs": ms })));
        self.outbox.steps.push(step);
        self.record(durability).await?;
        Ok(Taken::Settled(Flow::On))
    }

    pub(super) async fn fail(
        &mut self,
        task: Task,
        attempt: Attempt,
        mut error: NodeError,
    ) -> Result<Taken, Gone> {
        depth::bound_error(&mut error);
        self.secrets.mask_error(&mut error);
        let mut step = self.close(attempt, StepStatus::Failed);
        step.error = Some(error.clone());
        if let Some(at) = self.retry_after(&task, &step) {
            let message = format!(
                "{} failed in attempt {} and is tried again: {}",
                step.node_name, step.attempt, error.message
            );
            self.log(
                Some(&step),
                LogLevel::Warn,
                message,
                Some(json!({ "code": error.code, "retryAt": at })),
            );
            let attempt = step.attempt + 1;
            self.outbox.steps.push(step);
            return Ok(Taken::Again(task, Next::Retry { attempt, at }));
        }
        let message = format!("{} failed: {}", step.node_name, error.message);
        self.log(
            Some(&step),
            LogLevel::Error,
            message,
            Some(json!({ "code": error.code, "attempt": step.attempt })),
        );
        self.counts.failed += 1;
        let node = task.node;
        match self.run.settle(task, Err(error)) {
            Settled::Stopped(error) => {
                let node_id = step.node_id.clone();
                self.outbox.steps.push(step);
                Ok(Taken::Settled(Flow::End(self.finish_failed(error, Some(node_id)).await?)))
            }
            Settled::Done | Settled::Continued => {
                step.outputs = self.settled_outputs(node);
                self.outbox.steps.push(step);
                self.record(Durability::Soon).await?;
                Ok(Taken::Settled(Flow::On))
            }
        }
    }

    async fn begin_wait(&mut self, task: Task, mut attempt: Attempt, wait: Wait) -> Result<Taken, Gone> {
        let token_hash = match (wait.request, &self.job.resume_token_hash) {
            (false, _) => None,
            (true, Some(hash)) => Some(hash.clone()),
            (true, None) => {
                let message = "this node waits for a request to the resume URL, and no request can arrive here: only a server has such a URL";
                return self.fail(task, attempt, NodeError::fatal("no_resume_url", message)).await;
            }
        };
        if attempt.step.context.request.is_some() {
            return self.fail(task, attempt, waited_twice()).await;
        }
        if wait.until.is_none() && !wait.request {
            let error = NodeError::fatal("endless_wait", "the node waits for nothing");
            return self.fail(task, attempt, error).await;
        }
        attempt.spent_ms = attempt.running_ms();
        let mut step = attempt.step;
        step.status = StepStatus::Waiting;
        step.duration_ms = Some(attempt.spent_ms);
        step.context = crate::step::StepContext::default();
        step.resume_at = wait.until;
        step.resume_token_hash = token_hash;
        self.outbox.steps.push(step.clone());
        Ok(Taken::Again(task, Next::Wait(Box::new(step), wait.until)))
    }

    async fn start_workflows(
        &mut self,
        task: Task,
        mut attempt: Attempt,
        calls: Vec<ChildCall>,
        wait: bool,
    ) -> Result<Taken, Gone> {
        if calls.is_empty() {
            attempt.spent_ms = attempt.running_ms();
            attempt.resume =
                Some(if wait { Resume::Children(Vec::new()) } else { Resume::Started(Vec::new()) });
            return Ok(Taken::Again(task, Next::Attempt(Box::new(attempt))));
        }
        if attempt.step.context.request.is_some() {
            return self.fail(task, attempt, waited_twice()).await;
        }
        let starts = match self.plan_starts(&attempt.step, calls, wait).await {
            Ok(starts) => starts,
            Err(error) => return self.fail(task, attempt, error).await,
        };
        attempt.spent_ms = attempt.running_ms();
        let ids: Vec<_> = starts.iter().map(|start| start.id).collect();
        let step = &mut attempt.step;
        step.duration_ms = Some(attempt.spent_ms);
        step.child_execution_id = if let [only] = ids[..] { Some(only) } else { None };
        step.resume_at = None;
        step.resume_token_hash = None;
        step.context = crate::step::StepContext::default();
        // The executions and the record that they were started reach the database together.
        self.outbox.starts.extend(starts);
        if wait {
            step.context.children = Some(ids);
            step.status = StepStatus::Waiting;
            self.outbox.steps.push(step.clone());
            return Ok(Taken::Again(task, Next::Wait(Box::new(attempt.step), None)));
        }
        step.context.started = Some(ids.clone());
        step.status = StepStatus::Running;
        self.outbox.steps.push(step.clone());
        self.record(Durability::Soon).await?;
        attempt.resume =
            Some(Resume::Started(ids.into_iter().map(|execution_id| ChildStart { execution_id }).collect()));
        Ok(Taken::Again(task, Next::Attempt(Box::new(attempt))))
    }

    async fn plan_starts(
        &self,
        step: &Step,
        calls: Vec<ChildCall>,
        wait: bool,
    ) -> Result<Vec<Start>, NodeError> {
        if calls.len() > self.limits.max_starts {
            let message = format!(
                "{} executions are more than the {} that one step may start",
                calls.len(),
                self.limits.max_starts
            );
            return Err(NodeError::fatal("too_many_executions", message));
        }
        let depth = self.job.depth + 1;
        if depth > self.limits.max_depth {
            let message = format!(
                "workflows call each other more than {} deep (worker.max_depth); does one of them call itself?",
                self.limits.max_depth
            );
            return Err(NodeError::fatal("workflow_depth", message));
        }
        let step_id = step.id;
        let reason = if wait { StartReason::Awaited { step_id } } else { StartReason::Started { step_id } };
        // A node usually starts the same workflow for each of its items.
        let mut found: Option<(WorkflowReference, FoundWorkflow)> = None;
        let mut starts = Vec::with_capacity(calls.len());
        for ChildCall { workflow: reference, items } in calls {
            let workflow = match &found {
                Some((known, workflow)) if *known == reference => workflow.clone(),
                _ => {
                    let workflow =
                        self.outside.environment.find_workflow(&reference, TriggerRole::SubWorkflow).await?;
                    found = Some((reference, workflow.clone()));
                    workflow
                }
            };
            let mut items = [items];
            self.secrets.mask_outputs(&mut items);
            let [items] = items;
            starts.push(Start { id: store::ids::new_id(), workflow, items, reason, depth });
        }
        Ok(starts)
    }

    /// Ends the record of an attempt.
    fn close(&self, attempt: Attempt, status: StepStatus) -> Step {
        let running_ms = attempt.running_ms();
        let mut step = attempt.step;
        metrics::counter!("tidemill_steps_total", "status" => status.as_str()).increment(1);
        metrics::histogram!("tidemill_step_seconds").record(Duration::from_millis(running_ms));
        step.status = status;
        step.completed_at = Some(self.outside.environment.now());
        step.duration_ms = Some(running_ms);
        step.context.request = None;
        step.context.resumed = false;
        step
    }

    async fn cut_short(&mut self, attempt: Attempt, cut: Cut) -> Result<Flow, Gone> {
        match cut {
            Cut::Gone(gone) => Err(gone),
            Cut::Stop(Stop::Lost) => Err(Gone::Lost),
            Cut::Stop(Stop::Aborted | Stop::Drain) => Ok(Flow::End(self.hand_back().await?)),
            Cut::Stop(Stop::Cancelled) => {
                let step = self.close(attempt, StepStatus::Cancelled);
                self.outbox.steps.push(step);
                Ok(Flow::End(self.finish_cancelled().await?))
            }
            Cut::OutOfTime => {
                let error = out_of_time(&self.job.graph);
                let mut step = self.close(attempt, StepStatus::Failed);
                step.error = Some(error.clone());
                self.counts.failed += 1;
                let node_id = step.node_id.clone();
                self.outbox.steps.push(step);
                Ok(Flow::End(self.finish_failed(error, Some(node_id)).await?))
            }
        }
    }

    fn settled_outputs(&self, node: NodeIndex) -> Option<Vec<Items>> {
        Some(self.run.data().runs(node).last()?.outputs.iter().map(Arc::clone).collect())
    }
}

/// A request stays with its step until the step has ended, so nothing else can be waited for behind it.
fn waited_twice() -> NodeError {
    NodeError::fatal("waited_twice", "a node that was resumed by a request cannot wait again in the same run")
}
