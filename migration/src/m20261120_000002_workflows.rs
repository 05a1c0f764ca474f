//! What is to be done: workflows, their versions, a row per node of the current version, and templates.

use sea_orm_migration::prelude::*;

use crate::schema::OnDelete::{Cascade, SetNull};
use crate::schema::{
    Change, Table, apply, bigint, boolean, created_at, id, json, jsonb, organization, revert, text,
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
    [workflows(), workflow_versions(), workflow_steps(), workflow_templates()].map(Change::Create).into()
}

fn workflows() -> Table {
    Table::new(
        "workflows",
        "A graph of nodes that does some work, as it is now; executions run one of its versions.",
    )
    .with([
        id(),
        organization(),
        user(),
        text("name", "The name to show."),
        text("description", "What it is for.").null(),
        jsonb("definition", "Nodes, edges, groups, settings and metadata, in React Flow's shape."),
        bigint("version", "The current version; every save adds one.").default("1"),
        text(
            "status",
            "draft: being made; active: its triggers fire; paused: they do not; archived: put away.",
        )
        .default("'draft'")
        .one_of(&["draft", "active", "paused", "archived"]),
        text("trigger_type", "What starts it: manual, scheduled, webhook, email or event.").one_of(&[
            "manual",
            "scheduled",
            "webhook",
            "email",
            "event",
        ]),
        jsonb("trigger_config", "The parameters of the trigger.").default("'{}'"),
        jsonb("tags", "An array of words to sort workflows by.").default("'[]'"),
        boolean("is_public", "Whether others may read and copy it.").default("false"),
        bigint("total_executions", "How many executions have finished.").default("0"),
        bigint("successful_executions", "How many of them completed.").default("0"),
        bigint("failed_executions", "How many of them failed.").default("0"),
        bigint("average_duration_ms", "The mean duration of finished executions.").null(),
        timestamp("last_executed_at", "When an execution last started.").null(),
        boolean("created_from_chat", "Whether a chat made it.").default("false"),
        bigint(
            "concurrency_limit",
            "How many of its executions may run at once; null for no limit of its own.",
        )
        .null(),
        bigint(
            "retention_days",
            "How long finished executions are kept; null for the installation's default.",
        )
        .null(),
        bigint("retention_count", "How many finished executions are kept; null for no such bound.").null(),
        text("last_error", "The error of the latest execution that failed.").null(),
        created_at(),
        updated_at(),
    ])
    .index(&["organization_id", "updated_at DESC"])
    .index(&["organization_id", "status"])
    .index(&["organization_id", "created_at DESC"])
    .index(&["user_id", "status"])
    .gin_index("tags")
    .gin_index("definition")
}

fn workflow_versions() -> Table {
    Table::new(
        "workflow_versions",
        "A workflow's definition as it was at one save. Never changed afterwards.",
    )
    .with([
        id(),
        organization(),
        uuid("workflow_id", "The workflow.").references("workflows", Cascade),
        bigint("version", "Its number, counted from 1 within the workflow."),
        json("definition", "The definition as it was saved."),
        text("change_summary", "What changed, in the words of who saved it.").null(),
        uuid("created_by", "Who saved it; null once that user is deleted.")
            .null()
            .references("users", SetNull),
        created_at(),
    ])
    .unique(&["workflow_id", "version"])
    .index(&["organization_id"])
    .index(&["created_by"])
}

/// Derived on save. It makes "which workflows use this service" one query on both databases.
fn workflow_steps() -> Table {
    Table::new(
        "workflow_steps",
        "A node of a workflow's current version, derived from the definition at every save.",
    )
    .with([
        id(),
        organization(),
        uuid("workflow_id", "The workflow.").references("workflows", Cascade),
        bigint("step_order", "Its place in an order that respects the edges, from 0."),
        text("node_id", "The id of the node in the definition."),
        text("node_name", "The name of the node."),
        text("node_type", "The type of the node, such as `http_request`."),
        text("step_type", "What it is to the flow: trigger, action, condition or delay.").one_of(&[
            "trigger",
            "action",
            "condition",
            "delay",
        ]),
        text("service_name", "The connector that it uses; `core` for none."),
        text("action_name", "What it does with that connector."),
        jsonb("configuration", "The parameters of the node."),
        jsonb("conditions", "When it runs, for a condition.").default("'{}'"),
        jsonb("error_handling", "What happens when it fails.")
            .default("'{\"retry\": true, \"max_retries\": 3}'"),
        boolean("is_enabled", "Whether it takes part.").default("true"),
        created_at(),
        updated_at(),
    ])
    .unique(&["workflow_id", "step_order"])
    .unique(&["workflow_id", "node_id"])
    .index(&["organization_id", "node_type"])
    .index(&["organization_id", "service_name"])
}

fn workflow_templates() -> Table {
    let organization = organization()
        .null()
        .docs_as("The organization that made it; null for one that comes with Tidemill.");
    Table::new("workflow_templates", "A workflow to start from.")
        .with([
            id(),
            organization,
            text("name", "The name to show."),
            text("description", "What it does.").null(),
            text("category", "The shelf it stands on."),
            text("difficulty", "How much it asks of its user: beginner, intermediate or advanced.")
                .default("'beginner'")
                .one_of(&["beginner", "intermediate", "advanced"]),
            jsonb("required_integrations", "An array of the connectors that it needs."),
            jsonb("template_data", "The whole definition of the workflow."),
            text("preview_image", "Where its picture is.").null(),
            bigint("use_count", "How many workflows were made from it.").default("0"),
            boolean("is_featured", "Whether it is shown first.").default("false"),
            uuid("created_by", "Who made it; null if it comes with Tidemill.")
                .null()
                .references("users", SetNull),
            created_at(),
            updated_at(),
        ])
        .unique_where("shared_name", &["name"], "organization_id IS NULL")
        .index(&["organization_id", "category"])
        .index(&["created_by"])
        .with_shared_rows()
}
