//! Putting executions into the queue.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use engine::execution::ExecutionStatus;
use sea_orm::ConnectionTrait;
use serde_json::{Map, Value as Json};
use uuid::Uuid;

use super::NewExecution;
use crate::Result;
use crate::backend::rows::{
    Column, Kind, Rows, json, json_binary, optional, optional_json, optional_text, required,
};
use crate::clock::truncate;

static EXECUTION: [Column; 18] = [
    required("id", Kind::Uuid),
    required("organization_id", Kind::Uuid),
    required("workflow_id", Kind::Uuid),
    required("workflow_version", Kind::BigInt),
    optional("user_id", Kind::Uuid),
    required("status", Kind::Text),
    required("trigger_type", Kind::Text),
    optional("trigger_node_id", Kind::Text),
    required("trigger_data", Kind::Json),
    optional("input_data", Kind::Json),
    optional("parent_execution_id", Kind::Uuid),
    optional("parent_step_id", Kind::Uuid),
    optional("origin_execution_id", Kind::Uuid),
    optional("schedule_id", Kind::Uuid),
    optional("webhook_id", Kind::Uuid),
    optional("scheduled_for", Kind::Timestamp),
    required("metadata", Kind::JsonBinary),
    required("created_at", Kind::Timestamp),
];

static QUEUE: [Column; 8] = [
    required("execution_id", Kind::Uuid),
    required("organization_id", Kind::Uuid),
    required("workflow_id", Kind::Uuid),
    required("priority", Kind::BigInt),
    required("state", Kind::Text),
    required("run_at", Kind::Timestamp),
    optional("concurrency_key", Kind::Text),
    required("enqueued_at", Kind::Timestamp),
];

/// An occurrence that another scheduler has enqueued already is passed over.
const SKIP_KNOWN_OCCURRENCES: &str = " ON CONFLICT (schedule_id, scheduled_for) \
     WHERE schedule_id IS NOT NULL AND trigger_type = 'schedule' DO NOTHING RETURNING id";

/// An execution that is known, by its id or its occurrence, is passed over.
const SKIP_KNOWN: &str = " ON CONFLICT DO NOTHING RETURNING id";

/// Writes executions and their queue rows, and gives the ids of those that are new: an occurrence of a schedule that
/// has an execution already is passed over. Whoever calls it commits, and then notifies [`crate::Topic::Queue`].
///
/// # Errors
/// [`crate::Error::Unique`] with `pk_executions` when an id exists, [`crate::Error::ForeignKey`] when something that
/// is referred to does not, [`crate::Error::Invalid`] when JSON is nested deeper than [`crate::MAX_DEPTH`] levels.
pub async fn enqueue(
    tx: &impl ConnectionTrait,
    now: DateTime<Utc>,
    executions: &[NewExecution],
) -> Result<Vec<Uuid>> {
    write(tx, now, executions, SKIP_KNOWN_OCCURRENCES).await
}

/// The same for executions that may have been enqueued before, by a commit whose answer was lost: one whose id exists is
/// passed over, whatever has become of it since.
pub(crate) async fn enqueue_again(
    tx: &impl ConnectionTrait,
    now: DateTime<Utc>,
    executions: &[NewExecution],
) -> Result<Vec<Uuid>> {
    write(tx, now, executions, SKIP_KNOWN).await
}

async fn write(
    tx: &impl ConnectionTrait,
    now: DateTime<Utc>,
    executions: &[NewExecution],
    on_conflict: &str,
) -> Result<Vec<Uuid>> {
    if executions.is_empty() {
        return Ok(Vec::new());
    }
    let now = truncate(now);
    let mut rows = Rows::new(&EXECUTION);
    for execution in executions {
        rows.push(row(now, execution)?);
    }
    let insert = rows.insert_into("executions") + on_conflict;
    let mut inserted = HashSet::with_capacity(executions.len());
    for row in rows.query(tx, &insert).await? {
        inserted.insert(row.try_get::<Uuid>("", "id")?);
    }
    let mut rows = Rows::new(&QUEUE);
    let new: Vec<&NewExecution> =
        executions.iter().filter(|execution| inserted.contains(&execution.id)).collect();
    for execution in &new {
        rows.push([
            execution.id.into(),
            execution.organization_id.into(),
            execution.workflow_id.into(),
            execution.priority.into(),
            "ready".into(),
            truncate(execution.run_at).into(),
            optional_text(execution.concurrency_key.as_deref()),
            now.into(),
        ]);
    }
    let insert = rows.insert_into("execution_queue");
    rows.execute(tx, &insert).await?;
    Ok(new.into_iter().map(|execution| execution.id).collect())
}

fn row(now: DateTime<Utc>, new: &NewExecution) -> Result<[sea_orm::Value; 18]> {
    let trigger_data = match &new.trigger_data {
        Some(data) => json("trigger_data", data)?,
        None => json("trigger_data", &Json::Object(Map::new()))?,
    };
    let metadata = match &new.metadata {
        Json::Null => json("metadata", &Json::Object(Map::new()))?,
        metadata => json_binary("metadata", metadata)?,
    };
    Ok([
        new.id.into(),
        new.organization_id.into(),
        new.workflow_id.into(),
        new.workflow_version.into(),
        new.user_id.into(),
        ExecutionStatus::Pending.as_str().into(),
        new.trigger_type.as_str().into(),
        optional_text(new.trigger_node_id.as_deref()),
        trigger_data,
        optional_json("input_data", new.input_data.as_ref())?,
        new.parent.map(|parent| parent.execution_id).into(),
        new.parent.map(|parent| parent.step_id).into(),
        new.origin_execution_id.into(),
        new.schedule.map(|occurrence| occurrence.schedule_id).into(),
        new.webhook_id.into(),
        new.schedule.map(|occurrence| truncate(occurrence.scheduled_for)).into(),
        metadata,
        now.into(),
    ])
}
