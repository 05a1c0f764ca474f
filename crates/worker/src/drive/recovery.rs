//! What the record says of a task, and so what has to be done for it.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use engine::node::{NodeError, Resume};
use engine::run::Task;
use store::journal::StepStatus;
use uuid::Uuid;

use super::attempt::Attempt;
use super::{Driver, End, Flow};
use crate::journal::Gone;
use crate::step::Step;

/// The steps on record, by node and run.
pub(super) struct Recorded {
    steps: HashMap<(String, usize), Vec<Step>>,
    nodes: HashSet<String>,
    running_time: Duration,
}

/// Shortest pause after results could not be read.
const FIRST_BACKOFF: Duration = Duration::from_millis(100);

/// Longest pause after results could not be read.
const LONGEST_BACKOFF: Duration = Duration::from_secs(5);

/// What has to be done for a task.
pub(super) enum Next {
    /// Nothing: this is its final record.
    Recorded(Box<Step>),
    /// Run the node.
    Attempt(Box<Attempt>),
    /// What its step waits for has not happened: wait on, until this moment if there is one.
    Wait(Box<Step>, Option<DateTime<Utc>>),
    /// Nothing more: the execution has ended, or given its place back.
    End(End),
    /// Try again, but not before this moment.
    Retry { attempt: u32, at: DateTime<Utc> },
}

/// Why an unfinished step can go on.
enum Found {
    /// For this reason; `None` if it waits for something that has not happened.
    Resume(Option<Resume>),
    /// It cannot: what it waited for cannot be used.
    Unusable(NodeError),
    /// Nobody knows yet, and the drive has ended.
    Stopped(End),
}

impl Recorded {
    pub(super) fn new(steps: Vec<Step>) -> Self {
        let running_ms = steps.iter().filter_map(|step| step.duration_ms).fold(0u64, u64::saturating_add);
        let nodes = steps.iter().map(|step| step.node_id.clone()).collect();
        let mut by_task: HashMap<_, Vec<Step>> = HashMap::new();
        for step in steps {
            by_task.entry((step.node_id.clone(), step.run_index)).or_default().push(step);
        }
        by_task.values_mut().for_each(|attempts| attempts.sort_by_key(|step| step.attempt));
        Self { steps: by_task, nodes, running_time: Duration::from_millis(running_ms) }
    }

    /// How long the recorded steps ran, waiting not counted.
    pub(super) fn running_time(&self) -> Duration {
        self.running_time
    }

    pub(super) fn has_node(&self, node_id: &str) -> bool {
        self.nodes.contains(node_id)
    }

    /// Takes the steps that have not ended.
    pub(super) fn take_unfinished(&mut self) -> Vec<Step> {
        let steps = std::mem::take(&mut self.steps).into_values().flatten();
        steps.filter(|step| matches!(step.status, StepStatus::Running | StepStatus::Waiting)).collect()
    }

    /// Takes the record of the last attempt.
    fn take_last(&mut self, node_id: &str, run_index: usize) -> Option<Step> {
        if self.steps.is_empty() {
            return None;
        }
        self.steps.remove(&(node_id.to_owned(), run_index))?.pop()
    }
}

impl Driver<'_> {
    /// Reads from the record what has to be done for a task.
    pub(super) async fn recover(&mut self, task: &Task) -> Result<Next, Gone> {
        let node_id = &self.job.graph.nodes[task.node].id;
        let Some(step) = self.recorded.take_last(node_id, task.run_index) else {
            return Ok(Next::Attempt(self.fresh_attempt(task, 1)));
        };
        match step.status {
            StepStatus::Completed => Ok(Next::Recorded(Box::new(step))),
            StepStatus::Cancelled => Ok(Next::Attempt(self.fresh_attempt(task, step.attempt + 1))),
            StepStatus::Failed => Ok(match self.retry_after(task, &step) {
                Some(at) => Next::Retry { attempt: step.attempt + 1, at },
                None => Next::Recorded(Box::new(step)),
            }),
            StepStatus::Running | StepStatus::Waiting => self.recover_unfinished(step).await,
        }
    }

    async fn recover_unfinished(&mut self, mut step: Step) -> Result<Next, Gone> {
        // `resumed` is written before a node that changes the world is run again after its wait. Then, or when such
        // a node was on its first call, nobody knows how far it came.
        let was_in_flight =
            step.status == StepStatus::Running && (step.context.resumed || !has_resume(&step));
        let resume = match self.resume_of(&step).await? {
            Found::Resume(resume) => resume,
            Found::Stopped(end) => return Ok(Next::End(end)),
            Found::Unusable(error) => {
                let mut attempt = Attempt::new(step);
                attempt.refused = Some(error);
                return Ok(Next::Attempt(Box::new(attempt)));
            }
        };
        if resume.is_none() && step.status == StepStatus::Waiting {
            let until = step.resume_at;
            return Ok(Next::Wait(Box::new(step), until));
        }
        step.context.resumed = false;
        let mut attempt = Attempt::new(step);
        attempt.resume = resume;
        attempt.was_in_flight = was_in_flight;
        Ok(Next::Attempt(Box::new(attempt)))
    }

    /// Why an unfinished step can go on.
    async fn resume_of(&mut self, step: &Step) -> Result<Found, Gone> {
        let context = &step.context;
        if let Some(request) = &context.request {
            return Ok(Found::Resume(Some(Resume::Request(Box::new(request.clone())))));
        }
        if let Some(started) = &context.started {
            let starts = started.iter().map(|&execution_id| engine::node::ChildStart { execution_id });
            return Ok(Found::Resume(Some(Resume::Started(starts.collect()))));
        }
        if let Some(children) = &context.children {
            return self.results_of(step, children).await;
        }
        let now = self.outside.environment.now();
        Ok(Found::Resume(step.resume_at.filter(|at| *at <= now).map(|_| Resume::Time)))
    }

    /// The results of the executions that a step waits for.
    ///
    /// A store that does not answer is no outcome of theirs: to fail the step would lose what they did, or start
    /// them once more. So it is asked until it answers or there is a reason to stop, of which a lost lease is one.
    async fn results_of(&mut self, step: &Step, children: &[Uuid]) -> Result<Found, Gone> {
        let mut backoff = FIRST_BACKOFF;
        loop {
            match self.outside.environment.child_results(children).await {
                Ok(results) => return Ok(Found::Resume(results.map(Resume::Children))),
                Err(error) if !error.retryable => return Ok(Found::Unusable(error)),
                Err(error) => {
                    tracing::warn!(execution = %self.execution_id(), %error, "the results of sub-workflows could not be read");
                }
            }
            if let Some(stop) = self.sleep(backoff).await {
                return Ok(Found::Stopped(self.break_off(stop, Some(step)).await?));
            }
            backoff = (backoff * 2).min(LONGEST_BACKOFF);
        }
    }

    /// When a failed attempt is followed by another, or `None` if it was the last.
    pub(super) fn retry_after(&self, task: &Task, failed: &Step) -> Option<DateTime<Utc>> {
        let error = failed.error.as_ref()?;
        if !error.retryable {
            return None;
        }
        let policy = &self.job.graph.nodes[task.node].retry;
        let delay_ms = policy.delay_after(failed.attempt, self.execution_id())?;
        let delay_ms = delay_ms.max(error.retry_after_ms.unwrap_or(0)).min(engine::retry::MAX_DELAY_MS);
        let delay = TimeDelta::milliseconds(i64::try_from(delay_ms).unwrap_or(i64::MAX));
        Some(failed.completed_at.unwrap_or(failed.started_at) + delay)
    }

    /// Settles a task as its final record says.
    pub(super) async fn settle_recorded(&mut self, task: Task, step: Step) -> Result<Flow, Gone> {
        let result = match (step.status, step.error) {
            (StepStatus::Failed, error) => {
                Err(error.unwrap_or_else(|| NodeError::fatal("unknown", "no error is on record")))
            }
            (_, _) => Ok((step.outputs.unwrap_or_default(), step.context.state)),
        };
        match &result {
            Ok(_) => self.counts.completed += 1,
            Err(_) => self.counts.failed += 1,
        }
        match self.run.settle(task, result) {
            engine::run::Settled::Stopped(error) => {
                Ok(Flow::End(self.finish_failed(error, Some(step.node_id)).await?))
            }
            engine::run::Settled::Done | engine::run::Settled::Continued => Ok(Flow::On),
        }
    }
}

fn has_resume(step: &Step) -> bool {
    let context = &step.context;
    context.request.is_some()
        || context.started.is_some()
        || context.children.is_some()
        || step.resume_at.is_some()
}
