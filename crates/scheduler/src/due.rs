//! Schedules that have fallen due.
//!
//! One transaction takes a batch of due schedules, enqueues their occurrences and moves `next_run_at` on. The
//! occurrence is unique in the database (schedule, time), so two schedulers, or one that dies and comes back,
//! give one execution. A schedule that cannot be fired notes why, and goes on with its next occurrence.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use engine::cron::{CronExpression, jitter_ms, parse_timezone};
use serde_json::{Map, Value, json};
use store::queue::{self, CancelOutcome, NewExecution, Occurrence, TriggerType};
use store::schedules::{self, Advanced, Due, MissedRunPolicy, OverlapPolicy, Schedule};
use store::workflows::Status;
use store::{DatabaseTransaction, Db, Topic, executions, ids};
use uuid::Uuid;

use crate::Tick;
use crate::policy::{MissedRuns, Plan, Timetable};

/// What a tick of this loop has done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Schedules that were due.
    pub due: usize,
    /// Executions that were enqueued.
    pub enqueued: usize,
    /// Occurrences that the overlap policy left out.
    pub skipped: usize,
    /// Schedules that could not be fired.
    pub failed: usize,
}

/// Enqueues the executions of at most `batch` due schedules.
///
/// # Errors
/// Those of the database; nothing is lost, the schedules are still due.
pub async fn tick(db: &Db, batch: u64) -> anyhow::Result<Tick<Counts>> {
    let counts = match db.in_time(fire(db, Which::First(batch))).await {
        Ok(counts) => counts,
        Err(error) if error.is_temporary() => return Err(error.into()),
        // One of them breaks the batch: take them one by one, so that the others do not suffer.
        Err(_) => fire_each(db, batch).await?,
    };
    if counts.enqueued > 0 {
        db.notifier().notify(Topic::Queue);
        metrics::counter!("tidemill_schedule_executions_total").increment(counts.enqueued as u64);
    }
    Ok(Tick { counts, did_work: counts.due > 0, has_more: counts.due as u64 >= batch })
}

/// Which of the due schedules.
#[derive(Clone, Copy)]
enum Which {
    /// The longest due.
    First(u64),
    /// This one.
    One(Uuid),
}

impl Which {
    async fn claim(self, tx: &DatabaseTransaction, now: DateTime<Utc>) -> store::Result<Vec<Due>> {
        match self {
            Self::First(batch) => schedules::claim_due(tx, now, batch).await,
            Self::One(id) => Ok(schedules::claim_one(tx, now, id).await?.into_iter().collect()),
        }
    }
}

async fn fire(db: &Db, which: Which) -> store::Result<Counts> {
    let now = db.now();
    let tx = db.begin().await?;
    let due = which.claim(&tx, now).await?;
    if due.is_empty() {
        tx.rollback().await?;
        return Ok(Counts::default());
    }
    let open = unfinished(&tx, &due).await?;
    let mut counts = Counts { due: due.len(), ..Counts::default() };
    let mut cancelled = Vec::new();
    let mut advanced = Vec::with_capacity(due.len());
    let mut executions = Vec::with_capacity(due.len());
    for one in &due {
        let plan = match plan(one, now) {
            Ok(plan) => plan,
            Err(reason) => {
                counts.failed += 1;
                advanced.push(could_not_fire(&one.schedule, None, reason));
                continue;
            }
        };
        let mut run = plan.run;
        match overlap(one)? {
            OverlapPolicy::Allow | OverlapPolicy::Queue => {}
            // Several occurrences at once would overlap each other.
            OverlapPolicy::Skip => {
                let keep = usize::from(!open.contains_key(&one.schedule.id)).min(run.len());
                counts.skipped += run.len() - keep;
                run = run.split_off(run.len() - keep);
            }
            OverlapPolicy::CancelPrevious => {
                counts.skipped += run.len().saturating_sub(1);
                run = run.split_off(run.len().saturating_sub(1));
                for execution_id in open.get(&one.schedule.id).into_iter().flatten() {
                    let organization_id = one.schedule.organization_id;
                    match queue::request_cancel(&tx, now, organization_id, *execution_id).await? {
                        CancelOutcome::Cancelled { ended, requested } => {
                            cancelled.extend(ended);
                            cancelled.extend(requested);
                        }
                        CancelOutcome::Requested => cancelled.push(*execution_id),
                        CancelOutcome::AlreadyFinal(_) | CancelOutcome::NotFound => {}
                    }
                }
            }
        }
        advanced.push(Advanced {
            id: one.schedule.id,
            next_run_at: plan.next,
            last_run_at: run.last().copied(),
            fired: i64::try_from(run.len()).unwrap_or(i64::MAX),
            last_error: None,
        });
        executions.extend(run.into_iter().map(|occurrence| execution(one, occurrence)));
    }
    counts.enqueued = queue::enqueue(&tx, now, &executions).await?.len();
    schedules::advance(&tx, &advanced).await?;
    tx.commit().await?;
    cancelled.into_iter().for_each(|id| db.notifier().notify(Topic::Execution(id)));
    Ok(counts)
}

/// Fires due schedules in transactions of their own, and notes the error of one that cannot be fired.
async fn fire_each(db: &Db, batch: u64) -> store::Result<Counts> {
    let mut sum = Counts::default();
    for id in schedules::due_ids(db.reader(), db.now(), batch).await? {
        match db.in_time(fire(db, Which::One(id))).await {
            Ok(counts) => {
                sum.due += counts.due;
                sum.enqueued += counts.enqueued;
                sum.skipped += counts.skipped;
                sum.failed += counts.failed;
            }
            Err(error) if error.is_temporary() => return Err(error),
            Err(error) => {
                sum.due += 1;
                sum.failed += 1;
                db.in_time(note_failure(db, id, &error)).await?;
            }
        }
    }
    Ok(sum)
}

/// Moves a schedule on to its next occurrence, with the reason why this one could not be fired.
async fn note_failure(db: &Db, schedule_id: Uuid, error: &store::Error) -> store::Result<()> {
    let now = db.now();
    let tx = db.begin().await?;
    if let Some(one) = schedules::claim_one(&tx, now, schedule_id).await? {
        tracing::error!(%schedule_id, %error, "a schedule cannot be fired");
        let next = plan(&one, now).ok().and_then(|plan| plan.next);
        schedules::advance(&tx, &[could_not_fire(&one.schedule, next, error.to_string())]).await?;
    }
    Ok(tx.commit().await?)
}

fn could_not_fire(schedule: &Schedule, next_run_at: Option<DateTime<Utc>>, reason: String) -> Advanced {
    Advanced { id: schedule.id, next_run_at, last_run_at: None, fired: 0, last_error: Some(reason) }
}

/// The occurrences to run now, and the next one. Those of a workflow that is not active pass by.
fn plan(due: &Due, now: DateTime<Utc>) -> Result<Plan, String> {
    let schedule = &due.schedule;
    let expression = CronExpression::parse(&schedule.cron_expression).map_err(|error| error.to_string())?;
    let timezone = parse_timezone(&schedule.timezone).map_err(|error| error.to_string())?;
    let missed_runs =
        match schedule.missed_run_policy.parse().map_err(|error: store::Error| error.to_string())? {
            MissedRunPolicy::Skip => MissedRuns::Skip,
            MissedRunPolicy::RunOnce => MissedRuns::RunOnce,
            MissedRunPolicy::CatchUp => {
                MissedRuns::CatchUp(usize::try_from(schedule.max_catch_up).unwrap_or(0))
            }
        };
    let ends_at = schedule.ends_at.map(|end| end.to_utc());
    let timetable = Timetable { expression: &expression, timezone, ends_at, missed_runs };
    let mut plan = timetable.plan(schedule.next_run_at.map_or(now, |due| due.to_utc()), now);
    if due.workflow_status != Status::Active {
        plan.run.clear();
    }
    Ok(plan)
}

fn overlap(due: &Due) -> store::Result<OverlapPolicy> {
    due.schedule.overlap_policy.parse()
}

/// The executions that have not ended, of the schedules whose overlap policy asks for them.
async fn unfinished(tx: &DatabaseTransaction, due: &[Due]) -> store::Result<HashMap<Uuid, Vec<Uuid>>> {
    let mut wanted = Vec::new();
    for one in due {
        if matches!(overlap(one)?, OverlapPolicy::Skip | OverlapPolicy::CancelPrevious) {
            wanted.push(one.schedule.id);
        }
    }
    let mut open: HashMap<Uuid, Vec<Uuid>> = HashMap::new();
    for one in executions::unfinished_of_schedules(tx, &wanted).await? {
        open.entry(one.schedule_id).or_default().push(one.id);
    }
    Ok(open)
}

/// Executions with one key run one after the other.
fn concurrency_key(due: &Due) -> Option<String> {
    let queues = overlap(due).is_ok_and(|policy| policy == OverlapPolicy::Queue);
    queues.then(|| format!("schedule:{}", due.schedule.id))
}

fn execution(due: &Due, occurrence: DateTime<Utc>) -> NewExecution {
    let schedule = &due.schedule;
    let jitter = jitter_ms(schedule.id, occurrence, u64::try_from(schedule.jitter_ms).unwrap_or(0));
    NewExecution {
        id: ids::new_id(),
        organization_id: schedule.organization_id,
        workflow_id: schedule.workflow_id,
        workflow_version: due.workflow_version,
        user_id: schedule.user_id,
        trigger_type: TriggerType::Schedule,
        trigger_node_id: schedules::trigger_node_id(schedule).map(str::to_owned),
        trigger_data: Some(
            json!({ "schedule_id": schedule.id, "name": schedule.name, "scheduled_for": occurrence }),
        ),
        input_data: Some(trigger_items(schedule, occurrence)),
        priority: due.priority,
        run_at: occurrence + TimeDelta::milliseconds(i64::try_from(jitter).unwrap_or(0)),
        concurrency_key: concurrency_key(due),
        parent: None,
        origin_execution_id: None,
        schedule: Some(Occurrence { schedule_id: schedule.id, scheduled_for: occurrence }),
        webhook_id: None,
        metadata: json!({}),
    }
}

/// What the trigger gives out: one item with the occurrence, and the schedule's input data over it; or the items
/// that the input data lists.
fn trigger_items(schedule: &Schedule, occurrence: DateTime<Utc>) -> Value {
    if let Some(Value::Array(items)) = &schedule.input_data {
        return Value::Array(items.clone());
    }
    let local = parse_timezone(&schedule.timezone)
        .map_or_else(|_| occurrence.to_rfc3339(), |zone| occurrence.with_timezone(&zone).to_rfc3339());
    let mut fields = Map::from_iter([
        ("scheduled_for".to_owned(), json!(occurrence)),
        ("timestamp".to_owned(), json!(local)),
        ("timezone".to_owned(), json!(schedule.timezone)),
        ("schedule".to_owned(), json!(schedule.name)),
    ]);
    if let Some(Value::Object(data)) = &schedule.input_data {
        fields.extend(data.clone());
    }
    json!([{ "json": fields }])
}
