//! End-to-end tests over the real binaries: the harness. The tests are in `tests/`.
//!
//! An [`Installation`] is a folder with a database, a key and free ports; its services are started from the binaries
//! beside the test ([`binaries`]), killed, frozen and started again, as an operator or a power cut would. The world
//! outside is an HTTP server in the test ([`Outside`]). Nothing here reads the services' memory: what is checked is
//! what they answer, and in the end what their database holds.
//!
//! Dropping a [`Service`] kills it and fails the test if a process of its own outlives it; a test that fails prints
//! the logs of its services.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a harness says what is wrong by failing its test"
)]

pub mod binaries;
mod client;
mod command;
mod events;
mod installation;
mod ledger;
mod load;
mod outside;
mod place;
mod process;
mod service;
mod signing;
mod turn;
mod wait;
pub mod workflow;

pub use client::{Answer, Client, PASSWORD};
pub use command::{Finished, run};
pub use events::{Event, Events};
pub use installation::{Installation, free_address};
pub use ledger::{Ledger, Stored};
pub use load::Load;
pub use outside::{Outside, Taken};
pub use place::Place;
pub use service::Service;
pub use signing::Signed;
pub use turn::{Turn, take_turn};
pub use wait::{PATIENCE, wait_for};
