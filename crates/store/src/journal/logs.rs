//! Rows of `execution_logs`.

use sea_orm::ConnectionTrait;

use super::LogRecord;
use crate::Result;
use crate::backend::rows::{Column, Kind, Rows, optional, optional_json, optional_text, required, text};
use crate::clock::truncate;

static LOG: [Column; 10] = [
    required("id", Kind::Uuid),
    required("organization_id", Kind::Uuid),
    required("execution_id", Kind::Uuid),
    optional("step_id", Kind::Uuid),
    optional("node_id", Kind::Text),
    optional("node_type", Kind::Text),
    required("level", Kind::Text),
    required("message", Kind::Text),
    optional("data", Kind::Json),
    required("timestamp", Kind::Timestamp),
];

/// Writes log lines; one that is known already stays as it is.
///
/// # Errors
/// [`crate::Error::ForeignKey`] when there is no such execution.
pub async fn write_logs(tx: &impl ConnectionTrait, logs: &[LogRecord]) -> Result<()> {
    write(tx, logs.iter()).await
}

pub(super) async fn write(tx: &impl ConnectionTrait, logs: impl Iterator<Item = &LogRecord>) -> Result<()> {
    let mut rows = Rows::new(&LOG);
    for log in logs {
        rows.push([
            log.id.into(),
            log.organization_id.into(),
            log.execution_id.into(),
            log.step_id.into(),
            optional_text(log.node_id.as_deref()),
            optional_text(log.node_type.as_deref()),
            log.level.as_str().into(),
            text(&log.message),
            optional_json("data", log.data.as_ref())?,
            truncate(log.timestamp).into(),
        ]);
    }
    let insert = rows.insert_into("execution_logs") + " ON CONFLICT (id) DO NOTHING";
    rows.execute(tx, &insert).await?;
    Ok(())
}
