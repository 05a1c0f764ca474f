//! The database schema of Tidemill, one migration per change, for SQLite and PostgreSQL alike.
//!
//! [`Migrator`] is the list of migrations. Programs bring a database up with [`up_locked`], which any number of
//! processes may call at once, and ask with [`pending`] whether it is up to date. [`tables`] is the schema as data,
//! with the documentation of each table and column: `crates/entity` and `docs/` are generated from it.
//!
//! Times and ids are made by the application: there is no `DEFAULT now()`, no trigger and no function in the
//! database, because the two databases would not agree on what they write.

mod lock;
mod m20261120_000001_identity;
mod m20261120_000002_workflows;
mod m20261120_000003_triggers;
mod m20261120_000004_running;
mod m20261120_000005_integrations;
mod m20261120_000006_chat;
mod m20261120_000007_agents;
mod m20261120_000008_reports;
mod m20261120_000009_demos;
mod m20261120_000010_operation;
mod migrator;
pub mod schema;

pub use migrator::{Migrator, down_locked, fresh_locked, pending, refresh_locked, tables, up_locked};
pub use sea_orm_migration::MigratorTrait;
pub use sea_orm_migration::sea_orm;
