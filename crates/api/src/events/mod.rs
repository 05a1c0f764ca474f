//! What happens to executions, told while it happens.
//!
//! The database is the only source: a [`Watch`] says when to look at it again, woken by the notifier or after half a
//! second, so that it works the same whichever process runs the execution.

mod mark;
mod seats;
mod stream;
mod watch;

pub use seats::{Seat, Seats};
pub(crate) use stream::follow_execution;
pub use watch::Watch;
