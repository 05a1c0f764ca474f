//! Demos that answer questions: their videos, their knowledge, and what was said in their conversations.
//!
//! The embedding is plain bytes on both databases. A column of the `vector` type needs an extension that not every
//! PostgreSQL has; it is for a later migration that looks whether it is there.

use sea_orm_migration::prelude::*;

use crate::schema::OnDelete::Cascade;
use crate::schema::{
    Change, Table, apply, bigint, bytes, created_at, double, id, jsonb, organization, revert, text,
    timestamp, updated_at, user, uuid,
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
    [demos(), demo_videos(), knowledge_chunks(), conversation_messages()].map(Change::Create).into()
}

fn demos() -> Table {
    Table::new("demos", "A demo with an agent that talks to its visitors.")
        .with([
            id(),
            organization(),
            user(),
            text("name", "The name to show.").check("length(name) BETWEEN 1 AND 255"),
            text("description", "What it shows.").null(),
            text("agent_name", "The name of its agent.").default("'Demo Agent'"),
            text("agent_personality", "How the agent speaks.").default("'Friendly and helpful'"),
            text("agent_greeting", "What the agent says first.")
                .default("'Hello! I''m your demo agent. How can I help you today?'"),
            text("cta_text", "The words of the call to action.").null(),
            text("cta_link", "Where the call to action leads.").null(),
            text("status", "draft, published or archived.").default("'draft'").one_of(&[
                "draft",
                "published",
                "archived",
            ]),
            text("published_url", "Where visitors find it.").null(),
            text("tavus_persona_id", "The persona at the video service.").null(),
            text("tavus_conversation_id", "The conversation there that is going on.").null(),
            text("video_storage_path", "Where its videos are in the file store.").default("''"),
            jsonb("metadata", "Its other settings.").default("'{}'"),
            created_at(),
            updated_at(),
        ])
        .index(&["organization_id", "updated_at DESC"])
        .index(&["user_id", "status"])
        .index(&["status"])
        .index(&["tavus_persona_id"])
        .gin_index("metadata")
}

fn demo_videos() -> Table {
    Table::new("demo_videos", "A video segment of a demo.")
        .with([
            id(),
            organization(),
            uuid("demo_id", "The demo.").references("demos", Cascade),
            text("title", "The name to show."),
            text("storage_url", "Where the video is in the file store."),
            bigint("order_index", "Its place in the demo, from 0.").check("order_index >= 0"),
            bigint("duration_seconds", "Its length.").null().check("duration_seconds > 0"),
            text("processing_status", "How far its transcript is: pending, processing, completed or failed.")
                .default("'pending'")
                .one_of(&["pending", "processing", "completed", "failed"]),
            text("transcript", "What is said in it.").null(),
            created_at(),
            updated_at(),
        ])
        .index(&["demo_id", "order_index"])
        .index(&["organization_id"])
        .index(&["processing_status"])
        .index_where("pending", &["demo_id"], "processing_status = 'pending'")
}

fn knowledge_chunks() -> Table {
    Table::new("knowledge_chunks", "A piece of what a demo's agent knows.")
        .with([
            id(),
            organization(),
            uuid("demo_id", "The demo.").references("demos", Cascade),
            text("content", "The text.").check("length(content) >= 1"),
            text("question", "The question, if it is a pair of question and answer.").null(),
            text("answer", "The answer to it.").null(),
            text("source", "Where it is from.").null(),
            bytes("embedding", "Its meaning as a vector: 32-bit floats, little-endian.").null(),
            created_at(),
            updated_at(),
        ])
        .index(&["demo_id", "source"])
        .index(&["organization_id"])
}

fn conversation_messages() -> Table {
    Table::new("conversation_messages", "Something that was said in a demo's conversation.")
        .with([
            id(),
            organization(),
            uuid("demo_id", "The demo, once it is known.").null().references("demos", Cascade),
            text("conversation_id", "The conversation at the video service."),
            text("message_id", "The message there.").null(),
            text("role", "Who speaks: user, assistant or system.").one_of(&["user", "assistant", "system"]),
            text("content", "What is said.").null(),
            bigint("content_length", "How many characters that is.").null(),
            timestamp("timestamp", "When it was said.").null(),
            text("sentiment", "The mood it was said in.").null(),
            text("intent", "What the speaker wants.").null(),
            double("confidence", "How sure that reading is, from 0 to 1.")
                .null()
                .check("confidence BETWEEN 0 AND 1"),
            created_at(),
        ])
        .unique_where(
            "message_id",
            &["organization_id", "conversation_id", "message_id"],
            "message_id IS NOT NULL",
        )
        .index(&["conversation_id"])
        .index(&["demo_id"])
        .index(&["organization_id"])
        .index(&["timestamp"])
        .index(&["role"])
}
