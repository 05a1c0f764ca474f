//! Integrations: an organization's connections to services, with their credentials.
//!
//! Credentials are sealed by the vault and leave it in one way only, [`unseal`], for the node that uses them. Everything
//! else here gives out [`Integration`], which has no column for them, so that no list, page or error can hold them.

mod credentials;

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use entity::integrations;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult, QueryFilter, QuerySelect,
    Set,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::page::{Cursor, Direction, Page, PageRequest};
use crate::vault::Vault;
use crate::{Error, Result, ids, text};

pub use credentials::{Credentials, Resealed, Unsealed, reseal_outdated, unseal};

use credentials::seal;

/// Longest name, in characters.
const MAX_NAME_CHARS: usize = 200;

/// How an integration is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Fit for use.
    Active,
    /// Switched off: no node may use it.
    Inactive,
    /// The latest try failed; nodes may still use it.
    Error,
    /// Its tokens have ended.
    Expired,
}

impl Status {
    /// The word in the database and the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Inactive => "inactive",
            Self::Error => "error",
            Self::Expired => "expired",
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Status {
    type Err = Error;

    fn from_str(word: &str) -> Result<Self> {
        [Self::Active, Self::Inactive, Self::Error, Self::Expired]
            .into_iter()
            .find(|status| status.as_str() == word)
            .ok_or_else(|| {
                Error::invalid("status", format!("{word:?} is not active, inactive, error or expired"))
            })
    }
}

/// An integration without its credentials.
#[derive(Clone, Debug, PartialEq, FromQueryResult)]
#[expect(missing_docs, reason = "the fields are the columns of `entity::integrations`, which documents them")]
pub struct Integration {
    pub id: Uuid,
    pub organization_id: Uuid,
    pub user_id: Option<Uuid>,
    pub service_name: String,
    pub display_name: String,
    pub configuration: Value,
    pub status: String,
    pub expires_at: Option<DateTime<Utc>>,
    pub refresh_token_expires_at: Option<DateTime<Utc>>,
    pub last_tested_at: Option<DateTime<Utc>>,
    pub error_message: Option<String>,
    pub metadata: Value,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

const WITHOUT_CREDENTIALS: [integrations::Column; 14] = [
    integrations::Column::Id,
    integrations::Column::OrganizationId,
    integrations::Column::UserId,
    integrations::Column::ServiceName,
    integrations::Column::DisplayName,
    integrations::Column::Configuration,
    integrations::Column::Status,
    integrations::Column::ExpiresAt,
    integrations::Column::RefreshTokenExpiresAt,
    integrations::Column::LastTestedAt,
    integrations::Column::ErrorMessage,
    integrations::Column::Metadata,
    integrations::Column::CreatedAt,
    integrations::Column::UpdatedAt,
];

/// An integration to be made.
#[derive(Clone, Debug)]
pub struct NewIntegration {
    /// The organization.
    pub organization_id: Uuid,
    /// Who makes it.
    pub user_id: Option<Uuid>,
    /// The connector.
    pub service_name: String,
    /// The user's name for it.
    pub display_name: String,
    /// Keys and tokens.
    pub credentials: Credentials,
    /// Settings that are no secret.
    pub configuration: Value,
    /// What the service told about the account.
    pub metadata: Value,
    /// When the access token ends.
    pub expires_at: Option<DateTime<Utc>>,
    /// When the refresh token ends.
    pub refresh_token_expires_at: Option<DateTime<Utc>>,
}

/// Makes an integration.
///
/// # Errors
/// [`Error::Unique`] with `uq_integrations_organization_id_service_name_display_name` when the organization has one of
/// that name for the service.
pub async fn create(
    tx: &impl ConnectionTrait,
    now: DateTime<Utc>,
    vault: &Vault,
    new: NewIntegration,
) -> Result<Integration> {
    check_name("service_name", &new.service_name)?;
    check_name("display_name", &new.display_name)?;
    let configuration = check_object("configuration", new.configuration)?;
    let metadata = check_object("metadata", new.metadata)?;
    let id = ids::new_id();
    let row = integrations::ActiveModel {
        id: Set(id),
        organization_id: Set(new.organization_id),
        user_id: Set(new.user_id),
        service_name: Set(new.service_name),
        display_name: Set(new.display_name),
        credentials_encrypted: Set(seal(vault, new.organization_id, id, &new.credentials)?),
        configuration: Set(configuration),
        metadata: Set(metadata),
        expires_at: Set(new.expires_at.map(|at| at.fixed_offset())),
        refresh_token_expires_at: Set(new.refresh_token_expires_at.map(|at| at.fixed_offset())),
        created_at: Set(now.fixed_offset()),
        updated_at: Set(now.fixed_offset()),
        ..Default::default()
    };
    Ok(without_credentials(row.insert(tx).await?))
}

/// What of an integration is to be changed; `None` leaves a field as it is.
#[derive(Clone, Debug, Default)]
pub struct IntegrationUpdate {
    /// The user's name for it.
    pub display_name: Option<String>,
    /// Keys and tokens, whole. New ones make it active again.
    pub credentials: Option<Credentials>,
    /// Settings that are no secret, whole.
    pub configuration: Option<Value>,
    /// What the service told about the account, whole.
    pub metadata: Option<Value>,
    /// When the access token ends; `Some(None)` for never.
    pub expires_at: Option<Option<DateTime<Utc>>>,
    /// When the refresh token ends; `Some(None)` for never.
    pub refresh_token_expires_at: Option<Option<DateTime<Utc>>>,
    /// Switches it on or off.
    pub status: Option<Status>,
}

/// Changes an integration; `None` when the organization has no such one.
///
/// # Errors
/// As for [`create`].
pub async fn update(
    tx: &impl ConnectionTrait,
    now: DateTime<Utc>,
    vault: &Vault,
    organization_id: Uuid,
    integration_id: Uuid,
    update: IntegrationUpdate,
) -> Result<Option<Integration>> {
    let mut row = integrations::ActiveModel { updated_at: Set(now.fixed_offset()), ..Default::default() };
    if let Some(display_name) = update.display_name {
        check_name("display_name", &display_name)?;
        row.display_name = Set(display_name);
    }
    if let Some(credentials) = update.credentials {
        row.credentials_encrypted = Set(seal(vault, organization_id, integration_id, &credentials)?);
        row.status = Set(Status::Active.as_str().to_owned());
        row.error_message = Set(None);
    }
    if let Some(configuration) = update.configuration {
        row.configuration = Set(check_object("configuration", configuration)?);
    }
    if let Some(metadata) = update.metadata {
        row.metadata = Set(check_object("metadata", metadata)?);
    }
    if let Some(expires_at) = update.expires_at {
        row.expires_at = Set(expires_at.map(|at| at.fixed_offset()));
    }
    if let Some(expires_at) = update.refresh_token_expires_at {
        row.refresh_token_expires_at = Set(expires_at.map(|at| at.fixed_offset()));
    }
    if let Some(status) = update.status {
        row.status = Set(status.as_str().to_owned());
    }
    write(tx, organization_id, integration_id, row).await
}

/// Notes what a try of the connection gave; `None` when the organization has no such integration. A failure is told in
/// words that hold no secret.
///
/// # Errors
/// Those of the database.
pub async fn mark_tested(
    tx: &impl ConnectionTrait,
    now: DateTime<Utc>,
    organization_id: Uuid,
    integration_id: Uuid,
    outcome: Result<(), &str>,
) -> Result<Option<Integration>> {
    let status = if outcome.is_ok() { Status::Active } else { Status::Error };
    let row = integrations::ActiveModel {
        status: Set(status.as_str().to_owned()),
        error_message: Set(outcome.err().map(|message| message.replace('\0', "\u{fffd}"))),
        last_tested_at: Set(Some(now.fixed_offset())),
        updated_at: Set(now.fixed_offset()),
        ..Default::default()
    };
    write(tx, organization_id, integration_id, row).await
}

/// Deletes an integration; whether there was one.
///
/// # Errors
/// Those of the database.
pub async fn delete(tx: &impl ConnectionTrait, organization_id: Uuid, integration_id: Uuid) -> Result<bool> {
    let outcome = integrations::Entity::delete_many()
        .filter(integrations::Column::Id.eq(integration_id))
        .filter(integrations::Column::OrganizationId.eq(organization_id))
        .exec(tx)
        .await?;
    Ok(outcome.rows_affected > 0)
}

/// The integration with this id.
///
/// # Errors
/// Those of the database.
pub async fn find(
    db: &impl ConnectionTrait,
    organization_id: Uuid,
    integration_id: Uuid,
) -> Result<Option<Integration>> {
    Ok(integrations::Entity::find_by_id(integration_id)
        .select_only()
        .columns(WITHOUT_CREDENTIALS)
        .filter(integrations::Column::OrganizationId.eq(organization_id))
        .into_model::<Integration>()
        .one(db)
        .await?)
}

/// Which integrations are wanted; `None` means all.
#[derive(Clone, Debug, Default)]
pub struct IntegrationFilter {
    /// Of this connector.
    pub service_name: Option<String>,
    /// With this status.
    pub status: Option<Status>,
}

/// The integrations of an organization, the newest first.
///
/// # Errors
/// Those of the database.
pub async fn list(
    db: &impl ConnectionTrait,
    organization_id: Uuid,
    filter: &IntegrationFilter,
    page: PageRequest,
) -> Result<Page<Integration>> {
    let mut select = integrations::Entity::find()
        .select_only()
        .columns(WITHOUT_CREDENTIALS)
        .filter(integrations::Column::OrganizationId.eq(organization_id));
    if let Some(service_name) = &filter.service_name {
        text::refuse_nul("service_name", service_name)?;
        select = select.filter(integrations::Column::ServiceName.eq(service_name.as_str()));
    }
    if let Some(status) = filter.status {
        select = select.filter(integrations::Column::Status.eq(status.as_str()));
    }
    let rows = page
        .apply(select, integrations::Column::CreatedAt, integrations::Column::Id, Direction::NewestFirst)
        .into_model::<Integration>()
        .all(db)
        .await?;
    Ok(page.page(rows, |integration| Cursor::new(integration.created_at, integration.id)))
}

async fn write(
    tx: &impl ConnectionTrait,
    organization_id: Uuid,
    integration_id: Uuid,
    row: integrations::ActiveModel,
) -> Result<Option<Integration>> {
    let rows = integrations::Entity::update_many()
        .set(row)
        .filter(integrations::Column::Id.eq(integration_id))
        .filter(integrations::Column::OrganizationId.eq(organization_id))
        .exec_with_returning(tx)
        .await?;
    Ok(rows.into_iter().next().map(without_credentials))
}

fn without_credentials(row: integrations::Model) -> Integration {
    Integration {
        id: row.id,
        organization_id: row.organization_id,
        user_id: row.user_id,
        service_name: row.service_name,
        display_name: row.display_name,
        configuration: row.configuration,
        status: row.status,
        expires_at: row.expires_at.map(|at| at.to_utc()),
        refresh_token_expires_at: row.refresh_token_expires_at.map(|at| at.to_utc()),
        last_tested_at: row.last_tested_at.map(|at| at.to_utc()),
        error_message: row.error_message,
        metadata: row.metadata,
        created_at: row.created_at.to_utc(),
        updated_at: row.updated_at.to_utc(),
    }
}

fn check_name(field: &str, name: &str) -> Result<()> {
    text::refuse_nul(field, name)?;
    if name.trim().is_empty() || name.chars().count() > MAX_NAME_CHARS {
        return Err(Error::invalid(field, format!("needs 1 to {MAX_NAME_CHARS} characters")));
    }
    Ok(())
}

fn check_object(field: &str, value: Value) -> Result<Value> {
    text::refuse_nul_in(field, &value)?;
    match value {
        Value::Null => Ok(Value::Object(serde_json::Map::new())),
        Value::Object(_) => Ok(value),
        _ => Err(Error::invalid(field, "is not an object")),
    }
}
