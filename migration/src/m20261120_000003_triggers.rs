//! What starts a workflow: schedules and webhooks. The events of webhooks come with the executions they start.

use sea_orm_migration::prelude::*;

use crate::schema::OnDelete::Cascade;
use crate::schema::{
    Change, Table, apply, bigint, boolean, bytes, created_at, id, jsonb, organization, revert, text,
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
    [schedules(), webhooks()].map(Change::Create).into()
}

fn schedules() -> Table {
    Table::new(
        "schedules",
        "When a workflow runs: a cron expression in a time zone, and what to do about missed runs.",
    )
    .with([
        id(),
        organization(),
        uuid("workflow_id", "The workflow to run.").references("workflows", Cascade),
        user(),
        text("node_id", "The trigger node it was derived from; null for one that was made by hand.").null(),
        text("name", "The name to show."),
        text(
            "cron_expression",
            "Five Unix fields, or six with seconds first, or a nickname such as `@daily`.",
        ),
        text("timezone", "The IANA time zone in which the expression is read.").default("'UTC'"),
        jsonb("input_data", "The input of its executions.").null(),
        boolean("is_active", "Whether it fires.").default("true"),
        timestamp("starts_at", "It does not fire before; null for no bound.").null(),
        timestamp("ends_at", "It does not fire from then on; null for no bound.").null(),
        text("missed_run_policy", "For occurrences that nobody fired: skip, run_once or catch_up.")
            .default("'run_once'")
            .one_of(&["skip", "run_once", "catch_up"]),
        bigint("max_catch_up", "How many missed occurrences catch_up fires at most.")
            .default("10")
            .check("max_catch_up >= 0"),
        text("overlap_policy", "When the last one still runs: allow, skip, queue or cancel_previous.")
            .default("'allow'")
            .one_of(&["allow", "skip", "queue", "cancel_previous"]),
        bigint("jitter_ms", "Each occurrence is put off by a random time up to this.")
            .default("0")
            .check("jitter_ms >= 0"),
        timestamp("next_run_at", "The next occurrence; null if there is none.").null(),
        timestamp("last_run_at", "The latest occurrence that was fired.").null(),
        bigint("run_count", "How many occurrences were fired.").default("0"),
        text("last_error", "Why the latest occurrence could not be fired.").null(),
        created_at(),
        updated_at(),
    ])
    .unique_where("workflow_id_node_id", &["workflow_id", "node_id"], "node_id IS NOT NULL")
    .index(&["workflow_id"])
    .index(&["user_id"])
    .index(&["organization_id", "created_at DESC"])
    .index_where("next_run_at", &["next_run_at"], "is_active")
}

fn webhooks() -> Table {
    Table::new("webhooks", "An address that starts a workflow when it is called.")
        .with([
            id(),
            organization(),
            uuid("workflow_id", "The workflow to run.").references("workflows", Cascade),
            user(),
            text("node_id", "The trigger node it was derived from; null for one that was made by hand.")
                .null(),
            text("path", "The part of the address after `/webhooks/`, unique in the installation."),
            bytes("secret_encrypted", "The signing secret, encrypted; null if no signature is asked for.")
                .null(),
            text("signature_scheme", "How calls are signed: none, standard (Standard Webhooks) or github.")
                .default("'standard'")
                .one_of(&["none", "standard", "github"]),
            bigint("tolerance_secs", "How old a signed timestamp may be.")
                .default("300")
                .check("tolerance_secs >= 0"),
            bigint("dedup_window_secs", "How long a repeated event is known as a repeat.")
                .default("86400")
                .check("dedup_window_secs >= 0"),
            text("dedup_header", "The header that names the event, if not the one of the scheme.").null(),
            text("method", "The HTTP method it answers to, or ANY.")
                .default("'POST'")
                .one_of(&["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "ANY"]),
            text("response_mode", "When the caller is answered: immediate, last_node or respond_node.")
                .default("'immediate'")
                .one_of(&["immediate", "last_node", "respond_node"]),
            bigint("max_body_bytes", "The largest body it takes; null for the installation's default.")
                .null()
                .check("max_body_bytes > 0"),
            boolean("is_active", "Whether it takes calls.").default("true"),
            timestamp("last_triggered_at", "The latest call that started an execution.").null(),
            bigint("trigger_count", "How many executions it started.").default("0"),
            created_at(),
            updated_at(),
        ])
        .unique(&["path"])
        .unique_where("workflow_id_node_id", &["workflow_id", "node_id"], "node_id IS NOT NULL")
        .index(&["workflow_id"])
        .index(&["user_id"])
        .index(&["organization_id", "created_at DESC"])
}
