//! Looking at an execution again whenever something may have happened to it.

use std::time::Duration;

use store::{Receiver, Topic};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::problem::{Code, Problem};
use crate::state::State;

/// How often an execution is looked at although nobody said that something happened: wake-ups only cut latency.
const POLL: Duration = Duration::from_millis(500);

/// Watches one execution.
pub struct Watch {
    wakes: Receiver,
    execution_id: Uuid,
    shutdown: CancellationToken,
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
    /// Watches from now on: what happens after this call is not missed by a look that follows it.
    #[must_use]
    pub fn new(state: &State, execution_id: Uuid) -> Self {
        Self { wakes: state.db.notifier().subscribe(), execution_id, shutdown: state.shutdown.clone() }
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
