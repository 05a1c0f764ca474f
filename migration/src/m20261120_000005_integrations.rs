//! What workflows work with: connections to services with their credentials, templates for them, and files.

use sea_orm_migration::prelude::*;

use crate::schema::OnDelete::SetNull;
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
    [integrations(), integration_templates(), files()].map(Change::Create).into()
}

/// `service_name` has no closed list: connectors are data of an installation, not of the schema.
fn integrations() -> Table {
    Table::new("integrations", "An organization's connection to a service, with its credentials encrypted.")
        .with([
            id(),
            organization(),
            user(),
            text("service_name", "The connector, such as `slack`."),
            text("display_name", "The user's name for it."),
            bytes(
                "credentials_encrypted",
                "Keys and tokens, refresh tokens too, encrypted together with their key's id.",
            ),
            jsonb("configuration", "Settings that are no secret, such as a default channel.").default("'{}'"),
            text("status", "active, inactive, error or expired.")
                .default("'active'")
                .one_of(&["active", "inactive", "error", "expired"]),
            timestamp("expires_at", "When the access token ends; null if it does not.").null(),
            timestamp("refresh_token_expires_at", "When the refresh token ends; null if it does not.").null(),
            timestamp("last_tested_at", "When the connection was last tried.").null(),
            text("error_message", "What the latest try said, if it failed.").null(),
            jsonb("metadata", "What the service told about the account.").default("'{}'"),
            created_at(),
            updated_at(),
        ])
        .unique(&["organization_id", "service_name", "display_name"])
        .index(&["user_id", "service_name"])
        .index(&["service_name"])
}

fn integration_templates() -> Table {
    Table::new("integration_templates", "A set-up for an integration to start from. Comes with Tidemill.")
        .with([
            id(),
            text("service_name", "The connector."),
            text("template_name", "The name to show."),
            text("description", "What it is for.").null(),
            jsonb("configuration", "The configuration that it fills in."),
            jsonb("required_scopes", "An array of the OAuth scopes that it needs.").null(),
            text("setup_guide", "What the user has to do, in Markdown.").null(),
            boolean("is_active", "Whether it is offered.").default("true"),
            created_at(),
        ])
        .unique(&["service_name", "template_name"])
}

fn files() -> Table {
    Table::new(
        "files",
        "A file that was uploaded or that an execution made. The content is in the file store.",
    )
    .with([
        id(),
        organization(),
        user(),
        uuid("execution_id", "The execution that made it.").null().references("executions", SetNull),
        text("filename", "Its name for people."),
        text("mime_type", "Its media type, if known.").null(),
        bigint("size_bytes", "Its size.").check("size_bytes >= 0"),
        text("sha256", "SHA-256 of the content, in hex.").null(),
        text("bucket", "The part of the store, with its own limits, such as `demo-videos`.")
            .default("'files'"),
        text("storage_path", "Where the content is within the store."),
        text("storage_provider", "Which store: `local` or an object store.").default("'local'"),
        jsonb("metadata", "Anything else about it.").default("'{}'"),
        created_at(),
    ])
    .index(&["organization_id", "created_at DESC"])
    .index(&["user_id", "created_at DESC"])
    .index(&["execution_id"])
}
