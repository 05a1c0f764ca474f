//! The tables of Tidemill as SeaORM entities, for programs that read its database.
//!
//! Each module is a table, with the documentation of the table and of its columns. All of it is generated from the
//! migrations: `make entities` writes it again, and an edit here would be lost.
//!
//! The same entities serve SQLite and PostgreSQL. Times are in UTC, ids are UUIDv7, and rows that belong to a tenant
//! carry its `organization_id`. `examples/read_executions.rs` shows a program that reads executions and their steps.

pub mod prelude;

pub mod agent_chunks;
pub mod agents;
pub mod api_keys;
pub mod audit_logs;
pub mod chat_messages;
pub mod chat_sessions;
pub mod conversation_messages;
pub mod demo_videos;
pub mod demos;
pub mod email_queue;
pub mod emails;
pub mod execution_logs;
pub mod execution_queue;
pub mod execution_steps;
pub mod executions;
pub mod files;
pub mod health_checks;
pub mod insight_distributions;
pub mod insights;
pub mod integration_templates;
pub mod integrations;
pub mod knowledge_chunks;
pub mod oauth_accounts;
pub mod organization_members;
pub mod organizations;
pub mod reports;
pub mod schedules;
pub mod sessions;
pub mod user_preferences;
pub mod users;
pub mod webhook_events;
pub mod webhooks;
pub mod workflow_steps;
pub mod workflow_templates;
pub mod workflow_versions;
pub mod workflows;
