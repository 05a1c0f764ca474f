//! Claims executions and runs their steps.
//!
//! [`Worker`] is the service: it claims executions under leases, drives each with [`drive()`], and renews the
//! leases of those that run. [`drive()`] runs one execution and knows neither queue nor database: it records
//! through a [`Journal`](journal::Journal) and asks an [`Environment`] for the rest. [`inline`] drives a
//! workflow in this process alone, for `tidemill run`.

pub mod drive;
mod environment;
pub mod inline;
pub mod journal;
pub mod resume;
mod service;
mod step;

pub use drive::{Control, End, Job, Limits, Outside, Report, drive};
pub use environment::{Environment, TriggerRole};
pub use service::{Counts, Error, Options, Services, Worker};
pub use step::{LogLine, Step, StepContext};
