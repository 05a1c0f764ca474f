//! Rows of `execution_steps`.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use sea_orm::{ConnectionTrait, QueryResult, Value};
use uuid::Uuid;

use super::{StepRecord, StepStatus};
use crate::backend::rows::{Column, Kind, Rows, optional, optional_json, optional_text, required, text};
use crate::backend::{Backend, query};
use crate::clock::truncate;
use crate::queue::USED_TOKEN;
use crate::{Db, Error, Result};

const COLUMNS: usize = 20;

static STEP: [Column; COLUMNS] = [
    required("id", Kind::Uuid),
    required("organization_id", Kind::Uuid),
    required("execution_id", Kind::Uuid),
    required("node_id", Kind::Text),
    required("node_name", Kind::Text),
    required("node_type", Kind::Text),
    required("run_index", Kind::BigInt),
    required("attempt", Kind::BigInt),
    required("sequence", Kind::BigInt),
    required("status", Kind::Text),
    optional("input_data", Kind::Json),
    optional("output_data", Kind::Json),
    optional("error", Kind::Json),
    optional("context", Kind::Json),
    optional("resume_at", Kind::Timestamp),
    optional("resume_token_hash", Kind::Text),
    optional("child_execution_id", Kind::Uuid),
    required("started_at", Kind::Timestamp),
    optional("completed_at", Kind::Timestamp),
    optional("duration_ms", Kind::BigInt),
];

/// Writes steps. A record of a step that is known already takes its place, unless the known one is final. A request
/// that has resumed a waiting step stays with it until the step is final, whatever a worker that did not know of it
/// writes.
///
/// # Errors
/// [`Error::ForeignKey`] when there is no such execution.
pub async fn write_steps(tx: &impl ConnectionTrait, steps: &[StepRecord]) -> Result<()> {
    write(tx, steps.iter()).await
}

pub(super) async fn write(tx: &impl ConnectionTrait, steps: impl Iterator<Item = &StepRecord>) -> Result<()> {
    let mut rows = Rows::new(&STEP);
    for step in latest(steps) {
        rows.push(row(step)?);
    }
    if rows.is_empty() {
        return Ok(());
    }
    let is_resumed = format!(
        "k.resume_token_hash LIKE '{USED_TOKEN}%' AND excluded.status IN ('{}', '{}')",
        StepStatus::Running,
        StepStatus::Waiting
    );
    let upsert = format!(
        " ON CONFLICT (execution_id, node_id, run_index, attempt) DO UPDATE SET id = excluded.id, \
         node_name = excluded.node_name, node_type = excluded.node_type, sequence = excluded.sequence, \
         status = excluded.status, input_data = excluded.input_data, output_data = excluded.output_data, \
         error = excluded.error, context = CASE WHEN {is_resumed} THEN k.context ELSE excluded.context END, \
         resume_at = excluded.resume_at, resume_token_hash = CASE WHEN k.resume_token_hash LIKE '{USED_TOKEN}%' \
         THEN k.resume_token_hash ELSE COALESCE(excluded.resume_token_hash, k.resume_token_hash) END, \
         child_execution_id = excluded.child_execution_id, started_at = excluded.started_at, \
         completed_at = excluded.completed_at, duration_ms = excluded.duration_ms \
         WHERE k.status IN ('{}', '{}')",
        StepStatus::Running,
        StepStatus::Waiting
    );
    let insert = rows.insert_into("execution_steps AS k") + &upsert;
    rows.execute(tx, &insert).await?;
    Ok(())
}

/// One record for each step, since a statement may touch a row only once: the first final one, or else the last.
fn latest<'a>(steps: impl Iterator<Item = &'a StepRecord>) -> Vec<&'a StepRecord> {
    let mut latest: Vec<&StepRecord> = Vec::new();
    let mut places: HashMap<(Uuid, &str, i64, i64), usize> = HashMap::new();
    for step in steps {
        match places.entry((step.execution_id, step.node_id.as_str(), step.run_index, step.attempt)) {
            std::collections::hash_map::Entry::Vacant(vacant) => {
                vacant.insert(latest.len());
                latest.push(step);
            }
            std::collections::hash_map::Entry::Occupied(place) => {
                if let Some(known) = latest.get_mut(*place.get()).filter(|known| !known.status.is_final()) {
                    *known = step;
                }
            }
        }
    }
    latest
}

fn row(step: &StepRecord) -> Result<[Value; COLUMNS]> {
    Ok([
        step.id.into(),
        step.organization_id.into(),
        step.execution_id.into(),
        text(&step.node_id),
        text(&step.node_name),
        text(&step.node_type),
        step.run_index.into(),
        step.attempt.into(),
        step.sequence.into(),
        step.status.as_str().into(),
        optional_json("input_data", step.input_data.as_ref())?,
        optional_json("output_data", step.output_data.as_ref())?,
        optional_json("error", step.error.as_ref())?,
        optional_json("context", step.context.as_ref())?,
        step.resume_at.map(truncate).into(),
        optional_text(step.resume_token_hash.as_deref()),
        step.child_execution_id.into(),
        truncate(step.started_at).into(),
        step.completed_at.map(truncate).into(),
        step.duration_ms.into(),
    ])
}

/// The steps of an execution, in the order of their starts: what recovery goes through. Whoever asks holds the lease,
/// or has checked the organization.
///
/// # Errors
/// Those of the database.
pub async fn steps_of(db: &Db, execution_id: Uuid) -> Result<Vec<StepRecord>> {
    let sql = "SELECT * FROM execution_steps WHERE execution_id = ? ORDER BY sequence, attempt";
    query(db.reader(), sql, [execution_id.into()]).await?.iter().map(read).collect()
}

pub(super) fn read(row: &QueryResult) -> Result<StepRecord> {
    let status: String = row.try_get("", "status")?;
    Ok(StepRecord {
        id: row.try_get("", "id")?,
        organization_id: row.try_get("", "organization_id")?,
        execution_id: row.try_get("", "execution_id")?,
        node_id: row.try_get("", "node_id")?,
        node_name: row.try_get("", "node_name")?,
        node_type: row.try_get("", "node_type")?,
        run_index: row.try_get("", "run_index")?,
        attempt: row.try_get("", "attempt")?,
        sequence: row.try_get("", "sequence")?,
        status: status.parse().map_err(|reason: String| Error::invalid("status", reason))?,
        input_data: row.try_get("", "input_data")?,
        output_data: row.try_get("", "output_data")?,
        error: row.try_get("", "error")?,
        context: row.try_get("", "context")?,
        resume_at: row.try_get("", "resume_at")?,
        resume_token_hash: row.try_get("", "resume_token_hash")?,
        child_execution_id: row.try_get("", "child_execution_id")?,
        started_at: row.try_get("", "started_at")?,
        completed_at: row.try_get("", "completed_at")?,
        duration_ms: row.try_get("", "duration_ms")?,
    })
}

/// Gives the open steps of executions that end without their worker a final status.
pub(crate) async fn close_steps(
    tx: &impl ConnectionTrait,
    now: DateTime<Utc>,
    executions: &[Uuid],
    status: StepStatus,
) -> Result<()> {
    static COLUMNS: [Column; 3] =
        [required("v_id", Kind::Uuid), required("v_now", Kind::Timestamp), required("v_status", Kind::Text)];
    let mut rows = Rows::new(&COLUMNS);
    for id in executions {
        rows.push([(*id).into(), truncate(now).into(), status.as_str().into()]);
    }
    let body = format!(
        "UPDATE execution_steps AS s SET status = v.v_status, completed_at = v.v_now, duration_ms = {} FROM v \
         WHERE s.execution_id = v.v_id AND s.status IN ('{}', '{}')",
        Backend::of(tx).elapsed_ms("s.started_at", "v.v_now"),
        StepStatus::Running,
        StepStatus::Waiting
    );
    rows.execute(tx, &body).await?;
    Ok(())
}
