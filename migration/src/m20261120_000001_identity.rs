//! Who there is: users, how they sign in, the organizations they belong to, and what they did.

use sea_orm_migration::prelude::*;

use crate::schema::OnDelete::{Cascade, SetNull};
use crate::schema::{
    Change, Table, apply, bigint, boolean, created_at, id, jsonb, organization, revert, text, timestamp,
    updated_at, uuid,
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
    [
        users(),
        user_preferences(),
        organizations(),
        organization_members(),
        sessions(),
        oauth_accounts(),
        api_keys(),
        audit_logs(),
    ]
    .map(Change::Create)
    .into()
}

fn users() -> Table {
    Table::new("users", "A person who can sign in, with profile, plan and credits.")
        .with([
            id(),
            text("email", "The address to sign in with, stored in lower case.").check("email = lower(email)"),
            text("password_hash", "Argon2id hash in PHC form; null for a user who signs in elsewhere only.")
                .null(),
            text("full_name", "The name to show.").null(),
            text("first_name", "Given name, if told apart.").null(),
            text("last_name", "Family name, if told apart.").null(),
            text("avatar_url", "Where the profile picture is.").null(),
            text("timezone", "IANA time zone for what the user sees and for new schedules.").default("'UTC'"),
            text("plan_type", "The plan: free, pro or enterprise.").default("'free'").one_of(&[
                "free",
                "pro",
                "enterprise",
            ]),
            bigint("credits_used", "Credits spent in the current period.").default("0"),
            bigint("credits_limit", "Credits the plan grants per period.").default("1000"),
            boolean("onboarding_completed", "Whether the introduction was finished.").default("false"),
            jsonb("preferences", "Settings that need no row of their own, such as the theme.")
                .default("'{}'"),
            boolean("is_admin", "Whether the user administers this installation.").default("false"),
            boolean("is_active", "Whether the user may sign in.").default("true"),
            timestamp("email_verified_at", "When the address was proved; null if it was not.").null(),
            timestamp("last_login_at", "The latest sign-in.").null(),
            created_at(),
            updated_at(),
        ])
        .unique(&["email"])
}

fn user_preferences() -> Table {
    Table::new("user_preferences", "One setting of a user, by key.")
        .with([
            id(),
            uuid("user_id", "Whose setting it is.").references("users", Cascade),
            text("preference_key", "The name of the setting."),
            jsonb("preference_value", "Its value."),
            created_at(),
            updated_at(),
        ])
        .unique(&["user_id", "preference_key"])
}

fn organizations() -> Table {
    Table::new(
        "organizations",
        "A tenant: the owner of all work. Every user has a personal one from sign-up.",
    )
    .with([
        id(),
        text("name", "The name to show."),
        text("slug", "The name in addresses."),
        boolean("is_personal", "Whether it is a user's own and goes with that user.").default("false"),
        bigint("max_concurrency", "How many executions may run at once; null for no limit of its own.")
            .null(),
        jsonb("settings", "Settings of the whole organization.").default("'{}'"),
        created_at(),
        updated_at(),
    ])
    .unique(&["slug"])
}

fn organization_members() -> Table {
    Table::new("organization_members", "A user's membership of an organization, with the role.")
        .with([
            id(),
            organization(),
            uuid("user_id", "The member.").references("users", Cascade),
            text("role", "What the member may do: owner, admin, member or viewer.")
                .one_of(&["owner", "admin", "member", "viewer"]),
            created_at(),
        ])
        .unique(&["organization_id", "user_id"])
        .index(&["user_id"])
}

fn sessions() -> Table {
    Table::new("sessions", "A sign-in from a browser. The cookie holds the token, the row only its hash.")
        .with([
            id(),
            text("token_hash", "SHA-256 of the token, in hex."),
            uuid("user_id", "Who signed in.").references("users", Cascade),
            uuid("organization_id", "The organization the user is working in.")
                .null()
                .references("organizations", SetNull),
            jsonb("data", "What the session remembers between requests.").default("'{}'"),
            text("ip_address", "From where it was opened.").null(),
            text("user_agent", "By which browser it was opened.").null(),
            created_at(),
            timestamp("last_seen_at", "The latest request."),
            timestamp("expires_at", "From when the session no longer counts."),
        ])
        .unique(&["token_hash"])
        .index(&["user_id"])
        .index(&["organization_id"])
        .index(&["expires_at"])
}

fn oauth_accounts() -> Table {
    Table::new("oauth_accounts", "A user's account at a provider of social login.")
        .with([
            id(),
            uuid("user_id", "Whose account it is.").references("users", Cascade),
            text("provider", "The provider, such as `google`."),
            text("provider_account_id", "The provider's lasting name for the account."),
            text("email", "The address that the provider gave.").null(),
            timestamp("last_login_at", "The latest sign-in by this account.").null(),
            created_at(),
            updated_at(),
        ])
        .unique(&["provider", "provider_account_id"])
        .index(&["user_id"])
}

fn api_keys() -> Table {
    Table::new("api_keys", "A key for programs. It is shown once, at its making; the row holds a hash.")
        .with([
            id(),
            organization(),
            uuid("user_id", "For whom the key acts.").references("users", Cascade),
            text("key_name", "The user's name for it."),
            text("key_prefix", "The first characters, to tell keys apart."),
            text("key_hash", "SHA-256 of the whole key, in hex."),
            jsonb("permissions", "What the key may do: an array of permission names.")
                .default("'[\"read\"]'"),
            timestamp("last_used_at", "The latest request with it.").null(),
            bigint("usage_count", "How many requests were made with it.").default("0"),
            timestamp("expires_at", "From when it no longer counts; null for never.").null(),
            boolean("is_active", "Whether it counts at all.").default("true"),
            created_at(),
            updated_at(),
        ])
        .unique(&["organization_id", "user_id", "key_name"])
        .unique(&["key_hash"])
        .index(&["user_id"])
}

/// The trail outlives its organization and its user: an auditor asks about just those that are gone.
fn audit_logs() -> Table {
    let organization = uuid(
        "organization_id",
        "Where it happened; null outside any organization, such as a failed sign-in.",
    );
    Table::new("audit_logs", "Something that somebody did, kept for audits. Rows are only ever added.")
        .with([
            id(),
            organization.null().references("organizations", SetNull).tenant(),
            uuid("user_id", "Who did it; null for the system or an unknown caller.")
                .null()
                .references("users", SetNull),
            text("action", "What was done, such as `workflow.update`."),
            text("resource_type", "The kind of thing it was done to."),
            uuid("resource_id", "Which one.").null(),
            jsonb("details", "More about it.").default("'{}'"),
            jsonb("old_values", "The changed fields before.").null(),
            jsonb("new_values", "The changed fields after.").null(),
            text("ip_address", "From where it was done.").null(),
            text("user_agent", "By which program it was done.").null(),
            created_at(),
        ])
        .index(&["user_id", "created_at DESC"])
        .index(&["organization_id", "created_at DESC"])
        .index(&["resource_type", "resource_id"])
}
