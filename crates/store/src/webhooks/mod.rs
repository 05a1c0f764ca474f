//! Webhooks: addresses that start a workflow when they are called.
//!
//! A webhook is made by hand, or derived from a webhook trigger node whenever its workflow is saved
//! (`crate::workflows`); of a derived one only the secret can be changed here. A path belongs to one webhook of the
//! whole installation.
//!
//! Secrets are sealed by the vault. A webhook that asks for a signature but has no secret refuses every call
//! ([`Route::secret`] says so), it never counts as unsigned.

mod model;
mod route;
mod secret;

use chrono::{DateTime, Utc};
use entity::{webhooks, workflows};
use sea_orm::sea_query::LockType;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, QuerySelect,
    Set,
};
use uuid::Uuid;

use crate::page::{Cursor, Direction, Page, PageRequest};
use crate::settings::Secret;
use crate::vault::Vault;
use crate::{Error, Result, ids};

pub use entity::webhooks::Model as Webhook;
pub use model::{Method, ResponseMode, SignatureScheme, WebhookPath};
pub use route::{Route, Triggered, count_triggers, find_by_path};
pub use secret::{generate_secret, secret, set_secret};

pub(crate) use secret::seal_secret;

/// What a webhook asks of its callers, and answers them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    /// The HTTP method.
    pub method: Method,
    /// How calls are signed.
    pub signature_scheme: SignatureScheme,
    /// How old a signed timestamp may be.
    pub tolerance_secs: u32,
    /// How long a repeated event is known as a repeat.
    pub dedup_window_secs: u32,
    /// The header that names the event, if not the one of the scheme.
    pub dedup_header: Option<String>,
    /// When the caller is answered.
    pub response_mode: ResponseMode,
    /// The largest body; `None` for the installation's default.
    pub max_body_bytes: Option<u32>,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            method: Method::Post,
            signature_scheme: SignatureScheme::Standard,
            tolerance_secs: 300,
            dedup_window_secs: 86_400,
            dedup_header: None,
            response_mode: ResponseMode::Immediate,
            max_body_bytes: None,
        }
    }
}

impl Rules {
    pub(crate) fn check(&self) -> Result<()> {
        if let Some(header) = &self.dedup_header {
            let is_name = !header.is_empty()
                && header.len() <= 100
                && header.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
            if !is_name {
                return Err(Error::invalid(
                    "dedup_header",
                    format!("{header:?} is not the name of a header"),
                ));
            }
        }
        if self.max_body_bytes == Some(0) {
            return Err(Error::invalid("max_body_bytes", "is 0: no body could pass"));
        }
        Ok(())
    }

    /// Writes the rules into a row.
    pub(crate) fn put(self, row: &mut webhooks::ActiveModel) -> Result<()> {
        self.check()?;
        row.method = Set(self.method.as_str().to_owned());
        row.signature_scheme = Set(self.signature_scheme.as_str().to_owned());
        row.tolerance_secs = Set(self.tolerance_secs.into());
        row.dedup_window_secs = Set(self.dedup_window_secs.into());
        row.dedup_header = Set(self.dedup_header);
        row.response_mode = Set(self.response_mode.as_str().to_owned());
        row.max_body_bytes = Set(self.max_body_bytes.map(i64::from));
        Ok(())
    }
}

/// A webhook to be made by hand.
#[derive(Clone, Debug)]
pub struct NewWebhook {
    /// The organization.
    pub organization_id: Uuid,
    /// The workflow to run.
    pub workflow_id: Uuid,
    /// Who made it.
    pub user_id: Option<Uuid>,
    /// Its address.
    pub path: WebhookPath,
    /// What it asks and answers.
    pub rules: Rules,
    /// The signing secret; made by chance when missing and a signature is asked for.
    pub secret: Option<Secret>,
    /// Whether it takes calls.
    pub is_active: bool,
}

/// Makes a webhook; `None` when the organization has no such workflow.
///
/// # Errors
/// [`Error::WebhookPathTaken`] when another webhook has the path.
pub async fn create(
    tx: &impl ConnectionTrait,
    now: DateTime<Utc>,
    vault: &Vault,
    new: NewWebhook,
) -> Result<Option<Webhook>> {
    let workflow = workflows::Entity::find_by_id(new.workflow_id)
        .select_only()
        .column(workflows::Column::Id)
        .filter(workflows::Column::OrganizationId.eq(new.organization_id))
        .into_tuple::<Uuid>()
        .one(tx)
        .await?;
    if workflow.is_none() {
        return Ok(None);
    }
    let id = ids::new_id();
    let secret = match new.secret {
        Some(secret) => Some(secret),
        None if new.rules.signature_scheme != SignatureScheme::None => Some(generate_secret()),
        None => None,
    };
    let sealed = secret.map(|secret| seal_secret(vault, new.organization_id, id, &secret)).transpose()?;
    let mut row = webhooks::ActiveModel {
        id: Set(id),
        organization_id: Set(new.organization_id),
        workflow_id: Set(new.workflow_id),
        user_id: Set(new.user_id),
        path: Set(new.path.as_str().to_owned()),
        secret_encrypted: Set(sealed),
        is_active: Set(new.is_active),
        created_at: Set(now.fixed_offset()),
        updated_at: Set(now.fixed_offset()),
        ..Default::default()
    };
    new.rules.put(&mut row)?;
    row.insert(tx).await.map(Some).map_err(|error| path_taken(error, &new.path))
}

/// What of a webhook is to be changed; `None` leaves a field as it is.
#[derive(Clone, Debug, Default)]
pub struct WebhookUpdate {
    /// Its address.
    pub path: Option<WebhookPath>,
    /// What it asks and answers, whole.
    pub rules: Option<Rules>,
    /// Whether it takes calls.
    pub is_active: Option<bool>,
}

/// Changes a webhook; `None` when the organization has no such one. One that now asks for a signature and has no
/// secret gets one.
///
/// # Errors
/// [`Error::WebhookPathTaken`] when another webhook has the path; [`Error::Invalid`] when it belongs to a trigger node.
pub async fn update(
    tx: &impl ConnectionTrait,
    now: DateTime<Utc>,
    vault: &Vault,
    organization_id: Uuid,
    webhook_id: Uuid,
    update: WebhookUpdate,
) -> Result<Option<Webhook>> {
    let Some(webhook) = lock(tx, organization_id, webhook_id).await? else { return Ok(None) };
    refuse_derived(&webhook)?;
    let path = match update.path {
        Some(path) => path,
        None => WebhookPath::parse(&webhook.path)?,
    };
    let has_secret = webhook.secret_encrypted.is_some();
    let mut row = webhook.into_active_model();
    row.path = Set(path.as_str().to_owned());
    if let Some(rules) = update.rules {
        if rules.signature_scheme != SignatureScheme::None && !has_secret {
            row.secret_encrypted =
                Set(Some(seal_secret(vault, organization_id, webhook_id, &generate_secret())?));
        }
        rules.put(&mut row)?;
    }
    if let Some(is_active) = update.is_active {
        row.is_active = Set(is_active);
    }
    row.updated_at = Set(now.fixed_offset());
    row.update(tx).await.map(Some).map_err(|error| path_taken(error, &path))
}

/// Deletes a webhook; whether there was one.
///
/// # Errors
/// [`Error::Invalid`] when it belongs to a trigger node.
pub async fn delete(tx: &impl ConnectionTrait, organization_id: Uuid, webhook_id: Uuid) -> Result<bool> {
    let Some(webhook) = lock(tx, organization_id, webhook_id).await? else { return Ok(false) };
    refuse_derived(&webhook)?;
    Ok(webhooks::Entity::delete_by_id(webhook_id).exec(tx).await?.rows_affected > 0)
}

/// The webhook with this id.
///
/// # Errors
/// Those of the database.
pub async fn find(
    db: &impl ConnectionTrait,
    organization_id: Uuid,
    webhook_id: Uuid,
) -> Result<Option<Webhook>> {
    Ok(webhooks::Entity::find_by_id(webhook_id)
        .filter(webhooks::Column::OrganizationId.eq(organization_id))
        .one(db)
        .await?)
}

/// Which webhooks are wanted; `None` means all.
#[derive(Clone, Copy, Debug, Default)]
pub struct WebhookFilter {
    /// Of this workflow.
    pub workflow_id: Option<Uuid>,
    /// That take calls, or that do not.
    pub is_active: Option<bool>,
}

/// The webhooks of an organization, the newest first.
///
/// # Errors
/// Those of the database.
pub async fn list(
    db: &impl ConnectionTrait,
    organization_id: Uuid,
    filter: WebhookFilter,
    page: PageRequest,
) -> Result<Page<Webhook>> {
    let mut select = webhooks::Entity::find().filter(webhooks::Column::OrganizationId.eq(organization_id));
    if let Some(workflow_id) = filter.workflow_id {
        select = select.filter(webhooks::Column::WorkflowId.eq(workflow_id));
    }
    if let Some(is_active) = filter.is_active {
        select = select.filter(webhooks::Column::IsActive.eq(is_active));
    }
    let rows = page
        .apply(select, webhooks::Column::CreatedAt, webhooks::Column::Id, Direction::NewestFirst)
        .all(db)
        .await?;
    Ok(page.page(rows, |webhook| Cursor::new(webhook.created_at, webhook.id)))
}

async fn lock(tx: &impl ConnectionTrait, organization_id: Uuid, webhook_id: Uuid) -> Result<Option<Webhook>> {
    Ok(webhooks::Entity::find_by_id(webhook_id)
        .filter(webhooks::Column::OrganizationId.eq(organization_id))
        .lock(LockType::NoKeyUpdate)
        .one(tx)
        .await?)
}

fn refuse_derived(webhook: &Webhook) -> Result<()> {
    match &webhook.node_id {
        Some(node) => {
            Err(Error::invalid("webhook", format!("belongs to the node {node:?}: change the workflow")))
        }
        None => Ok(()),
    }
}

/// Names the path in the error of the database that says only which constraint was violated.
pub(crate) fn path_taken(error: sea_orm::DbErr, path: &WebhookPath) -> Error {
    match Error::from(error) {
        Error::Unique { constraint } if constraint == "uq_webhooks_path" => {
            Error::WebhookPathTaken { path: path.as_str().to_owned() }
        }
        other => other,
    }
}
