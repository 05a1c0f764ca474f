//! A value with a known content, sealed in the database: it shows at start whether the key is the right one.
//!
//! It is the row of `health_checks` with a fixed id and the service name `vault`. Without it a service with a wrong
//! key would start, and fail later, one credential at a time.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use entity::health_checks;
use sea_orm::sea_query::OnConflict;
use sea_orm::{ActiveModelTrait, ConnectionTrait, EntityTrait, Set};
use serde_json::json;
use uuid::Uuid;

use super::{Error, SealContext, Vault};
use crate::Result;

/// Same in every database, so that any number of processes at their first start agree on one row.
const CANARY_ID: Uuid = Uuid::from_u128(0x7661_756c_7400_7000_8000_0000_0000_0001);

const CANARY: &[u8] = b"tidemill";

const CONTEXT: SealContext<'static> = SealContext {
    table: "health_checks",
    row_id: CANARY_ID,
    organization_id: Uuid::nil(),
    field: "metadata",
};

/// Checks that the vault's key is the one that this database was encrypted with. The first caller on a new database
/// leaves the canary; one whose current key is newer than the canary's seals it again.
///
/// # Errors
/// [`Error::WrongKey`] when the canary was sealed with a key that the vault has not, [`Error::Corrupt`] when it is
/// damaged, and those of the database.
pub async fn check_canary(tx: &impl ConnectionTrait, now: DateTime<Utc>, vault: &Vault) -> Result<()> {
    let row = match health_checks::Entity::find_by_id(CANARY_ID).one(tx).await? {
        Some(row) => row,
        None => {
            let row = health_checks::ActiveModel {
                id: Set(CANARY_ID),
                service_name: Set("vault".to_owned()),
                display_name: Set("Credential vault".to_owned()),
                status: Set("healthy".to_owned()),
                metadata: Set(sealed(vault)?),
                checked_at: Set(now.fixed_offset()),
                created_at: Set(now.fixed_offset()),
                ..Default::default()
            };
            health_checks::Entity::insert(row)
                .on_conflict(OnConflict::column(health_checks::Column::Id).do_nothing().to_owned())
                .exec_without_returning(tx)
                .await?;
            match health_checks::Entity::find_by_id(CANARY_ID).one(tx).await? {
                Some(row) => row,
                None => return Err(Error::Corrupt { reason: "the canary vanished while it was read" }.into()),
            }
        }
    };
    let canary = row
        .metadata
        .get("canary")
        .and_then(|value| value.as_str())
        .and_then(|text| STANDARD.decode(text).ok())
        .ok_or(Error::Corrupt { reason: "the canary is not readable" })?;
    let content = vault.unseal(&CONTEXT, &canary).map_err(|error| match error {
        Error::UnknownKey { key_id } => Error::WrongKey { expected: key_id, current: vault.current_key() },
        other => other,
    })?;
    if content != CANARY {
        return Err(Error::Corrupt { reason: "the canary has another content" }.into());
    }
    if vault.is_outdated(&canary)? {
        let row = health_checks::ActiveModel {
            id: Set(CANARY_ID),
            metadata: Set(sealed(vault)?),
            checked_at: Set(now.fixed_offset()),
            ..Default::default()
        };
        row.update(tx).await?;
    }
    Ok(())
}

fn sealed(vault: &Vault) -> std::result::Result<serde_json::Value, Error> {
    Ok(json!({ "canary": STANDARD.encode(vault.seal(&CONTEXT, CANARY)?) }))
}

/// Whether the database was encrypted with some key before: then a new one cannot fit.
///
/// # Errors
/// Those of the database.
pub async fn has_canary(db: &impl ConnectionTrait) -> Result<bool> {
    Ok(health_checks::Entity::find_by_id(CANARY_ID).one(db).await?.is_some())
}
