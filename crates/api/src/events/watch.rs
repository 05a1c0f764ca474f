//! Looking at an execution again whenever something may have happened to it.

use std::time::Duration;

use store::{Receiver, Topic};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::seats::Seat;
use crate::problem::{Code, Problem};
use crate::state::State;

/// How often an execution is looked at although nobody said that something happened: wake-ups only cut latency.
const POLL: Duration = Duration::from_millis(500);

/// Watches one execution.
pub struct Watch {
    wakes: Receiver,
    execution_id: Uuid,
    shutdown: CancellationToken,
    _seat: Seat,
}

/// Why a watch woke up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wake {
    /// Something may have happened.
    Look,
    /// The service stops.
    Shutdown,
}

impl Watch {
    /// Watches from now on, in a seat of [`State::seats`]: what happens after this call is not missed by a look that follows it.
    #[must_use]
    pub fn new(state: &State, seat: Seat, execution_id: Uuid) -> Self {
        let wakes = state.db.notifier().subscribe();
        Self { wakes, execution_id, shutdown: state.shutdown.clone(), _seat: seat }
    }

    /// Returns when it makes sense to look again.
    pub async fn wake(&mut self) -> Wake {
        let poll = tokio::time::sleep(POLL);
        tokio::pin!(poll);
        loop {
            tokio::select! {
                biased;
                () = self.shutdown.cancelled() => return Wake::Shutdown,
                topic = self.wakes.recv() => match topic {
                    Topic::Execution(id) if id == self.execution_id => return Wake::Look,
                    Topic::Everything => return Wake::Look,
                    _ => {}
                },
                () = &mut poll => return Wake::Look,
            }
        }
    }

    /// Looks until there is something to see; `None` when there was nothing before the deadline or the service stops.
    /// That the database does not answer for a moment is no reason to give up.
    ///
    /// # Errors
    /// Those of `look`.
    pub async fn until<T>(
        &mut self,
        deadline: Instant,
        mut look: impl AsyncFnMut() -> Result<Option<T>, Problem>,
    ) -> Result<Option<T>, Problem> {
        loop {
            match look().await {
                Ok(Some(seen)) => return Ok(Some(seen)),
                Ok(None) => {}
                Err(problem) if problem.code() == Code::Unavailable => {}
                Err(problem) => return Err(problem),
            }
            match tokio::time::timeout_at(deadline, self.wake()).await {
                Ok(Wake::Look) => {}
                Ok(Wake::Shutdown) | Err(_) => return Ok(None),
            }
        }
    }
}
