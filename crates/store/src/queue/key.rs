//! Executions that must not run side by side share a concurrency key.

use sea_orm::ConnectionTrait;
use uuid::Uuid;

use crate::Result;
use crate::backend::query;

/// The executions of an organization with this key that have not ended, the oldest first.
///
/// # Errors
/// Those of the database.
pub async fn unfinished_with_key(
    tx: &impl ConnectionTrait,
    organization_id: Uuid,
    key: &str,
) -> Result<Vec<Uuid>> {
    let sql = "SELECT execution_id FROM execution_queue WHERE organization_id = ? AND concurrency_key = ? \
               ORDER BY enqueued_at, execution_id";
    let rows = query(tx, sql, [organization_id.into(), key.into()]).await?;
    rows.iter().map(|row| Ok(row.try_get("", "execution_id")?)).collect()
}
