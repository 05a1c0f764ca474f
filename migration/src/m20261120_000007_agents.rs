//! Agents: recorded browser work, cut in chunks of learned actions.

use sea_orm_migration::prelude::*;

use crate::schema::OnDelete::Cascade;
use crate::schema::{
    Change, Table, apply, bigint, created_at, id, jsonb, organization, revert, text, updated_at, user, uuid,
};

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
    [agents(), agent_chunks()].map(Change::Create).into()
}

fn agents() -> Table {
    Table::new("agents", "Browser work that was recorded once and can be done again.")
        .with([
            id(),
            organization(),
            user(),
            text("name", "The name to show.").check("length(name) BETWEEN 1 AND 255"),
            text("description", "What it is for.").null(),
            text("loom_url", "The recording."),
            text("github_repo_url", "The repository that holds its configuration.").null(),
            created_at(),
            updated_at(),
        ])
        .index(&["organization_id", "created_at DESC"])
        .index(&["user_id"])
}

fn agent_chunks() -> Table {
    Table::new(
        "agent_chunks",
        "A part of an agent's work: a stretch of the recording and the actions learned from it.",
    )
    .with([
        id(),
        organization(),
        uuid("agent_id", "The agent.").references("agents", Cascade),
        bigint("order_index", "Its place in the agent's work, from 0.").check("order_index >= 0"),
        text("start_time", "Where it starts in the recording.").null(),
        text("end_time", "Where it ends in the recording.").null(),
        text("name", "The user's name for it.").null(),
        text("status", "not_started, running, completed, failed, skipped or needs_review.")
            .default("'not_started'")
            .one_of(&["not_started", "running", "completed", "failed", "skipped", "needs_review"]),
        jsonb("learned_actions", "An array of the actions, learned or recorded by hand."),
        jsonb("error_details", "What went wrong the last time: message, time, screenshot.").null(),
        created_at(),
        updated_at(),
    ])
    .index(&["agent_id", "order_index"])
    .index(&["organization_id"])
}
