//! Credentials: in through [`seal`], out through [`unseal`].

use std::fmt;

use entity::integrations;
use sea_orm::sea_query::LockType;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Set};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::Status;
use crate::vault::{self, SealContext, Vault};
use crate::{Error, Result};

/// Secret values by field name, such as `token`. `Debug` shows the names only, and there is no `Serialize`.
#[derive(Clone, Default, PartialEq)]
pub struct Credentials(Map<String, Value>);

impl Credentials {
    /// Wraps secret values.
    #[must_use]
    pub fn new(fields: Map<String, Value>) -> Self {
        Self(fields)
    }

    /// The secret values, at the place where they are used.
    #[must_use]
    pub fn expose(&self) -> &Map<String, Value> {
        &self.0
    }

    /// The secret values.
    #[must_use]
    pub fn into_inner(self) -> Map<String, Value> {
        self.0
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// An integration with its credentials, for the node that uses it.
#[derive(Clone, Debug)]
pub struct Unsealed {
    /// Which one.
    pub id: Uuid,
    /// The connector.
    pub service_name: String,
    /// The user's name for it.
    pub display_name: String,
    /// How it is.
    pub status: Status,
    /// Keys and tokens.
    pub credentials: Credentials,
    /// Settings that are no secret.
    pub configuration: Value,
}

impl From<Unsealed> for engine::node::Credential {
    fn from(unsealed: Unsealed) -> Self {
        Self {
            connector: unsealed.service_name,
            secrets: unsealed.credentials.into_inner(),
            configuration: unsealed.configuration,
        }
    }
}

/// Opens the credentials of an integration, named by its id or by its display name; of several with one name, the one
/// of the `connectors` (an empty list stands for any). `None` when the organization has no such one.
///
/// # Errors
/// [`Error::Invalid`] when the name stands for several or the integration is switched off; [`Error::Vault`] when the
/// credentials cannot be opened: that integration alone is then of no use.
pub async fn unseal(
    db: &impl ConnectionTrait,
    vault: &Vault,
    organization_id: Uuid,
    reference: &str,
    connectors: &[&str],
) -> Result<Option<Unsealed>> {
    if reference.contains('\0') {
        return Ok(None);
    }
    let mut select =
        integrations::Entity::find().filter(integrations::Column::OrganizationId.eq(organization_id));
    select = match reference.parse::<Uuid>() {
        Ok(id) => select.filter(integrations::Column::Id.eq(id)),
        Err(_) => select.filter(integrations::Column::DisplayName.eq(reference)),
    };
    if !connectors.is_empty() {
        select = select.filter(integrations::Column::ServiceName.is_in(connectors.iter().copied()));
    }
    let mut rows = select.limit(2).all(db).await?;
    let Some(row) = rows.pop() else { return Ok(None) };
    if !rows.is_empty() {
        return Err(Error::invalid(
            "integration",
            format!("{reference:?} is the name of several: use the id"),
        ));
    }
    let status: Status = row.status.parse()?;
    if status == Status::Inactive {
        return Err(Error::invalid("integration", format!("{:?} is switched off", row.display_name)));
    }
    let credentials = open(vault, &row)?;
    Ok(Some(Unsealed {
        id: row.id,
        service_name: row.service_name,
        display_name: row.display_name,
        status,
        credentials,
        configuration: row.configuration,
    }))
}

/// What [`reseal_outdated`] did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Resealed {
    /// How many rows it looked at.
    pub seen: usize,
    /// How many it sealed again.
    pub resealed: usize,
    /// How many cannot be opened; they are left as they are.
    pub broken: usize,
    /// The last row that it looked at; `None` at the end.
    pub last: Option<Uuid>,
}

/// Seals again what was sealed with an earlier key, in the order of ids, at most `limit` rows behind `after`: a
/// rotation goes through the table in small transactions.
///
/// # Errors
/// Those of the database.
pub async fn reseal_outdated(
    tx: &impl ConnectionTrait,
    vault: &Vault,
    after: Option<Uuid>,
    limit: u64,
) -> Result<Resealed> {
    let mut select = integrations::Entity::find();
    if let Some(after) = after {
        select = select.filter(integrations::Column::Id.gt(after));
    }
    let rows = select
        .order_by_asc(integrations::Column::Id)
        .limit(limit)
        .lock(LockType::NoKeyUpdate)
        .all(tx)
        .await?;
    let mut done = Resealed { seen: rows.len(), last: rows.last().map(|row| row.id), ..Resealed::default() };
    for row in rows {
        match vault.is_outdated(&row.credentials_encrypted) {
            Ok(false) => continue,
            Ok(true) => {}
            Err(_) => {
                done.broken += 1;
                continue;
            }
        }
        let Ok(credentials) = open(vault, &row) else {
            done.broken += 1;
            continue;
        };
        let sealed = seal(vault, row.organization_id, row.id, &credentials)?;
        integrations::Entity::update_many()
            .set(integrations::ActiveModel { credentials_encrypted: Set(sealed), ..Default::default() })
            .filter(integrations::Column::Id.eq(row.id))
            .exec(tx)
            .await?;
        done.resealed += 1;
    }
    Ok(done)
}

pub(super) fn seal(
    vault: &Vault,
    organization_id: Uuid,
    integration_id: Uuid,
    credentials: &Credentials,
) -> Result<Vec<u8>> {
    let text = serde_json::to_vec(&credentials.0)
        .map_err(|_| Error::invalid("credentials", "cannot be written as JSON"))?;
    Ok(vault.seal(&context(organization_id, integration_id), &text)?)
}

fn open(vault: &Vault, row: &integrations::Model) -> Result<Credentials> {
    let text = vault.unseal(&context(row.organization_id, row.id), &row.credentials_encrypted)?;
    let fields = serde_json::from_slice(&text)
        .map_err(|_| vault::Error::Corrupt { reason: "it is not an object of credentials" })?;
    Ok(Credentials(fields))
}

fn context(organization_id: Uuid, integration_id: Uuid) -> SealContext<'static> {
    SealContext {
        table: "integrations",
        row_id: integration_id,
        organization_id,
        field: "credentials_encrypted",
    }
}
