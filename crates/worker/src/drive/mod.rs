//! Runs one execution, step by step.
//!
//! [`drive`] asks the engine for the next task, takes its outcome from the record where there is one, and
//! otherwise runs the node; then it settles the outcome, records it, and goes on, until the execution has
//! ended or gives its place back. It does not know where records go ([`Journal`]) or what surrounds the
//! execution ([`Environment`]): `tidemill run` and a worker drive the same code.
//!
//! What it guarantees, with a journal that keeps its promises:
//!
//! - A step recorded as completed, or as failed for good, is never run again.
//! - A node that changes the outside world starts only when everything before it, and the fact that it
//!   starts, is durable. Found unfinished by a later worker, it counts as a used attempt (`interrupted`)
//!   and is run again only if its retry policy has attempts left. Other nodes are run again at will.
//! - Each attempt is a record of its own.
//! - A panic, an endless node, a lost lease, a cancellation: each ends the step, none the worker.
//! - No secret value of a credential is recorded (see [`secrets`]).

mod attempt;
pub(crate) mod control;
mod depth;
mod end;
pub(crate) mod failure;
mod host;
mod outcome;
mod pause;
mod recovery;
pub mod secrets;

use std::sync::Arc;
use std::time::Duration;

use engine::Graph;
use engine::expression::Evaluator;
use engine::graph::NodeIndex;
use engine::item::Items;
use engine::node::{ExecutionInfo, LogLevel, NodeError};
use engine::run::{Run, Task};
use serde_json::Value;
use tokio::time::Instant;
use uuid::Uuid;

use crate::environment::Environment;
use crate::journal::{Durability, Gone, Journal, Records, StepCounts};
use crate::step::{LogLine, Step};

pub use control::Control;
pub use end::{End, Report};

use attempt::Attempt;
use control::Stop;
use host::LogBuffer;
use outcome::Taken;
use pause::Paused;
use recovery::{Next, Recorded};
use secrets::Secrets;

/// An execution to be run, or to be gone on with.
pub struct Job {
    /// What nodes and expressions see of it.
    pub execution: ExecutionInfo,
    /// Its workflow.
    pub graph: Arc<Graph>,
    /// Where it starts.
    pub trigger: NodeIndex,
    /// What the trigger gives out.
    pub items: Items,
    /// The steps on record, of earlier claims or of the execution that this one repeats.
    pub recorded: Vec<Step>,
    /// How many workflows deep it is; 0 was started from outside.
    pub depth: u32,
    /// Whether it was itself started by a failure; then its own failure starts nothing.
    pub is_error_run: bool,
    /// What a step that waits for a request keeps; `None` where no request can arrive.
    pub resume_token_hash: Option<String>,
}

/// The outside of one execution.
#[derive(Clone, Copy)]
pub struct Outside<'a> {
    /// Where it is recorded.
    pub journal: &'a dyn Journal,
    /// What surrounds it.
    pub environment: &'a dyn Environment,
    /// Who runs JavaScript.
    pub evaluator: &'a dyn Evaluator,
}

/// Bounds of every execution.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Longest attempt of a node that does not say.
    pub step_timeout: Duration,
    /// Longest pause during which an execution keeps its place.
    pub hold: Duration,
    /// How long a step runs before its row shows it as running, and how often its log lines are then written.
    pub show_running_after: Duration,
    /// Deepest nesting of workflows.
    pub max_depth: u32,
    /// Most executions that one step may start.
    pub max_starts: usize,
    /// Most log lines of one execution that nodes write.
    pub max_log_lines: usize,
    /// Longest log message in bytes; the rest is cut off.
    pub max_log_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            step_timeout: Duration::from_secs(300),
            hold: Duration::from_secs(5),
            show_running_after: Duration::from_secs(1),
            max_depth: 10,
            max_starts: 10_000,
            max_log_lines: 10_000,
            max_log_bytes: 64 * 1024,
        }
    }
}

/// Runs an execution until it ends or gives its place back.
pub async fn drive(job: Job, outside: Outside<'_>, control: &Control, limits: &Limits) -> Report {
    let mut driver = Driver::new(job, outside, control, limits);
    let end = match driver.run_to_end().await {
        Ok(end) => end,
        Err(gone) => driver.give_up(gone).await,
    };
    Report { end, run: driver.run }
}

/// One execution while it runs.
struct Driver<'a> {
    job: Job,
    outside: Outside<'a>,
    control: &'a Control,
    limits: &'a Limits,
    run: Run,
    recorded: Recorded,
    secrets: Secrets,
    logs: LogBuffer,
    counts: StepCounts,
    /// When the workflow's time is up.
    deadline: Option<Instant>,
    /// Records not yet handed to the journal.
    outbox: Records,
}

/// Whether an execution goes on after a task.
enum Flow {
    On,
    End(End),
}

impl<'a> Driver<'a> {
    fn new(mut job: Job, outside: Outside<'a>, control: &'a Control, limits: &'a Limits) -> Self {
        let recorded = Recorded::new(std::mem::take(&mut job.recorded));
        let timeout = job.graph.settings.timeout_ms.map(Duration::from_millis);
        let deadline =
            timeout.map(|timeout| Instant::now() + timeout.saturating_sub(recorded.running_time()));
        Self {
            run: Run::start(Arc::clone(&job.graph), job.trigger, Arc::clone(&job.items)),
            logs: LogBuffer::new(limits),
            job,
            outside,
            control,
            limits,
            recorded,
            secrets: Secrets::default(),
            counts: StepCounts::default(),
            deadline,
            outbox: Records::default(),
        }
    }

    async fn run_to_end(&mut self) -> Result<End, Gone> {
        self.learn_secrets_of_recorded_steps().await;
        loop {
            match self.control.stop() {
                None | Some(Stop::Drain) => {}
                Some(Stop::Lost) => return Err(Gone::Lost),
                Some(Stop::Cancelled) => return self.finish_cancelled().await,
                Some(Stop::Aborted) => return self.hand_back().await,
            }
            let task = match self.run.next_task() {
                // A node that ends at once is never cut short, so a workflow of such nodes is stopped here.
                Ok(Some(_)) if self.is_out_of_time() => {
                    return self.finish_failed(out_of_time(&self.job.graph), None).await;
                }
                Ok(Some(task)) => task,
                Ok(None) => return self.finish_completed().await,
                Err(error) => return self.finish_failed(error, None).await,
            };
            if let Flow::End(end) = self.run_task(task).await? {
                return Ok(end);
            }
            // A long chain of recorded or trivial steps must not keep a thread of the runtime to itself.
            tokio::task::coop::consume_budget().await;
        }
    }

    /// Brings one task to its settled outcome.
    async fn run_task(&mut self, mut task: Task) -> Result<Flow, Gone> {
        self.counts.total += 1;
        let mut next = self.recover(&task).await?;
        loop {
            next = match next {
                Next::Recorded(step) => return self.settle_recorded(task, *step).await,
                Next::End(end) => return Ok(Flow::End(end)),
                Next::Wait(step, until) => match self.wait(*step, until).await? {
                    Paused::Over(attempt) => Next::Attempt(attempt),
                    Paused::End(end) => return Ok(Flow::End(end)),
                },
                Next::Retry { attempt, at } => match self.pause_before_retry(&task, attempt, at).await? {
                    Paused::Over(attempt) => Next::Attempt(attempt),
                    Paused::End(end) => return Ok(Flow::End(end)),
                },
                Next::Attempt(attempt) => {
                    if self.control.is_draining() {
                        return Ok(Flow::End(self.hand_back().await?));
                    }
                    let mut attempt = *attempt;
                    let answer = self.attempt(&task, &mut attempt).await;
                    match self.take_answer(task, attempt, answer).await? {
                        Taken::Settled(flow) => return Ok(flow),
                        Taken::Again(same, next) => {
                            task = same;
                            next
                        }
                    }
                }
            };
        }
    }

    fn fresh_attempt(&self, task: &Task, number: u32) -> Box<Attempt> {
        let spec = &self.job.graph.nodes[task.node];
        let sources = task.sources_json(&self.job.graph);
        Box::new(Attempt::new(Step::begin(spec, task, sources, number, self.outside.environment.now())))
    }

    /// Hands everything that was put aside to the journal.
    async fn record(&mut self, durability: Durability) -> Result<(), Gone> {
        let records = self.take_records();
        self.outside.journal.record(records, durability).await
    }

    fn take_records(&mut self) -> Records {
        let mut records = std::mem::take(&mut self.outbox);
        records.logs.extend(self.logs.take());
        records
    }

    /// Adds a line of the driver's own to the execution log.
    fn log(&mut self, step: Option<&Step>, level: LogLevel, mut message: String, data: Option<Value>) {
        self.secrets.mask_text(&mut message);
        self.outbox.logs.push(LogLine {
            id: store::ids::new_id(),
            step_id: step.map(|step| step.id),
            node: step.map(|step| (step.node_id.clone(), step.node_type.clone())),
            level,
            message,
            data,
            at: self.outside.environment.now(),
        });
    }

    /// A step of an earlier claim may have used credentials whose values could still come back from outside.
    async fn learn_secrets_of_recorded_steps(&mut self) {
        let nodes = self.job.graph.nodes.iter();
        let mut names: Vec<&str> = nodes
            .filter(|spec| self.recorded.has_node(&spec.id))
            .filter_map(|spec| spec.integration.as_deref())
            .collect();
        names.sort_unstable();
        names.dedup();
        for name in names {
            match self.outside.environment.credential(name).await {
                Ok(credential) => self.secrets.learn(&credential),
                Err(error) => {
                    tracing::warn!(execution = %self.job.execution.id, %error, "cannot read a credential to mask it")
                }
            }
        }
    }

    fn is_out_of_time(&self) -> bool {
        self.deadline.is_some_and(|deadline| deadline <= Instant::now())
    }

    /// Time that is waiting and does not count as running.
    fn extend_deadline(&mut self, waited: Duration) {
        if let Some(deadline) = &mut self.deadline {
            *deadline += waited;
        }
    }

    fn execution_id(&self) -> Uuid {
        self.job.execution.id
    }
}

/// The workflow's time is up.
fn out_of_time(graph: &Graph) -> NodeError {
    let limit_ms = graph.settings.timeout_ms.unwrap_or_default();
    NodeError::fatal(
        "execution_timeout",
        format!("the execution ran longer than {limit_ms} ms (settings.timeoutMs)"),
    )
}
