//! A worker over a real database: SQLite always, PostgreSQL where `TIDEMILL_TEST_POSTGRES_URL` names a server.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::allow_attributes,
    reason = "a test fails by panicking"
)]

#[path = "../support/mod.rs"]
mod flows;
#[path = "../../../store/tests/support/mod.rs"]
mod support;

mod crash;
mod fixture;
mod leases;
mod load;
mod rows;
mod shutdown;
mod sinks;
mod waits;
