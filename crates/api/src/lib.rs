//! The HTTP service of Tidemill: the API under `/api/v1`, the public webhooks, live events, and the documentation.
//!
//! [`serve`] binds and runs it, in its own process or in one with the other services. [`routes`](mod@routes) shows
//! every route on one screen; a handler extracts, asks for a permission ([`auth`]), makes one call and maps the
//! result. What goes wrong is a [`Problem`](problem::Problem) whatever the reason: no route panics, and none gives
//! out a 5xx for what a client sent.
//!
//! Data of an organization is asked for with the caller's organization each time; what belongs to another one is
//! not found.

pub mod auth;
pub mod checked;
mod documentation;
pub mod endpoint;
pub mod events;
pub mod http;
mod openapi;
pub mod page;
pub mod problem;
pub mod routes;
mod server;
pub mod state;
pub mod webhook;

pub use openapi::document;
pub use server::{Deps, Error, Serving, serve};
