//! Every query of Tidemill: connections, queue, journal, finders, credential vault, settings.
//!
//! [`Db`] holds the connections to one database, SQLite or PostgreSQL. The [`queue`] says who may run which
//! execution, the [`journal`] records what happened in it, and one module per noun reads and writes the rest.
//! Functions take the organization whose rows they touch, and a connection or a transaction of the caller.
//!
//! The two databases get the same statements as far as they mean the same; where they must differ, the
//! difference is in `backend`.
//!
//! **U+0000.** PostgreSQL's `text` cannot hold it and `jsonb` refuses it. The queue and the journal write what
//! programs gave out, so they put U+FFFD in its place in texts and in `metadata`; payloads are in `json` columns,
//! which keep it as `\u0000`. The other modules refuse it, because a person can be asked for another text.

mod backend;
mod clock;
mod db;
mod error;
mod text;

pub mod api_keys;
pub mod audit;
pub mod execution_logs;
pub mod execution_steps;
pub mod executions;
pub mod files;
pub mod ids;
pub mod integrations;
pub mod journal;
pub mod notify;
pub mod organizations;
pub mod page;
pub mod probe;
pub mod queue;
pub mod retention;
pub mod schedules;
pub mod service;
pub mod sessions;
pub mod settings;
pub mod telemetry;
pub mod users;
pub mod vault;
pub mod webhook_events;
pub mod webhooks;
pub mod workflow_versions;
pub mod workflows;

pub use backend::Backend;
pub use clock::{Clock, ManualClock, SystemClock};
pub use db::Db;
pub use error::{Error, Result};
pub use notify::{Notifier, Receiver, Topic};
pub use sea_orm::DatabaseTransaction;
pub use text::{MAX_DEPTH, check_depth};
