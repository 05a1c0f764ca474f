//! The modules of the store that have one noun each, on both databases.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "that is how a test fails, in what its functions share too"
)]

#[path = "../support/mod.rs"]
mod support;

mod audit;
mod events;
mod executions;
mod identity;
mod integrations;
mod paging;
mod schedules;
mod seed;
mod tenancy;
mod vault;
mod webhooks;
mod workflows;
