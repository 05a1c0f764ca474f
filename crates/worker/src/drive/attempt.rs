//! One attempt: parameters, the node itself, and everything that can cut it short.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use engine::expression::{Scope, resolve_parameters};
use engine::node::{Call, Effect, NodeError, Outcome, Parameters, Resume};
use engine::run::Task;
use futures::FutureExt;
use store::journal::StepStatus;
use tokio::time::Instant;

use super::Driver;
use super::control::Stop;
use super::host::StepHost;
use crate::journal::{Durability, Gone, Records, Refusal};
use crate::step::Step;

/// An attempt that is about to be made.
pub(super) struct Attempt {
    /// Its record.
    pub step: Step,
    /// Why the node is run again, after it has waited.
    pub resume: Option<Resume>,
    /// A worker stopped while the node ran.
    pub was_in_flight: bool,
    /// It cannot be made, for this reason.
    pub refused: Option<NodeError>,
    /// When this call of the node began.
    pub began: Instant,
    /// How long earlier calls of the node ran, before it waited.
    pub spent_ms: u64,
}

/// How an attempt was cut short.
#[derive(Debug)]
pub(super) enum Cut {
    /// From outside.
    Stop(Stop),
    /// The workflow's time is up.
    OutOfTime,
    /// The journal takes nothing more.
    Gone(Gone),
}

impl From<Gone> for Cut {
    fn from(gone: Gone) -> Self {
        Self::Gone(gone)
    }
}

/// What an attempt came to.
pub(super) type Answer = Result<Result<Outcome, NodeError>, Cut>;

impl Attempt {
    pub(super) fn new(step: Step) -> Self {
        let spent_ms = step.duration_ms.unwrap_or(0);
        Self { step, resume: None, was_in_flight: false, refused: None, began: Instant::now(), spent_ms }
    }

    /// Running time up to now, waiting not counted.
    pub(super) fn running_ms(&self) -> u64 {
        self.spent_ms.saturating_add(u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX))
    }
}

impl Driver<'_> {
    /// Makes an attempt.
    pub(super) async fn attempt(&mut self, task: &Task, attempt: &mut Attempt) -> Answer {
        attempt.began = Instant::now();
        if let Some(error) = attempt.refused.take() {
            return Ok(Err(error));
        }
        let graph = Arc::clone(&self.job.graph);
        let spec = &graph.nodes[task.node];
        if spec.disabled {
            let passed = task.inputs.first().cloned().flatten().unwrap_or_default();
            return Ok(Ok(Outcome::outputs(vec![passed])));
        }
        let limit = spec.timeout_ms.map_or(self.limits.step_timeout, Duration::from_millis);
        let ends = attempt.began + limit;

        let parameters = match self.resolve(task, attempt, ends, limit).await? {
            Ok(parameters) => parameters,
            Err(error) => return Ok(Err(error)),
        };
        let is_external = effect_of(spec, &parameters) == Effect::External;
        if is_external {
            if attempt.was_in_flight {
                return Ok(Err(interrupted()));
            }
            self.record_start(attempt).await?;
        }
        let host = StepHost::new(self.outside, &self.secrets, &self.logs, &attempt.step);
        let call = Call {
            graph: &graph,
            node: spec,
            run_index: task.run_index,
            attempt: attempt.step.attempt,
            inputs: &task.inputs,
            sources: &task.sources,
            parameters: &parameters,
            data: self.run.data(),
            context: task.context.as_ref(),
            resume: attempt.resume.take(),
            execution: &self.job.execution,
            host: &host,
        };
        // Without `async` the node's future would be made, and could panic, outside of the guard.
        let future = async { spec.node.run(call).await };
        self.guarded(&attempt.step, !is_external, ends, limit, future).await
    }

    async fn resolve(
        &self,
        task: &Task,
        attempt: &Attempt,
        ends: Instant,
        limit: Duration,
    ) -> Result<Result<Parameters, NodeError>, Cut> {
        let graph = &self.job.graph;
        let spec = &graph.nodes[task.node];
        let scope = Scope {
            graph,
            node: spec,
            run_index: task.run_index,
            inputs: &task.inputs,
            sources: &task.sources,
            data: self.run.data(),
            execution: &self.job.execution,
            now: self.outside.environment.now(),
        };
        let future = resolve_parameters(&spec.template, &spec.fields, &scope, self.outside.evaluator);
        self.guarded(&attempt.step, false, ends, limit, future).await
    }

    /// Makes it durable that a node which changes the world is about to start.
    async fn record_start(&mut self, attempt: &mut Attempt) -> Result<(), Gone> {
        attempt.step.context.resumed = attempt.resume.is_some();
        attempt.step.status = StepStatus::Running;
        self.outbox.steps.push(attempt.step.clone());
        self.record(Durability::Now).await
    }

    /// Runs a future of a node: not longer than its time, not past a reason to stop, and through a panic.
    async fn guarded<T>(
        &self,
        step: &Step,
        show: bool,
        ends: Instant,
        limit: Duration,
        future: impl Future<Output = Result<T, NodeError>>,
    ) -> Result<Result<T, NodeError>, Cut> {
        let caught = AssertUnwindSafe(future).catch_unwind();
        let deadline = async {
            match self.deadline {
                Some(deadline) => tokio::time::sleep_until(deadline).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            stop = self.control.stopped() => Err(Cut::Stop(stop)),
            ended = caught => Ok(ended.unwrap_or_else(|panic| Err(panicked(panic.as_ref())))),
            () = deadline => Err(Cut::OutOfTime),
            () = tokio::time::sleep_until(ends) => Ok(Err(timed_out(limit))),
            gone = self.show_while_running(step, show) => Err(Cut::Gone(gone)),
        }
    }

    /// Lets a watcher see a step that takes long, and its log lines; returns only if the journal refuses.
    async fn show_while_running(&self, step: &Step, mut show: bool) -> Gone {
        loop {
            tokio::time::sleep(self.limits.show_running_after).await;
            let steps = if std::mem::take(&mut show) && step.status == StepStatus::Running {
                vec![step.clone()]
            } else {
                Vec::new()
            };
            let records = Records { steps, logs: self.logs.take(), starts: Vec::new() };
            if records.is_empty() {
                continue;
            }
            // Not `record`: it could be dropped half-way when the node ends.
            match self.outside.journal.offer(records) {
                Ok(()) => {}
                Err(Refusal::Full(records)) => {
                    self.logs.put_back(records.logs);
                    show = show || !records.steps.is_empty();
                }
                Err(Refusal::Gone(gone)) => return gone,
            }
        }
    }
}

/// The gravest effect that the node has with any of its parameters.
fn effect_of(spec: &engine::graph::NodeSpec, parameters: &Parameters) -> Effect {
    let grave = |effect: &Effect| match effect {
        Effect::Pure => 0,
        Effect::Idempotent => 1,
        Effect::External => 2,
    };
    let of = |value: &Arc<serde_json::Value>| spec.node.effect(value);
    match parameters {
        Parameters::Same(value) => of(value),
        Parameters::PerItem(values) => {
            values.iter().flatten().map(of).max_by_key(grave).unwrap_or_else(|| spec.node.descriptor().effect)
        }
    }
}

fn interrupted() -> NodeError {
    NodeError::retryable(
        "interrupted",
        "the worker stopped while this node ran; whether it had its effect is not known, so it is not run again unless its retry policy allows",
    )
}

fn timed_out(limit: Duration) -> NodeError {
    NodeError::retryable("timeout", format!("the node did not end within {} ms", limit.as_millis()))
}

fn panicked(panic: &(dyn std::any::Any + Send)) -> NodeError {
    let text =
        panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    NodeError::fatal("panic", format!("the node stopped with a defect: {}", text.unwrap_or("no message")))
}
