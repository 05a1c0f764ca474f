//! The pool of sandbox processes.

use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use async_trait::async_trait;
use engine::expression::{EvaluateJob, EvaluatedRow, Evaluator};
use engine::node::{CodeOutput, CodeRequest, NodeError};
use engine::sandbox::{Exchange, Failure, FailureKind};
use tokio::sync::Semaphore;

use super::limits::Limits;
use super::process::{Interruption, Process};
use super::spawner::Spawner;

/// How long a child without work is kept.
const IDLE: Duration = Duration::from_secs(60);

/// How much longer than the request may run the child gets to say so itself, before it is killed.
const GRACE: Duration = Duration::from_millis(500);

/// Error codes after which a child is in order and can go on.
const HARMLESS_CODES: [&str; 2] = ["code_failed", "code_output"];

/// Runs JavaScript in child processes. Cheap to clone; used from one async runtime.
#[derive(Clone)]
pub struct Pool {
    inner: Arc<Inner>,
}

struct Inner {
    limits: Limits,
    spawner: Spawner,
    /// One permit for each process that may be at work.
    slots: Semaphore,
    idle: Mutex<Idle>,
}

#[derive(Default)]
struct Idle {
    /// Children without work, the one that worked last at the end.
    processes: Vec<Process>,
    /// Whether somebody looks after those that stay idle.
    is_watched: bool,
}

impl Pool {
    /// A pool whose children are this executable, which must call [`super::run_if_child`] first in `main`. Children
    /// are started when they are needed.
    ///
    /// # Errors
    /// When the thread that starts children cannot be started.
    pub fn new(limits: Limits) -> io::Result<Self> {
        // Stays right when the file is replaced by a newer one while this process runs.
        let own = PathBuf::from("/proc/self/exe");
        let program = if own.exists() { own } else { std::env::current_exe()? };
        let inner = Inner {
            spawner: Spawner::start(program, &limits)?,
            slots: Semaphore::new(limits.process_count()),
            idle: Mutex::default(),
            limits,
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// The limits.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.inner.limits
    }

    /// How many children are alive without work.
    #[must_use]
    pub fn idle_processes(&self) -> usize {
        self.inner.idle().processes.len()
    }

    /// Runs a request; when this future is dropped its child is killed.
    async fn run(&self, exchange: &Exchange<'_>, timeout: Duration) -> Result<Vec<u8>, NodeError> {
        let limits = &self.inner.limits;
        let request_bytes = exchange.request().payload.len();
        if request_bytes > limits.input_bytes() {
            let message =
                format!("the items are {request_bytes} bytes of JSON, the limit is {}", limits.input_bytes());
            return Err(Failure::new(FailureKind::Memory, message).into());
        }
        let _slot = self.inner.slots.acquire().await.map_err(|error| crashed(&error))?;
        let mut process = self.idle_process(timeout);
        loop {
            let mut current = match process.take() {
                Some(process) => process,
                None => self.new_process().await.map_err(|error| crashed(&error))?,
            };
            match tokio::time::timeout(timeout + GRACE, current.run(exchange, limits)).await {
                Ok(Ok(payload)) => {
                    self.give_back(current);
                    return Ok(payload);
                }
                Ok(Err(Interruption::Answered(error))) => {
                    if HARMLESS_CODES.contains(&error.code.as_str()) {
                        self.give_back(current);
                    }
                    return Err(error);
                }
                // It may have died while it had nothing to do; only a new child proves that the request is to blame.
                Ok(Err(Interruption::Broken(_))) if current.was_idle_and_silent() => {}
                Ok(Err(Interruption::Broken(error))) => return Err(current.post_mortem(&error).await),
                Err(_) => return Err(Failure::new(FailureKind::Timeout, late(timeout)).into()),
            }
        }
    }

    fn idle_process(&self, request: Duration) -> Option<Process> {
        let process = self.inner.idle().processes.pop();
        process.filter(|process| process.has_time_for(request))
    }

    async fn new_process(&self) -> io::Result<Process> {
        Process::new(self.inner.spawner.spawn().await?)
    }

    fn give_back(&self, mut process: Process) {
        process.rest();
        let mut idle = self.inner.idle();
        idle.processes.push(process);
        if !std::mem::replace(&mut idle.is_watched, true) {
            tokio::spawn(end_idle_processes(Arc::downgrade(&self.inner)));
        }
    }
}

impl Inner {
    fn idle(&self) -> MutexGuard<'_, Idle> {
        // Nothing that holds the lock can leave the list half changed.
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Ends children that stay idle; ends itself when none is left.
async fn end_idle_processes(pool: Weak<Inner>) {
    loop {
        tokio::time::sleep(IDLE / 4).await;
        let Some(pool) = pool.upgrade() else { return };
        let mut idle = pool.idle();
        idle.processes.retain(|process| process.idle_for() < IDLE);
        if idle.processes.is_empty() {
            idle.is_watched = false;
            return;
        }
    }
}

fn late(timeout: Duration) -> String {
    format!("the limit is {} ms", timeout.as_millis())
}

fn crashed(error: &dyn std::fmt::Display) -> NodeError {
    Failure::new(FailureKind::Crashed, error.to_string()).into()
}

#[async_trait]
impl Evaluator for Pool {
    async fn evaluate(&self, job: EvaluateJob<'_>) -> Result<Vec<EvaluatedRow>, NodeError> {
        let timeout = self.inner.limits.timeout(u64::MAX);
        let exchange = Exchange::evaluate(&job, milliseconds(timeout))?;
        Exchange::read_rows(&self.run(&exchange, timeout).await?)
    }

    async fn run_code(&self, request: CodeRequest<'_>) -> Result<CodeOutput, NodeError> {
        let timeout = self.inner.limits.timeout(request.timeout_ms);
        let exchange = Exchange::code(&request, milliseconds(timeout))?;
        Exchange::read_output(&self.run(&exchange, timeout).await?)
    }
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
