//! Schedules as the API shows them.

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::{Value, json};
use store::schedules::{Schedule, trigger_node_id};
use utoipa::ToSchema;
use uuid::Uuid;

/// When a workflow runs.
#[derive(Serialize, ToSchema)]
#[schema(as = Schedule)]
pub struct ScheduleBody {
    id: Uuid,
    /// The workflow that it starts.
    workflow_id: Uuid,
    /// The trigger node that it comes from: it is changed by changing the workflow. Null for one that was made by hand.
    #[schema(required)]
    node_id: Option<String>,
    /// The name to show.
    name: String,
    /// Five Unix fields, or six with seconds first, or a nickname such as `@daily`.
    #[schema(example = "0 9 * * 1-5")]
    cron_expression: String,
    /// The IANA time zone in which the expression is read.
    #[schema(example = "Europe/Berlin")]
    timezone: String,
    /// The input of its executions.
    #[schema(required)]
    input_data: Option<Value>,
    /// Whether it fires; its workflow must be active too.
    is_active: bool,
    /// It does not fire before.
    #[schema(required)]
    starts_at: Option<DateTime<Utc>>,
    /// It does not fire from then on.
    #[schema(required)]
    ends_at: Option<DateTime<Utc>>,
    /// For occurrences that nobody fired: `skip`, `run_once` or `catch_up`.
    missed_run_policy: String,
    /// How many missed occurrences `catch_up` fires at most.
    max_catch_up: i64,
    /// When the last execution still runs: `allow`, `skip`, `queue` or `cancel_previous`.
    overlap_policy: String,
    /// Up to how long an occurrence is put off, by chance that is the same each time.
    jitter_ms: i64,
    /// The next occurrence; null if there is none.
    #[schema(required)]
    next_run_at: Option<DateTime<Utc>>,
    /// The latest occurrence that was fired.
    #[schema(required)]
    last_run_at: Option<DateTime<Utc>>,
    /// How many occurrences were fired.
    run_count: i64,
    /// Why the latest occurrence could not be fired.
    #[schema(required)]
    last_error: Option<String>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl From<Schedule> for ScheduleBody {
    fn from(schedule: Schedule) -> Self {
        Self {
            id: schedule.id,
            workflow_id: schedule.workflow_id,
            node_id: trigger_node_id(&schedule).map(str::to_owned),
            name: schedule.name,
            cron_expression: schedule.cron_expression,
            timezone: schedule.timezone,
            input_data: schedule.input_data,
            is_active: schedule.is_active,
            starts_at: schedule.starts_at.map(|at| at.to_utc()),
            ends_at: schedule.ends_at.map(|at| at.to_utc()),
            missed_run_policy: schedule.missed_run_policy,
            max_catch_up: schedule.max_catch_up,
            overlap_policy: schedule.overlap_policy,
            jitter_ms: schedule.jitter_ms,
            next_run_at: schedule.next_run_at.map(|at| at.to_utc()),
            last_run_at: schedule.last_run_at.map(|at| at.to_utc()),
            run_count: schedule.run_count,
            last_error: schedule.last_error,
            created_at: schedule.created_at.to_utc(),
            updated_at: schedule.updated_at.to_utc(),
        }
    }
}

/// What the audit log says of a schedule.
pub(super) fn told(schedule: &Schedule) -> Value {
    json!({
        "workflow_id": schedule.workflow_id,
        "name": schedule.name,
        "cron_expression": schedule.cron_expression,
        "timezone": schedule.timezone,
        "starts_at": schedule.starts_at,
        "ends_at": schedule.ends_at,
        "missed_run_policy": schedule.missed_run_policy,
        "max_catch_up": schedule.max_catch_up,
        "overlap_policy": schedule.overlap_policy,
        "jitter_ms": schedule.jitter_ms,
        "is_active": schedule.is_active,
    })
}
