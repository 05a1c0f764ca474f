//! Taking executions to run.
//!
//! One claim at a time: on SQLite because there is one writer, on PostgreSQL under an advisory lock. It lasts a few
//! milliseconds for up to a hundred executions, and in return every limit (organization, workflow, key) is exact: what
//! runs is counted while nobody else can claim. An idle worker takes no lock, it only looks.
//!
//! What is looked at does not grow with the backlog: the organizations with something ready are found by jumping
//! through the index from one to the next, and of each only the head of its line is read. The exception is a line
//! whose head cannot run because its workflow or its key is at its limit: those are read past. While there is room, the
//! next organizations are looked at; a claim that found nothing goes on behind them next time.
//!
//! An execution whose row cannot be read fails with code `corrupt_record`, alone: it must not hold up the others.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use engine::execution::{Event, ExecutionStatus};
use sea_orm::{ConnectionTrait, DbBackend, QueryResult, Statement};
use serde_json::Value as Json;
use uuid::Uuid;

use super::rescue::without_result;
use super::share::{self, Candidate, Portion, Tenant};
use super::transition::sources;
use super::{ClaimRequest, Claimed, Ended, Ending, ErrorSummary, Lease, Parent, end};
use crate::backend::rows::{Column, Kind, Rows, required};
use crate::backend::{Backend, execute, lock, query};
use crate::clock::truncate;
use crate::notify::Topic;
use crate::{Db, Error, Result};

/// Names the lock among the advisory locks of a PostgreSQL database: "claim" in ASCII.
const ADVISORY_LOCK: i64 = 0x63_6c61_696d;

/// Most organizations that one claim looks at; the next goes on behind them.
const MAX_TENANTS: i64 = 256;

/// Most executions of one claim.
const MAX_LIMIT: u64 = 1_000;

/// Longest lease: keeps the arithmetic of times from overflowing.
const MAX_LEASE_MS: u64 = 24 * 60 * 60 * 1_000;

/// Takes executions that are ready, at most as many as asked for, fairly among organizations and within all limits. Of
/// one organization those with the highest priority go first, and among them the oldest.
///
/// # Errors
/// Those of the database.
pub async fn claim(db: &Db, now: DateTime<Utc>, request: &ClaimRequest) -> Result<Vec<Claimed>> {
    db.in_time(take(db, now, request)).await
}

async fn take(db: &Db, now: DateTime<Utc>, request: &ClaimRequest) -> Result<Vec<Claimed>> {
    let limit = request.limit.min(MAX_LIMIT);
    let now = truncate(now);
    if limit == 0 || !is_anything_ready(db, now).await? {
        return Ok(Vec::new());
    }
    let tx = db.begin().await?;
    if db.backend() == Backend::Postgres {
        // The planner does not know how long the line of an organization is, and would rather sort all of it than walk
        // along the index that has the order.
        let sql = "SELECT pg_advisory_xact_lock(?), set_config('enable_sort', 'off', true)";
        execute(&tx, sql, [ADVISORY_LOCK.into()]).await?;
    }
    let cursor = &db.cursors().claim;
    let tenants = tenants(&tx, now, cursor.get(), request).await?;
    let chosen = choose(&tx, now, &tenants, limit).await?;
    let next = share::next_cursor(&tenants, &chosen);
    let leases = lease(&tx, now, request, &chosen).await?;
    let (claimed, corrupt) = start(&tx, now, leases, &chosen).await?;
    let woken = fail_corrupt(&tx, now, &corrupt).await?;
    tx.commit().await?;
    if let Some(next) = next {
        cursor.set(next);
    }
    if !woken.is_empty() {
        db.notifier().notify(Topic::Queue);
    }
    corrupt.into_iter().for_each(|(id, _)| db.notifier().notify(Topic::Execution(id)));
    Ok(claimed)
}

/// Looks at as many organizations as could fill the claim, and at more of them when those could not.
async fn choose(
    tx: &impl ConnectionTrait,
    now: DateTime<Utc>,
    tenants: &[Tenant],
    limit: u64,
) -> Result<Vec<Candidate>> {
    let portions = share::portions(tenants, limit);
    let mut found = Vec::new();
    for part in portions.chunks(usize::try_from(limit).unwrap_or(usize::MAX)) {
        found.extend(candidates(tx, now, part).await?);
        let chosen = share::choose(&portions, &found, limit);
        if chosen.len() as u64 >= limit {
            return Ok(chosen);
        }
    }
    Ok(share::choose(&portions, &found, limit))
}

async fn is_anything_ready(db: &Db, now: DateTime<Utc>) -> Result<bool> {
    let sql = "SELECT 1 FROM execution_queue WHERE state = 'ready' AND run_at <= ? LIMIT 1";
    Ok(!query(db.reader(), sql, [now.into()]).await?.is_empty())
}

/// The organizations with something ready, those behind `cursor` first.
async fn tenants(
    tx: &impl ConnectionTrait,
    now: DateTime<Utc>,
    cursor: Uuid,
    request: &ClaimRequest,
) -> Result<Vec<Tenant>> {
    let next = |after: &str, until: &str| {
        format!(
            "SELECT q.organization_id FROM execution_queue q WHERE q.state = 'ready' AND q.organization_id > {after} \
             {until} AND q.run_at <= v.v_now ORDER BY q.organization_id LIMIT 1"
        )
    };
    let walk = |name: &str, start: &str, until: &str| {
        let (first, then) = (next(start, until), next(&format!("{name}.id"), until));
        format!(
            ", {name}(id, turn) AS (SELECT ({first}), 1 FROM v UNION ALL \
             SELECT ({then}), {name}.turn + 1 FROM {name}, v WHERE {name}.id IS NOT NULL AND {name}.turn < {MAX_TENANTS})"
        )
    };
    let body = format!(
        "{}{} SELECT t.id, t.lap, o.max_concurrency, (SELECT count(*) FROM execution_queue l \
         WHERE l.state = 'leased' AND l.organization_id = t.id) AS leased \
         FROM (SELECT id, 0 AS lap, turn FROM behind UNION ALL \
               SELECT id, 1 AS lap, turn FROM again) t \
         JOIN organizations o ON o.id = t.id ORDER BY t.lap, t.turn",
        walk("behind", "v.v_cursor", ""),
        walk("again", "v.v_start", "AND q.organization_id <= v.v_cursor"),
    );
    static COLUMNS: [Column; 3] = [
        required("v_cursor", Kind::Uuid),
        required("v_start", Kind::Uuid),
        required("v_now", Kind::Timestamp),
    ];
    let mut rows = Rows::new(&COLUMNS);
    rows.push([cursor.into(), Uuid::nil().into(), now.into()]);
    let default = request.default_organization_concurrency.map(i64::from);
    let read = |row: QueryResult| -> Result<Tenant> {
        Ok(Tenant {
            organization_id: row.try_get("", "id")?,
            is_behind_cursor: row.try_get::<i32>("", "lap")? == 0,
            leased: row.try_get("", "leased")?,
            limit: row.try_get::<Option<i64>>("", "max_concurrency")?.or(default),
        })
    };
    rows.query(tx, &body).await?.into_iter().map(read).collect()
}

/// The heads of the lines of organizations.
async fn candidates(
    tx: &impl ConnectionTrait,
    now: DateTime<Utc>,
    portions: &[Portion],
) -> Result<Vec<Candidate>> {
    let mut candidates = Vec::new();
    match Backend::of(tx) {
        Backend::Postgres => {
            static COLUMNS: [Column; 3] = [
                required("v_organization", Kind::Uuid),
                required("v_take", Kind::BigInt),
                required("v_now", Kind::Timestamp),
            ];
            let mut rows = Rows::new(&COLUMNS);
            portions.iter().for_each(|p| rows.push([p.organization_id.into(), p.take.into(), now.into()]));
            let head = head("v.v_organization", "v.v_now", "v.v_take");
            let body = format!("SELECT c.* FROM v CROSS JOIN LATERAL ({head}) c");
            for row in rows.query(tx, &body).await? {
                candidates.push(read_candidate(&row)?);
            }
        }
        Backend::Sqlite => {
            // It has no LATERAL; a statement for each organization costs microseconds there.
            let sql = head("?", "?", "?");
            for portion in portions {
                let values = [portion.organization_id.into(), now.into(), portion.take.into()];
                let statement = Statement::from_sql_and_values(DbBackend::Sqlite, &sql, values);
                for row in tx.query_all_raw(statement).await? {
                    candidates.push(read_candidate(&row)?);
                }
            }
        }
    }
    Ok(candidates)
}

/// The first ready executions of an organization that no limit holds back. An execution that was claimed once holds its
/// key until it ends, so one that has not started needs that nobody else has; one that has only needs that no other
/// runs, or two that had the key before that rule was kept would wait for each other. The order is that of the index and no finer,
/// or the whole line would have to be sorted.
fn head(organization: &str, now: &str, take: &str) -> String {
    let limit = "(SELECT w.concurrency_limit FROM workflows w WHERE w.id = q.workflow_id)";
    let running =
        "(SELECT count(*) FROM execution_queue l WHERE l.state = 'leased' AND l.workflow_id = q.workflow_id)";
    format!(
        "SELECT q.execution_id, q.organization_id, q.workflow_id, q.concurrency_key, {limit} AS workflow_limit, \
         CASE WHEN {limit} IS NULL THEN 0 ELSE {running} END AS workflow_running \
         FROM execution_queue q WHERE q.state = 'ready' AND q.organization_id = {organization} AND q.run_at <= {now} \
         AND CASE WHEN {limit} IS NULL THEN true ELSE {running} < {limit} END \
         AND CASE WHEN q.concurrency_key IS NULL THEN true ELSE NOT EXISTS (SELECT 1 FROM execution_queue l \
         WHERE l.organization_id = q.organization_id AND l.concurrency_key = q.concurrency_key \
         AND l.execution_id <> q.execution_id \
         AND (l.state = 'leased' OR (q.lease_token = 0 AND l.lease_token > 0))) END \
         ORDER BY q.priority DESC, q.run_at LIMIT {take}"
    )
}

fn read_candidate(row: &QueryResult) -> Result<Candidate> {
    let limit: Option<i64> = row.try_get("", "workflow_limit")?;
    let running: i64 = row.try_get("", "workflow_running")?;
    Ok(Candidate {
        execution_id: row.try_get("", "execution_id")?,
        organization_id: row.try_get("", "organization_id")?,
        workflow_id: row.try_get("", "workflow_id")?,
        concurrency_key: row.try_get("", "concurrency_key")?,
        workflow_room: limit.map(|limit| (limit, running)),
    })
}

/// A lease, how often it was taken, and the priority of its execution.
struct Taken {
    lease: Lease,
    attempt: i64,
    priority: i64,
}

async fn lease(
    tx: &impl ConnectionTrait,
    now: DateTime<Utc>,
    request: &ClaimRequest,
    chosen: &[Candidate],
) -> Result<HashMap<Uuid, Taken>> {
    static COLUMNS: [Column; 3] =
        [required("v_id", Kind::Uuid), required("v_owner", Kind::Text), required("v_until", Kind::Timestamp)];
    let until = lease_end(now, request.lease_ms);
    let mut rows = Rows::new(&COLUMNS);
    for candidate in chosen {
        rows.push([candidate.execution_id.into(), request.owner.as_str().into(), until.into()]);
    }
    // A row that somebody else holds is being cancelled; it is passed over. Nothing is waited for, so no order matters.
    let body = format!(
        ", picked AS (SELECT q.execution_id FROM execution_queue q WHERE q.execution_id IN (SELECT v_id FROM v) \
         AND q.state = 'ready'{}) \
         UPDATE execution_queue AS q SET state = 'leased', attempt = q.attempt + 1, lease_owner = v.v_owner, \
         lease_until = v.v_until, lease_token = q.lease_token + 1 FROM v \
         WHERE q.execution_id = v.v_id AND q.execution_id IN (SELECT p.execution_id FROM picked p) \
         RETURNING execution_id, attempt, lease_token, priority",
        Backend::of(tx).for_update_skip_locked("q")
    );
    let mut taken = HashMap::with_capacity(chosen.len());
    for row in rows.query(tx, &body).await? {
        let execution_id = row.try_get("", "execution_id")?;
        let token = row.try_get("", "lease_token")?;
        let lease = Lease { execution_id, owner: request.owner.clone(), token, until };
        let (attempt, priority) = (row.try_get("", "attempt")?, row.try_get("", "priority")?);
        taken.insert(execution_id, Taken { lease, attempt, priority });
    }
    Ok(taken)
}

/// When a lease ends that is given now.
pub(super) fn lease_end(now: DateTime<Utc>, lease_ms: u64) -> DateTime<Utc> {
    let lease_ms = i64::try_from(lease_ms.min(MAX_LEASE_MS)).unwrap_or_default();
    truncate(now) + TimeDelta::milliseconds(lease_ms)
}

/// Executions that cannot be read, with the reason.
type Corrupt = Vec<(Uuid, String)>;

/// Marks the executions as running and reads what a worker needs of them.
async fn start(
    tx: &impl ConnectionTrait,
    now: DateTime<Utc>,
    mut taken: HashMap<Uuid, Taken>,
    chosen: &[Candidate],
) -> Result<(Vec<Claimed>, Corrupt)> {
    static COLUMNS: [Column; 2] = [required("v_id", Kind::Uuid), required("v_now", Kind::Timestamp)];
    let mut rows = Rows::new(&COLUMNS);
    taken.keys().for_each(|id| rows.push([(*id).into(), now.into()]));
    let body = format!(
        "UPDATE executions AS e SET status = '{}', started_at = COALESCE(e.started_at, v.v_now) FROM v \
         WHERE e.id = v.v_id AND e.status IN ({}) \
         RETURNING id, organization_id, workflow_id, workflow_version, user_id, trigger_type, trigger_node_id, \
         trigger_data, input_data, parent_execution_id, parent_step_id, origin_execution_id, started_at, created_at, \
         cancel_requested_at, metadata",
        ExecutionStatus::Running,
        sources(Event::Claimed),
    );
    let mut claimed = HashMap::with_capacity(taken.len());
    let mut corrupt = Vec::new();
    for row in rows.query(tx, &body).await? {
        let id: Uuid = row.try_get("", "id")?;
        let Some(taken) = taken.remove(&id) else { continue };
        match read_claimed(&row, taken) {
            Ok(read) => {
                claimed.insert(id, read);
            }
            Err(Error::Database(error)) => corrupt.push((id, error.to_string())),
            Err(error) => corrupt.push((id, error.to_string())),
        }
    }
    Ok((chosen.iter().filter_map(|candidate| claimed.remove(&candidate.execution_id)).collect(), corrupt))
}

/// Ends executions that cannot be read, and gives the parents that are ready now.
async fn fail_corrupt(
    tx: &impl ConnectionTrait,
    now: DateTime<Utc>,
    corrupt: &[(Uuid, String)],
) -> Result<Vec<Uuid>> {
    if corrupt.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<Uuid> = corrupt.iter().map(|(id, _)| *id).collect();
    lock::queue_rows(tx, &[], lock::Parents::Of(&ids)).await?;
    let ended: Vec<(Uuid, Ended)> =
        corrupt.iter().map(|(id, reason)| (*id, corrupt_record(reason))).collect();
    let endings: Vec<Ending<'_>> =
        ended.iter().map(|(id, ended)| Ending { execution_id: *id, ended }).collect();
    for (id, reason) in corrupt {
        tracing::error!(execution_id = %id, reason, "an execution cannot be read and has failed");
    }
    end(tx, now, &endings).await
}

fn corrupt_record(reason: &str) -> Ended {
    let error = ErrorSummary {
        message: format!("the record of the execution cannot be read: {reason}"),
        code: "corrupt_record".to_owned(),
        stack: None,
        node_id: None,
    };
    without_result(ExecutionStatus::Failed, Some(error))
}

fn read_claimed(row: &QueryResult, taken: Taken) -> Result<Claimed> {
    let parent_execution: Option<Uuid> = row.try_get("", "parent_execution_id")?;
    let parent_step: Option<Uuid> = row.try_get("", "parent_step_id")?;
    let trigger_type: String = row.try_get("", "trigger_type")?;
    Ok(Claimed {
        organization_id: row.try_get("", "organization_id")?,
        workflow_id: row.try_get("", "workflow_id")?,
        workflow_version: row.try_get("", "workflow_version")?,
        attempt: taken.attempt,
        priority: taken.priority,
        trigger_type: trigger_type
            .parse()
            .map_err(|reason: String| Error::invalid("trigger_type", reason))?,
        trigger_node_id: row.try_get("", "trigger_node_id")?,
        input_data: row.try_get::<Option<Json>>("", "input_data")?,
        trigger_data: row.try_get("", "trigger_data")?,
        user_id: row.try_get("", "user_id")?,
        parent: parent_execution
            .zip(parent_step)
            .map(|(execution_id, step_id)| Parent { execution_id, step_id }),
        origin_execution_id: row.try_get("", "origin_execution_id")?,
        started_at: row.try_get("", "started_at")?,
        created_at: row.try_get("", "created_at")?,
        cancel_requested: row.try_get::<Option<DateTime<Utc>>>("", "cancel_requested_at")?.is_some(),
        metadata: row.try_get("", "metadata")?,
        lease: taken.lease,
    })
}
