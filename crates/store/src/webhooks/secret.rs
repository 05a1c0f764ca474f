//! Signing secrets: made, sealed and opened.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use entity::webhooks;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, Set};
use uuid::Uuid;

use super::{SignatureScheme, Webhook};
use crate::settings::Secret;
use crate::vault::{self, SealContext, Vault};
use crate::{Error, Result, ids};

/// Bytes of a new secret; Standard Webhooks asks for 24 to 64.
const SECRET_BYTES: usize = 32;

/// A new secret in the form of Standard Webhooks, `whsec_` and base64. GitHub's scheme takes any text.
#[must_use]
pub fn generate_secret() -> Secret {
    Secret::new(format!("whsec_{}", STANDARD.encode(ids::random_bytes::<SECRET_BYTES>())))
}

/// The signing secret of a webhook, for those who may configure its sender; `None` when the organization has no such
/// webhook or the webhook no secret.
///
/// # Errors
/// [`Error::Vault`] when it cannot be unsealed.
pub async fn secret(
    db: &impl ConnectionTrait,
    vault: &Vault,
    organization_id: Uuid,
    webhook_id: Uuid,
) -> Result<Option<Secret>> {
    match super::find(db, organization_id, webhook_id).await? {
        Some(webhook) => unseal_secret(vault, &webhook),
        None => Ok(None),
    }
}

/// Replaces the signing secret, of a derived webhook too; `None` removes it. Whether there is such a webhook.
///
/// # Errors
/// [`Error::Invalid`] when the secret is not one that the webhook's scheme can sign with.
pub async fn set_secret(
    tx: &impl ConnectionTrait,
    now: DateTime<Utc>,
    vault: &Vault,
    organization_id: Uuid,
    webhook_id: Uuid,
    secret: Option<Secret>,
) -> Result<bool> {
    let Some(webhook) = super::lock(tx, organization_id, webhook_id).await? else { return Ok(false) };
    let scheme: SignatureScheme = webhook.signature_scheme.parse()?;
    if let Some(secret) = &secret {
        check(secret, scheme)?;
    }
    let sealed = secret.map(|secret| seal_secret(vault, organization_id, webhook_id, &secret)).transpose()?;
    let row = webhooks::ActiveModel {
        secret_encrypted: Set(sealed),
        updated_at: Set(now.fixed_offset()),
        ..Default::default()
    };
    let outcome = webhooks::Entity::update_many()
        .set(row)
        .filter(webhooks::Column::Id.eq(webhook_id))
        .filter(webhooks::Column::OrganizationId.eq(organization_id))
        .exec(tx)
        .await?;
    Ok(outcome.rows_affected > 0)
}

pub(crate) fn check(secret: &Secret, scheme: SignatureScheme) -> Result<()> {
    let refuse = |reason: &str| Err(Error::invalid("secret", reason));
    match scheme {
        SignatureScheme::Standard => {
            let text = secret.expose();
            match STANDARD.decode(text.strip_prefix("whsec_").unwrap_or(text)) {
                Ok(bytes) if (24..=64).contains(&bytes.len()) => Ok(()),
                Ok(_) => refuse("needs 24 to 64 bytes"),
                Err(_) => refuse("is not `whsec_` and base64"),
            }
        }
        SignatureScheme::Github | SignatureScheme::None => {
            if (8..=1_000).contains(&secret.expose().len()) {
                Ok(())
            } else {
                refuse("needs 8 to 1000 characters")
            }
        }
    }
}

pub(crate) fn seal_secret(
    vault: &Vault,
    organization_id: Uuid,
    webhook_id: Uuid,
    secret: &Secret,
) -> Result<Vec<u8>> {
    Ok(vault.seal(&context(organization_id, webhook_id), secret.expose().as_bytes())?)
}

pub(super) fn unseal_secret(vault: &Vault, webhook: &Webhook) -> Result<Option<Secret>> {
    let Some(sealed) = &webhook.secret_encrypted else { return Ok(None) };
    let secret = vault.unseal(&context(webhook.organization_id, webhook.id), sealed)?;
    let secret = String::from_utf8(secret).map_err(|_| vault::Error::Corrupt { reason: "it is not text" })?;
    Ok(Some(Secret::new(secret)))
}

fn context(organization_id: Uuid, webhook_id: Uuid) -> SealContext<'static> {
    SealContext { table: "webhooks", row_id: webhook_id, organization_id, field: "secret_encrypted" }
}
