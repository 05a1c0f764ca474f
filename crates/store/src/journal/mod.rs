//! What happened in executions: their steps and their log lines.
//!
//! A worker writes through [`commit`] alone: everything that became known of several executions goes into one
//! transaction, each part only if the lease of its execution still holds. What is recorded as final is never
//! overwritten, so that a record that is written twice (a commit whose answer was lost) does no harm.

mod commit;
mod copy;
mod logs;
mod records;
mod steps;

pub use commit::commit;
pub use copy::copy_steps;
pub use logs::write_logs;
pub use records::{Close, JournalEntry, LogRecord, StepRecord, StepStatus};
pub(crate) use steps::close_steps;
pub use steps::{steps_of, write_steps};
