//! How the installation is.

use sea_orm_migration::prelude::*;

use crate::schema::{Change, Table, apply, bigint, created_at, id, jsonb, revert, text, timestamp};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        apply(manager, changes()).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        revert(manager, changes()).await
    }
}

pub(crate) fn changes() -> Vec<Change> {
    [health_checks()].map(Change::Create).into()
}

/// Of the installation, not of a tenant: no organization, no row-level security.
fn health_checks() -> Table {
    Table::new("health_checks", "One look at one service. The latest row of a service is its present state.")
        .with([
            id(),
            text("service_name", "Which service, stable for programs."),
            text("display_name", "The name to show."),
            text("status", "healthy, degraded or down.").one_of(&["healthy", "degraded", "down"]),
            bigint("response_time_ms", "How long the service took to answer.").null(),
            text("message", "The state in a sentence.").null(),
            text("details", "More about it, for people.").null(),
            text("error_message", "What went wrong, if it did.").null(),
            jsonb("metadata", "More about it, for programs.").default("'{}'"),
            timestamp("checked_at", "When the look was taken."),
            created_at(),
        ])
        .index(&["service_name", "checked_at DESC"])
}
