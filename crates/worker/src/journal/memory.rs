//! The journal of an execution that has no database.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use store::journal::StepStatus;

use super::{Durability, Ended, Gone, Journal, Records, Refusal, Start};
use crate::step::{LogLine, Step};

/// Told of every record of a step and of every log line, as it is made.
pub trait Progress: Send + Sync {
    /// A step has come to a new state.
    fn step(&self, step: &Step);

    /// A line was logged.
    fn log(&self, line: &LogLine);
}

/// Keeps records in memory, in the way the tables would.
#[derive(Default)]
pub struct MemoryJournal {
    state: Mutex<State>,
    progress: Option<Arc<dyn Progress>>,
}

#[derive(Default)]
struct State {
    steps: Vec<Step>,
    logs: Vec<LogLine>,
    starts: Vec<Start>,
    ended: Option<Ended>,
    resume_at: Option<DateTime<Utc>>,
}

impl MemoryJournal {
    /// An empty journal that tells `progress` of what it is given.
    #[must_use]
    pub fn new(progress: Option<Arc<dyn Progress>>) -> Self {
        Self { state: Mutex::default(), progress }
    }

    /// The steps so far, in order.
    #[must_use]
    pub fn steps(&self) -> Vec<Step> {
        let mut steps = self.with(|state| state.steps.clone());
        steps.sort_by_key(|step| (step.sequence, step.attempt));
        steps
    }

    /// The log lines so far.
    #[must_use]
    pub fn logs(&self) -> Vec<LogLine> {
        self.with(|state| state.logs.clone())
    }

    /// Takes the executions that were to be started since the last call.
    #[must_use]
    pub fn take_starts(&self) -> Vec<Start> {
        self.with(|state| std::mem::take(&mut state.starts))
    }

    /// What the execution came to.
    #[must_use]
    pub fn ended(&self) -> Option<Ended> {
        self.with(|state| state.ended.clone())
    }

    /// When the execution goes on, if it was suspended until a moment.
    #[must_use]
    pub fn resume_at(&self) -> Option<DateTime<Utc>> {
        self.with(|state| state.resume_at)
    }

    fn with<T>(&self, read: impl FnOnce(&mut State) -> T) -> T {
        read(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn take(&self, records: Records) {
        if let Some(progress) = &self.progress {
            records.steps.iter().for_each(|step| progress.step(step));
            records.logs.iter().for_each(|line| progress.log(line));
        }
        self.with(|state| {
            for step in records.steps {
                let key = |step: &Step| (step.sequence, step.attempt);
                match state.steps.iter_mut().rev().find(|known| key(known) == key(&step)) {
                    Some(known) if matches!(known.status, StepStatus::Running | StepStatus::Waiting) => {
                        *known = step
                    }
                    Some(_) => {}
                    None => state.steps.push(step),
                }
            }
            state.logs.extend(records.logs);
            state.starts.extend(records.starts);
        });
    }
}

#[async_trait]
impl Journal for MemoryJournal {
    async fn record(&self, records: Records, _: Durability) -> Result<(), Gone> {
        self.take(records);
        Ok(())
    }

    fn offer(&self, records: Records) -> Result<(), Refusal> {
        self.take(records);
        Ok(())
    }

    async fn finish(&self, records: Records, ended: Ended) -> Result<(), Gone> {
        self.take(records);
        self.with(|state| state.ended = Some(ended));
        Ok(())
    }

    async fn suspend(&self, records: Records, resume_at: Option<DateTime<Utc>>) -> Result<(), Gone> {
        self.take(records);
        self.with(|state| state.resume_at = resume_at);
        Ok(())
    }

    async fn release(&self, records: Records) -> Result<(), Gone> {
        self.take(records);
        Ok(())
    }
}
