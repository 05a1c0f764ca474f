//! Waiting: in place when it is short, otherwise by giving the place back.

use std::time::Duration;

use chrono::{DateTime, Utc};
use engine::node::Resume;
use engine::run::Task;
use tokio::time::Instant;

use super::attempt::Attempt;
use super::control::Stop;
use super::{Driver, End};
use crate::journal::{Durability, Gone};
use crate::step::Step;

/// How a pause ended.
pub(super) enum Paused {
    /// It is over: go on with this attempt.
    Over(Box<Attempt>),
    /// The execution has given its place back, or ended.
    End(End),
}

impl Driver<'_> {
    /// Waits until another attempt may be made.
    pub(super) async fn pause_before_retry(
        &mut self,
        task: &Task,
        number: u32,
        at: DateTime<Utc>,
    ) -> Result<Paused, Gone> {
        let Some(pause) = self.short_pause(at) else { return self.suspend(Some(at)).await };
        Ok(match self.hold(pause, None).await? {
            None => Paused::Over(self.fresh_attempt(task, number)),
            Some(end) => Paused::End(end),
        })
    }

    /// Waits for what a step waits for.
    pub(super) async fn wait(&mut self, step: Step, until: Option<DateTime<Utc>>) -> Result<Paused, Gone> {
        // A request or the end of a sub-workflow is seen only by whoever claims the execution anew.
        let only_time = step.resume_token_hash.is_none() && step.context.children.is_none();
        let Some(pause) = until.filter(|_| only_time).and_then(|at| self.short_pause(at)) else {
            return self.suspend(until).await;
        };
        Ok(match self.hold(pause, Some(&step)).await? {
            None => {
                let mut attempt = Attempt::new(step);
                attempt.resume = Some(Resume::Time);
                Paused::Over(Box::new(attempt))
            }
            Some(end) => Paused::End(end),
        })
    }

    async fn suspend(&mut self, resume_at: Option<DateTime<Utc>>) -> Result<Paused, Gone> {
        let records = self.take_records();
        self.outside.journal.suspend(records, resume_at).await?;
        Ok(Paused::End(End::Suspended { resume_at }))
    }

    /// The time until `at`, if it is short enough to keep the place.
    fn short_pause(&self, at: DateTime<Utc>) -> Option<Duration> {
        let pause = (at - self.outside.environment.now()).to_std().unwrap_or(Duration::ZERO);
        (pause <= self.limits.hold).then_some(pause)
    }

    /// Sleeps, and does not count it as running time. `waiting` is the step that waits; a failed attempt does not.
    async fn hold(&mut self, pause: Duration, waiting: Option<&Step>) -> Result<Option<End>, Gone> {
        self.record(Durability::Soon).await?;
        let stop = self.sleep(pause).await;
        match stop {
            None => Ok(None),
            Some(stop) => self.break_off(stop, waiting).await.map(Some),
        }
    }

    /// Sleeps, until there is a reason to stop, and does not count it as running time.
    pub(super) async fn sleep(&mut self, pause: Duration) -> Option<Stop> {
        let began = Instant::now();
        let stop = tokio::select! {
            biased;
            stop = self.control.interrupted() => Some(stop),
            () = tokio::time::sleep(pause) => None,
        };
        self.extend_deadline(began.elapsed());
        stop
    }

    /// Ends the drive where nothing runs; `waiting` is the step that waits there.
    pub(super) async fn break_off(&mut self, stop: Stop, waiting: Option<&Step>) -> Result<End, Gone> {
        match stop {
            Stop::Lost => Err(Gone::Lost),
            Stop::Cancelled => {
                self.cancel_steps(waiting.cloned());
                self.finish_cancelled().await
            }
            Stop::Aborted | Stop::Drain => self.hand_back().await,
        }
    }
}
