//! The API over real HTTP, on SQLite and on PostgreSQL.

#![allow(
    clippy::allow_attributes,
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    unreachable_pub,
    reason = "all of it is for tests"
)]

mod support;

mod accounts;
mod api_keys;
mod events;
mod executions;
mod files;
mod integrations;
mod openapi;
mod problems;
mod resume;
mod roles;
mod schedules;
mod service;
mod tenancy;
mod webhook_settings;
mod webhooks;
mod workflows;
