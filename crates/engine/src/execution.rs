//! The life of an execution as a state machine.
//!
//! Every status write in the store goes through [`ExecutionStatus::next`]; the CHECK constraint of
//! `executions.status` lists the same words.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Where an execution stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExecutionStatus {
    /// Enqueued, not yet claimed.
    Pending,
    /// A worker holds its lease.
    Running,
    /// Waits for a time, a request or a sub-workflow; holds no worker.
    Waiting,
    /// Every reachable node ran.
    Completed,
    /// A step failed and nothing handled it, or a limit was reached.
    Failed,
    /// A person, the overlap policy or the parent stopped it.
    Cancelled,
}

/// What can happen to an execution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// A worker claimed it.
    Claimed,
    /// The worker gave it back without finishing (shutdown) or lost its lease.
    Released,
    /// A step asked to wait.
    Suspended,
    /// What it waited for has come.
    Resumed,
    /// The last step is done.
    Completed,
    /// It cannot go on.
    Failed,
    /// It was cancelled.
    Cancelled,
}

/// A transition that the state machine does not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an execution that is {from} cannot be {event:?}")]
pub struct IllegalTransition {
    /// The status it has.
    pub from: ExecutionStatus,
    /// The event that does not fit.
    pub event: Event,
}

impl ExecutionStatus {
    /// Every status, in the order of a normal life.
    pub const ALL: [Self; 6] =
        [Self::Pending, Self::Running, Self::Waiting, Self::Completed, Self::Failed, Self::Cancelled];

    /// The status after `event`.
    ///
    /// # Errors
    /// [`IllegalTransition`] when the event cannot happen in this status; final states accept none.
    pub fn next(self, event: Event) -> Result<Self, IllegalTransition> {
        use Event as E;
        match (self, event) {
            (Self::Pending, E::Claimed) => Ok(Self::Running),
            (Self::Running, E::Released) | (Self::Waiting, E::Resumed) => Ok(Self::Pending),
            (Self::Running, E::Suspended) => Ok(Self::Waiting),
            (Self::Running, E::Completed) => Ok(Self::Completed),
            (Self::Pending | Self::Running | Self::Waiting, E::Failed) => Ok(Self::Failed),
            (Self::Pending | Self::Running | Self::Waiting, E::Cancelled) => Ok(Self::Cancelled),
            (from, event) => Err(IllegalTransition { from, event }),
        }
    }

    /// Whether nothing can happen any more.
    #[must_use]
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Completed | Self::Failed | Self::Cancelled)
    }

    /// The word in the database, the API and the logs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Running => "running",
            Self::Waiting => "waiting",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }
}

impl fmt::Display for ExecutionStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for ExecutionStatus {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|status| status.as_str() == text)
            .ok_or_else(|| format!("unknown execution status {text:?}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVENTS: [Event; 7] = [
        Event::Claimed,
        Event::Released,
        Event::Suspended,
        Event::Resumed,
        Event::Completed,
        Event::Failed,
        Event::Cancelled,
    ];

    #[test]
    fn every_pair_of_status_and_event_is_decided() {
        let mut table = String::new();
        for status in ExecutionStatus::ALL {
            for event in EVENTS {
                let next = status.next(event).map_or("-", ExecutionStatus::as_str);
                table.push_str(&format!("{status} {event:?}: {next}\n"));
            }
        }
        insta::assert_snapshot!(table);
    }

    #[test]
    fn a_final_state_accepts_nothing() {
        for status in ExecutionStatus::ALL.into_iter().filter(|status| status.is_final()) {
            for event in EVENTS {
                assert_eq!(status.next(event), Err(IllegalTransition { from: status, event }));
            }
        }
    }

    #[test]
    fn the_word_of_a_status_parses_back() {
        for status in ExecutionStatus::ALL {
            assert_eq!(status.as_str().parse(), Ok(status));
        }
    }
}
