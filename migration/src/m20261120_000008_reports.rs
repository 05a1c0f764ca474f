//! Reports that become insights, the insights' way to their readers, and e-mail.

use sea_orm_migration::prelude::*;

use crate::schema::OnDelete::{Cascade, SetNull};
use crate::schema::{
    Change, Table, apply, bigint, created_at, id, jsonb, organization, revert, text, timestamp, updated_at,
    user, uuid,
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
    [reports(), insights(), insight_distributions(), emails(), email_queue()].map(Change::Create).into()
}

fn reports() -> Table {
    Table::new("reports", "A vendor's report, taken in and read.")
        .with([
            id(),
            organization(),
            user(),
            text("vendor", "Whose report it is."),
            text("report_type", "What kind of report it is."),
            timestamp("report_date", "The day it is about."),
            text("file_path", "Where the file lay when it was taken in.").null(),
            uuid("file_id", "The file as Tidemill keeps it.").null().references("files", SetNull),
            jsonb("report_data", "What was read from it."),
            jsonb("metadata", "Anything else about it.").default("'{}'"),
            created_at(),
            updated_at(),
        ])
        .index(&["organization_id", "report_date DESC"])
        .index(&["user_id"])
        .index(&["file_id"])
}

fn insights() -> Table {
    Table::new("insights", "Something worth knowing that was found in a report.")
        .with([
            id(),
            organization(),
            uuid("report_id", "The report.").references("reports", Cascade),
            text("insight_type", "What kind of insight it is."),
            jsonb("content", "What it says."),
            bigint("score", "How good it is, from 0 to 100.").null().check("score BETWEEN 0 AND 100"),
            jsonb("metadata", "Anything else about it.").default("'{}'"),
            created_at(),
        ])
        .index(&["report_id"])
        .index(&["organization_id", "created_at DESC"])
}

fn insight_distributions() -> Table {
    Table::new("insight_distributions", "An insight on its way to one reader.")
        .with([
            id(),
            organization(),
            uuid("insight_id", "The insight.").references("insights", Cascade),
            text("recipient_type", "What kind of reader, such as `executive`."),
            text("recipient_id", "Which reader."),
            text("distribution_method", "How it is sent, such as `email`."),
            text("status", "pending, sent or failed.")
                .default("'pending'")
                .one_of(&["pending", "sent", "failed"]),
            timestamp("sent_at", "When it was sent.").null(),
            created_at(),
        ])
        .index(&["insight_id"])
        .index(&["organization_id", "created_at DESC"])
}

fn emails() -> Table {
    Table::new("emails", "An e-mail that Tidemill sends.")
        .with([
            id(),
            organization(),
            user(),
            text("subject", "The subject."),
            text("body", "The text."),
            jsonb("recipients", "An array of addresses."),
            jsonb("attachments", "An array of files.").default("'[]'"),
            text("status", "draft, queued, sent or failed.")
                .default("'draft'")
                .one_of(&["draft", "queued", "sent", "failed"]),
            timestamp("sent_at", "When it was sent.").null(),
            created_at(),
        ])
        .index(&["organization_id", "created_at DESC"])
        .index(&["user_id"])
}

fn email_queue() -> Table {
    Table::new("email_queue", "An e-mail that is to be sent, and how the attempts went.")
        .with([
            id(),
            organization(),
            uuid("email_id", "The e-mail.").references("emails", Cascade),
            bigint("priority", "Higher goes first.").default("0"),
            bigint("attempts", "How often sending was tried.").default("0"),
            timestamp("last_attempt_at", "When it was last tried.").null(),
            text("status", "pending, sending, sent or failed.")
                .default("'pending'")
                .one_of(&["pending", "sending", "sent", "failed"]),
            text("error", "What the latest attempt said, if it failed.").null(),
            created_at(),
            updated_at(),
        ])
        .index(&["email_id"])
        .index(&["organization_id"])
        .index_where("pending", &["priority DESC", "created_at"], "status = 'pending'")
}
