//! The audit log: who did what. Rows are only ever added, in the transaction of the deed, so there is no deed without
//! its row and no row without its deed.
//!
//! Secrets are cut out here, by the names of fields, whatever the caller passes.

use chrono::{DateTime, Utc};
use entity::audit_logs;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, Set};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::page::{Cursor, Direction, Page, PageRequest};
use crate::{Result, ids};

pub use entity::audit_logs::Model as AuditLog;

/// What stands in the place of a secret.
pub const REDACTED: &str = "[redacted]";

/// A field whose name holds one of these words holds a secret. Compared without case, `_` and `-`.
const SECRET_WORDS: [&str; 12] = [
    "password",
    "passwd",
    "passphrase",
    "secret",
    "token",
    "apikey",
    "privatekey",
    "credential",
    "authorization",
    "cookie",
    "keyhash",
    "signature",
];

/// Something that was done.
#[derive(Clone, Debug, Default)]
pub struct Deed {
    /// Where; `None` outside any organization.
    pub organization_id: Option<Uuid>,
    /// By whom; `None` for the system or an unknown caller.
    pub user_id: Option<Uuid>,
    /// What, such as `workflow.update`.
    pub action: String,
    /// The kind of thing that it was done to.
    pub resource_type: String,
    /// Which one.
    pub resource_id: Option<Uuid>,
    /// More about it: an object, or null.
    pub details: Value,
    /// The changed fields before.
    pub old_values: Option<Value>,
    /// The changed fields after.
    pub new_values: Option<Value>,
    /// From where.
    pub ip_address: Option<String>,
    /// By which program.
    pub user_agent: Option<String>,
}

/// Adds a row; returns its id.
///
/// # Errors
/// Those of the database.
pub async fn record(tx: &impl ConnectionTrait, now: DateTime<Utc>, deed: Deed) -> Result<Uuid> {
    let id = ids::new_id();
    let details = match deed.details {
        Value::Null => Value::Object(Map::new()),
        details => redact(details),
    };
    let row = audit_logs::ActiveModel {
        id: Set(id),
        organization_id: Set(deed.organization_id),
        user_id: Set(deed.user_id),
        action: Set(deed.action),
        resource_type: Set(deed.resource_type),
        resource_id: Set(deed.resource_id),
        details: Set(details),
        old_values: Set(deed.old_values.map(redact)),
        new_values: Set(deed.new_values.map(redact)),
        ip_address: Set(deed.ip_address.map(without_nul)),
        user_agent: Set(deed.user_agent.map(without_nul)),
        created_at: Set(now.fixed_offset()),
    };
    audit_logs::Entity::insert(row).exec_without_returning(tx).await?;
    Ok(id)
}

/// Which rows are wanted; `None` means all.
#[derive(Clone, Debug, Default)]
pub struct AuditFilter {
    /// By whom.
    pub user_id: Option<Uuid>,
    /// What.
    pub action: Option<String>,
    /// To what kind of thing.
    pub resource_type: Option<String>,
    /// To which one.
    pub resource_id: Option<Uuid>,
    /// Not before.
    pub from: Option<DateTime<Utc>>,
    /// Before.
    pub until: Option<DateTime<Utc>>,
}

/// The rows of an organization, the newest first.
///
/// # Errors
/// Those of the database.
pub async fn list(
    db: &impl ConnectionTrait,
    organization_id: Uuid,
    filter: &AuditFilter,
    page: PageRequest,
) -> Result<Page<AuditLog>> {
    let mut select =
        audit_logs::Entity::find().filter(audit_logs::Column::OrganizationId.eq(organization_id));
    if let Some(user_id) = filter.user_id {
        select = select.filter(audit_logs::Column::UserId.eq(user_id));
    }
    if let Some(action) = &filter.action {
        select = select.filter(audit_logs::Column::Action.eq(action.as_str()));
    }
    if let Some(resource_type) = &filter.resource_type {
        select = select.filter(audit_logs::Column::ResourceType.eq(resource_type.as_str()));
    }
    if let Some(resource_id) = filter.resource_id {
        select = select.filter(audit_logs::Column::ResourceId.eq(resource_id));
    }
    if let Some(from) = filter.from {
        select = select.filter(audit_logs::Column::CreatedAt.gte(from.fixed_offset()));
    }
    if let Some(until) = filter.until {
        select = select.filter(audit_logs::Column::CreatedAt.lt(until.fixed_offset()));
    }
    let rows = page
        .apply(select, audit_logs::Column::CreatedAt, audit_logs::Column::Id, Direction::NewestFirst)
        .all(db)
        .await?;
    Ok(page.page(rows, |row| Cursor::new(row.created_at, row.id)))
}

/// The same value with every field that holds a secret blanked out, at any depth, and without U+0000.
#[must_use]
pub fn redact(value: Value) -> Value {
    match value {
        Value::Object(fields) => Value::Object(
            fields
                .into_iter()
                .map(|(name, value)| {
                    let value = if is_secret(&name) && !value.is_null() {
                        Value::from(REDACTED)
                    } else {
                        redact(value)
                    };
                    (without_nul(name), value)
                })
                .collect(),
        ),
        Value::Array(values) => Value::Array(values.into_iter().map(redact).collect()),
        Value::String(text) => Value::String(without_nul(text)),
        other => other,
    }
}

fn is_secret(name: &str) -> bool {
    let name: String =
        name.chars().filter(|letter| letter.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    SECRET_WORDS.iter().any(|word| name.contains(word))
}

/// A deed is recorded even if it came with text that PostgreSQL cannot hold.
fn without_nul(text: String) -> String {
    if text.contains('\0') { text.replace('\0', "\u{fffd}") } else { text }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn secrets_are_cut_out_at_any_depth_whatever_the_case_of_their_names() {
        let value = json!({
            "name": "n",
            "Password": "hunter2",
            "nested": [{"api-key": "k", "refreshToken": {"deep": "t"}, "port": 1}],
            "credentials": ["a", "b"],
            "client_secret": null,
            "text": "a\0b",
        });
        let expected = json!({
            "name": "n",
            "Password": REDACTED,
            "nested": [{"api-key": REDACTED, "refreshToken": REDACTED, "port": 1}],
            "credentials": REDACTED,
            "client_secret": null,
            "text": "a\u{fffd}b",
        });
        assert_eq!(redact(value), expected);
    }
}
