//! Whether the schema is as new as the program.

use std::collections::HashSet;

use sea_orm::{DatabaseConnection, DbBackend};

use crate::backend::query;
use crate::{Error, Result};

/// Fails if one of the migrations in `expected` has not been applied. Migrations that this program does not know are
/// fine: a newer one has been here, and the schema changes in ways that the older one survives.
pub(super) async fn check(db: &DatabaseConnection, expected: &[&str]) -> Result<()> {
    let applied = applied(db).await?;
    let pending: Vec<String> =
        expected.iter().filter(|name| !applied.contains(**name)).map(|name| (*name).to_owned()).collect();
    if pending.is_empty() { Ok(()) } else { Err(Error::OldSchema { pending }) }
}

async fn applied(db: &DatabaseConnection) -> Result<HashSet<String>> {
    // Asking for a table that is not there would be an error.
    let exists = match db.get_database_backend() {
        DbBackend::Postgres => "SELECT 1 WHERE to_regclass('seaql_migrations') IS NOT NULL",
        _ => "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'seaql_migrations'",
    };
    if query(db, exists, []).await?.is_empty() {
        return Ok(HashSet::new());
    }
    let rows = query(db, "SELECT version FROM seaql_migrations", []).await?;
    rows.iter().map(|row| Ok(row.try_get("", "version")?)).collect()
}
