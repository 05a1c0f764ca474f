//! Driving one execution over a journal in memory.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::allow_attributes,
    reason = "a test fails by panicking"
)]

#[path = "../support/mod.rs"]
mod support;

mod bench;
mod control;
mod crash;
mod inline;
mod retry;
mod secrets;
mod steps;
mod waits;
