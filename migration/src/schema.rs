//! How a migration says what a table is: one description for both databases, with its documentation.
//!
//! A migration lists changes, which are turned into statements to apply or to undo them. The same lists, put together
//! by [`crate::tables`], are the source of the documentation in `crates/entity` and of the comments on PostgreSQL.
//!
//! What the description fixes, so that no migration has to remember it:
//!
//! - Only column types that mean the same on both databases (see [`ColumnKind`]).
//! - Names of constraints and indexes, which the rest of the code may match on: `ck_<table>_<column>`,
//!   `uq_<table>_<columns>`, `ix_<table>_<columns>`, `fk_<table>_<column>`.
//! - On SQLite a timestamp is text, compared as text; a CHECK therefore refuses one that is not in UTC.
//! - On PostgreSQL every table of a tenant has row-level security with the policy `tenant_isolation`.

mod apply;
mod column;
mod table;

pub(crate) use apply::{Change, apply, revert};
pub use column::{Column, ColumnKind, OnDelete, Reference};
pub(crate) use column::{
    bigint, boolean, bytes, created_at, double, id, json, jsonb, organization, organization_without_key,
    text, timestamp, updated_at, user, uuid,
};
pub use table::{Index, Table};
