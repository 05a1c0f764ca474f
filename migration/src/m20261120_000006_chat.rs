//! Chat that builds workflows: sessions, messages, and on a workflow the session that made it.

use sea_orm_migration::prelude::*;

use crate::schema::OnDelete::{Cascade, SetNull};
use crate::schema::{
    Change, Table, apply, bytes, created_at, id, jsonb, organization, revert, text, updated_at, user, uuid,
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

/// Sessions and workflows refer to each other, so one of the two columns comes after both tables.
pub(crate) fn changes() -> Vec<Change> {
    vec![
        Change::Create(chat_sessions()),
        Change::Create(chat_messages()),
        Change::Add {
            table: "workflows",
            column: uuid("chat_session_id", "The chat that made it.")
                .null()
                .references("chat_sessions", SetNull),
        },
    ]
}

fn chat_sessions() -> Table {
    Table::new("chat_sessions", "A conversation with the assistant.")
        .with([
            id(),
            organization(),
            user(),
            text("session_name", "The name to show.").null(),
            text("intent", "What it is about: workflow_creation, help, troubleshooting.").null(),
            jsonb("context", "What the assistant keeps in mind.").default("'{}'"),
            text("status", "active, completed or abandoned.").default("'active'").one_of(&[
                "active",
                "completed",
                "abandoned",
            ]),
            uuid("workflow_id", "The workflow that came of it.").null().references("workflows", SetNull),
            created_at(),
            updated_at(),
        ])
        .index(&["organization_id", "created_at DESC"])
        .index(&["user_id", "created_at DESC"])
        .index(&["workflow_id"])
}

fn chat_messages() -> Table {
    Table::new("chat_messages", "One message of a chat session.")
        .with([
            id(),
            organization(),
            uuid("session_id", "The session.").references("chat_sessions", Cascade),
            text("role", "Who speaks: user, assistant or system.").one_of(&["user", "assistant", "system"]),
            text("content", "What is said."),
            jsonb("metadata", "Model, tokens and the like.").default("'{}'"),
            bytes("embedding", "Its meaning as a vector: 32-bit floats, little-endian.").null(),
            created_at(),
        ])
        .index(&["session_id", "created_at"])
        .index(&["organization_id"])
}
