//! The endpoints, by noun. Requests and answers are types of their own, next to their handlers: a row of the
//! database is never sent or read as it is.

pub mod api_keys;
pub mod auth;
pub mod connectors;
pub mod executions;
pub mod files;
pub mod integrations;
pub mod node_types;
pub mod schedules;
pub mod webhooks;
pub mod workflows;
