//! A person who can sign in, with profile, plan and credits.
//!
//! Generated from the migrations; do not edit.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

/// A person who can sign in, with profile, plan and credits.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize, Deserialize)]
#[sea_orm(table_name = "users")]
pub struct Model {
    /// Primary key, a UUIDv7 made by the application: ids sort by the time of their making.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The address to sign in with, stored in lower case.
    #[sea_orm(column_type = "Text", unique)]
    pub email: String,
    /// Argon2id hash in PHC form; null for a user who signs in elsewhere only.
    #[sea_orm(column_type = "Text", nullable)]
    pub password_hash: Option<String>,
    /// The name to show.
    #[sea_orm(column_type = "Text", nullable)]
    pub full_name: Option<String>,
    /// Given name, if told apart.
    #[sea_orm(column_type = "Text", nullable)]
    pub first_name: Option<String>,
    /// Family name, if told apart.
    #[sea_orm(column_type = "Text", nullable)]
    pub last_name: Option<String>,
    /// Where the profile picture is.
    #[sea_orm(column_type = "Text", nullable)]
    pub avatar_url: Option<String>,
    /// IANA time zone for what the user sees and for new schedules.
    #[sea_orm(column_type = "Text")]
    pub timezone: String,
    /// The plan: free, pro or enterprise.
    #[sea_orm(column_type = "Text")]
    pub plan_type: String,
    /// Credits spent in the current period.
    pub credits_used: i64,
    /// Credits the plan grants per period.
    pub credits_limit: i64,
    /// Whether the introduction was finished.
    pub onboarding_completed: bool,
    /// Settings that need no row of their own, such as the theme.
    #[sea_orm(column_type = "JsonBinary")]
    pub preferences: Json,
    /// Whether the user administers this installation.
    pub is_admin: bool,
    /// Whether the user may sign in.
    pub is_active: bool,
    /// When the address was proved; null if it was not.
    pub email_verified_at: Option<DateTimeWithTimeZone>,
    /// The latest sign-in.
    pub last_login_at: Option<DateTimeWithTimeZone>,
    /// When the row was made.
    pub created_at: DateTimeWithTimeZone,
    /// When the row was last changed; written by the application.
    pub updated_at: DateTimeWithTimeZone,
    /// The rows of `agents` that refer to this one.
    #[sea_orm(has_many)]
    pub agents: HasMany<super::agents::Entity>,
    /// The rows of `api_keys` that refer to this one.
    #[sea_orm(has_many)]
    pub api_keys: HasMany<super::api_keys::Entity>,
    /// The rows of `audit_logs` that refer to this one.
    #[sea_orm(has_many)]
    pub audit_logs: HasMany<super::audit_logs::Entity>,
    /// The rows of `chat_sessions` that refer to this one.
    #[sea_orm(has_many)]
    pub chat_sessions: HasMany<super::chat_sessions::Entity>,
    /// The rows of `demos` that refer to this one.
    #[sea_orm(has_many)]
    pub demos: HasMany<super::demos::Entity>,
    /// The rows of `emails` that refer to this one.
    #[sea_orm(has_many)]
    pub emails: HasMany<super::emails::Entity>,
    /// The rows of `executions` that refer to this one.
    #[sea_orm(has_many)]
    pub executions: HasMany<super::executions::Entity>,
    /// The rows of `files` that refer to this one.
    #[sea_orm(has_many)]
    pub files: HasMany<super::files::Entity>,
    /// The rows of `integrations` that refer to this one.
    #[sea_orm(has_many)]
    pub integrations: HasMany<super::integrations::Entity>,
    /// The rows of `oauth_accounts` that refer to this one.
    #[sea_orm(has_many)]
    pub oauth_accounts: HasMany<super::oauth_accounts::Entity>,
    /// The rows of `organization_members` that refer to this one.
    #[sea_orm(has_many)]
    pub organization_members: HasMany<super::organization_members::Entity>,
    /// The rows of `reports` that refer to this one.
    #[sea_orm(has_many)]
    pub reports: HasMany<super::reports::Entity>,
    /// The rows of `schedules` that refer to this one.
    #[sea_orm(has_many)]
    pub schedules: HasMany<super::schedules::Entity>,
    /// The rows of `sessions` that refer to this one.
    #[sea_orm(has_many)]
    pub sessions: HasMany<super::sessions::Entity>,
    /// The rows of `user_preferences` that refer to this one.
    #[sea_orm(has_many)]
    pub user_preferences: HasMany<super::user_preferences::Entity>,
    /// The rows of `webhooks` that refer to this one.
    #[sea_orm(has_many)]
    pub webhooks: HasMany<super::webhooks::Entity>,
    /// The rows of `workflow_templates` that refer to this one.
    #[sea_orm(has_many)]
    pub workflow_templates: HasMany<super::workflow_templates::Entity>,
    /// The rows of `workflow_versions` that refer to this one.
    #[sea_orm(has_many)]
    pub workflow_versions: HasMany<super::workflow_versions::Entity>,
    /// The rows of `workflows` that refer to this one.
    #[sea_orm(has_many)]
    pub workflows: HasMany<super::workflows::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
