//! What happens: executions, the queue they wait in, their steps and logs, and the webhook events behind them.
//!
//! These are the hot tables. `execution_queue`, `execution_steps` and `execution_logs` carry the organization for
//! their filters and policies, but no foreign key to it: they go with their execution, and a key would make every
//! insert lock the one row of the organization.

use sea_orm_migration::prelude::*;

use crate::schema::OnDelete::{Cascade, SetNull};
use crate::schema::{
    Change, Table, apply, bigint, created_at, id, json, jsonb, organization, organization_without_key,
    revert, text, timestamp, user, uuid,
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
    [executions(), execution_queue(), execution_steps(), execution_logs(), webhook_events()]
        .map(Change::Create)
        .into()
}

fn executions() -> Table {
    Table::new("executions", "One run of a workflow, from its trigger to exactly one final state.")
        .with([
            id(),
            organization(),
            uuid("workflow_id", "The workflow.").references("workflows", Cascade),
            bigint("workflow_version", "The version it runs, fixed when it was made."),
            user().docs_as("Who started it, or who owns the trigger; null once that user is deleted."),
            text("status", "pending, running, waiting; or finally completed, failed, cancelled.").one_of(&[
                "pending",
                "running",
                "waiting",
                "completed",
                "failed",
                "cancelled",
            ]),
            text("trigger_type", "What started it: manual, webhook, schedule, event, workflow or retry.")
                .one_of(&["manual", "webhook", "schedule", "event", "workflow", "retry"]),
            text("trigger_node_id", "The trigger node it starts at; null for the workflow's only one.")
                .null(),
            json("trigger_data", "What the trigger knew: the request, the occurrence, the caller.")
                .default("'{}'"),
            json("input_data", "The items it started with.").null(),
            json("output_data", "The items of its last nodes.").null(),
            text("error_message", "Why it failed.").null(),
            text("error_stack", "Where it failed, as far as a stack is known.").null(),
            text("error_code", "The kind of the error, stable for programs.").null(),
            text("error_node_id", "The node that failed.").null(),
            uuid("parent_execution_id", "The execution that called it as a sub-workflow.")
                .null()
                .references("executions", SetNull),
            uuid("parent_step_id", "The step of the parent that waits for it.").null(),
            uuid("origin_execution_id", "The execution that it retries.")
                .null()
                .references("executions", SetNull),
            uuid("schedule_id", "The schedule that fired.").null().references("schedules", SetNull),
            uuid("webhook_id", "The webhook that was called.").null().references("webhooks", SetNull),
            timestamp("scheduled_for", "The occurrence of the schedule that it stands for.").null(),
            bigint("total_steps", "How many steps were started.").default("0"),
            bigint("completed_steps", "How many of them completed.").default("0"),
            bigint("failed_steps", "How many of them failed.").default("0"),
            bigint("credits_used", "What it cost.").default("0"),
            jsonb("metadata", "Anything else that callers want to keep with it.").default("'{}'"),
            timestamp("cancel_requested_at", "When somebody asked for it to stop.").null(),
            timestamp("started_at", "When a worker first ran it.").null(),
            timestamp("completed_at", "When it reached its final state.").null(),
            bigint("duration_ms", "From the first start to the final state.").null(),
            created_at(),
        ])
        .unique_where(
            "schedule_occurrence",
            &["schedule_id", "scheduled_for"],
            "schedule_id IS NOT NULL AND trigger_type = 'schedule'",
        )
        .index(&["organization_id", "created_at DESC", "id DESC"])
        .index(&["workflow_id", "created_at DESC", "id DESC"])
        .index(&["organization_id", "status", "created_at DESC"])
        .index(&["user_id", "created_at DESC"])
        .index_where("parent_execution_id", &["parent_execution_id"], "parent_execution_id IS NOT NULL")
        .index_where("origin_execution_id", &["origin_execution_id"], "origin_execution_id IS NOT NULL")
        .index_where("schedule_id", &["schedule_id"], "schedule_id IS NOT NULL")
        .index_where("webhook_id", &["webhook_id"], "webhook_id IS NOT NULL")
}

/// Narrow, because every claim writes it. The scale factor keeps the dead rows of a busy queue few.
fn execution_queue() -> Table {
    Table::new(
        "execution_queue",
        "An execution that is not finished, and who works on it. The row goes when it is done.",
    )
    .with([
        uuid("execution_id", "The execution.").primary_key().references("executions", Cascade),
        organization_without_key(),
        uuid("workflow_id", "The workflow, for its concurrency limit."),
        bigint("priority", "Higher goes first.").default("0"),
        text("state", "ready: to be claimed; leased: a worker has it; waiting: for a time or a call.")
            .one_of(&["ready", "leased", "waiting"]),
        timestamp(
            "run_at",
            "Ready: not to be claimed before. Waiting: when to resume, far in the future if never by itself.",
        ),
        text("concurrency_key", "Executions with the same key run one at a time.").null(),
        bigint("attempt", "How often it was claimed.").default("0"),
        text("lease_owner", "The worker that has it.").null(),
        timestamp("lease_until", "From when the worker is taken for lost.").null(),
        bigint("lease_token", "One more with every claim: a worker with an older one may write nothing.")
            .default("0"),
        timestamp("enqueued_at", "When it was made ready the first time."),
    ])
    .index_where("ready", &["priority DESC", "run_at", "execution_id"], "state = 'ready'")
    .index_where("ready_organization", &["organization_id", "priority DESC", "run_at"], "state = 'ready'")
    .index_where("leased", &["lease_until"], "state = 'leased'")
    .index_where("waiting", &["run_at"], "state = 'waiting'")
    .index_where("leased_workflow", &["workflow_id"], "state = 'leased'")
    .index_where("leased_organization", &["organization_id"], "state = 'leased'")
    .index_where("key", &["organization_id", "concurrency_key"], "concurrency_key IS NOT NULL")
    .postgres_storage("autovacuum_vacuum_scale_factor = 0.01, autovacuum_analyze_scale_factor = 0.02")
}

fn execution_steps() -> Table {
    Table::new(
        "execution_steps",
        "One attempt at one run of a node in an execution, with what went in and what came out.",
    )
    .with([
        id(),
        organization_without_key(),
        uuid("execution_id", "The execution.").references("executions", Cascade),
        text("node_id", "The node in the definition."),
        text("node_name", "Its name."),
        text("node_type", "Its type."),
        bigint("run_index", "Which run of the node in this execution, from 0; more than one in a loop."),
        bigint("attempt", "Which attempt at that run, from 1."),
        bigint("sequence", "Its place in the order in which steps were started."),
        text("status", "running, completed, failed, waiting or cancelled.").one_of(&[
            "running",
            "completed",
            "failed",
            "waiting",
            "cancelled",
        ]),
        json(
            "input_data",
            "Where its items came from, per input: node, run and output, not the items again.",
        )
        .null(),
        json("output_data", "Its items, one array per output.").null(),
        json("error", "Why it failed.").null(),
        json("context", "What the node keeps between its runs in a loop.").null(),
        timestamp("resume_at", "When a waiting step goes on by itself.").null(),
        text("resume_token_hash", "SHA-256 of the token that resumes a waiting step by a call, in hex.")
            .null(),
        uuid("child_execution_id", "The sub-workflow that it waits for.").null(),
        timestamp("started_at", "When it started."),
        timestamp("completed_at", "When it ended.").null(),
        bigint("duration_ms", "From start to end.").null(),
    ])
    .unique(&["execution_id", "node_id", "run_index", "attempt"])
    .index(&["execution_id", "sequence"])
    .index(&["organization_id", "started_at DESC"])
    .index_where("resume_token_hash", &["resume_token_hash"], "resume_token_hash IS NOT NULL")
}

fn execution_logs() -> Table {
    Table::new("execution_logs", "A line that an execution wrote about itself.")
        .with([
            id(),
            organization_without_key(),
            uuid("execution_id", "The execution.").references("executions", Cascade),
            uuid("step_id", "The step that wrote it.").null(),
            text("node_id", "The node that wrote it.").null(),
            text("node_type", "The type of that node.").null(),
            text("level", "debug, info, warn or error.").one_of(&["debug", "info", "warn", "error"]),
            text("message", "What it says."),
            json("data", "More about it, for programs.").null(),
            timestamp("timestamp", "When it was written."),
        ])
        .index(&["execution_id", "timestamp"])
        .index(&["execution_id", "node_id"])
}

fn webhook_events() -> Table {
    Table::new("webhook_events", "An event that came in, remembered so that a repeat of it starts nothing.")
        .with([
            id(),
            organization(),
            uuid("webhook_id", "The webhook that was called; null for events of other sources.")
                .null()
                .references("webhooks", Cascade),
            text("event_id", "The sender's name for the event, or the hash of its body."),
            text("event_type", "What kind of event it is."),
            text("conversation_id", "The conversation that the event is about, for demos.").null(),
            json("event_data", "The event itself."),
            text("event_hash", "SHA-256 of the webhook's id and the event's id, in hex."),
            uuid("execution_id", "The execution that it started.").null().references("executions", SetNull),
            timestamp("processed_at", "When it was taken in."),
            bigint("processing_duration_ms", "How long taking it in lasted.").null(),
            timestamp("expires_at", "From when the same event counts as new."),
        ])
        .unique(&["event_hash"])
        .unique(&["webhook_id", "event_hash"])
        .index(&["organization_id", "processed_at DESC"])
        .index(&["conversation_id"])
        .index(&["event_type"])
        .index(&["processed_at"])
        .index(&["expires_at"])
        .index_where("execution_id", &["execution_id"], "execution_id IS NOT NULL")
}
