//! Making, reading, changing and deleting schedules.

use actix_web::{HttpResponse, delete, get, post, put, web};
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::Value;
use store::audit::{self, Deed};
use store::schedules::{
    self, MissedRunPolicy, NewSchedule, OverlapPolicy, Schedule, ScheduleFilter, ScheduleUpdate, Timing,
};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::body::{ScheduleBody, told};
use crate::auth::{Access, Read, Write};
use crate::http::{Body, Query, check_moment, nullable};
use crate::page::{Page, page_request};
use crate::problem::Problem;
use crate::state::State;

/// Longest name, in characters.
const MAX_NAME_CHARS: usize = 200;

/// Most missed occurrences that may be caught up.
const MAX_CATCH_UP: u32 = 1_000;

/// Missed occurrences that are caught up where the schedule does not say.
const DEFAULT_CATCH_UP: u32 = 10;

/// Longest time that an occurrence may be put off: a day.
const MAX_JITTER_MS: u32 = 86_400_000;

/// A schedule to be made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewScheduleRequest {
    /// The workflow to start.
    workflow_id: Uuid,
    /// The name to show.
    #[schema(example = "every working day")]
    name: String,
    /// Five Unix fields, or six with seconds first, or a nickname such as `@daily`.
    #[schema(example = "0 9 * * 1-5")]
    cron_expression: String,
    /// The IANA time zone in which the expression is read; UTC when missing.
    #[schema(example = "Europe/Berlin")]
    timezone: Option<String>,
    /// The input of its executions.
    input_data: Option<Value>,
    /// Whether it fires; true by default.
    is_active: Option<bool>,
    /// It does not fire before.
    starts_at: Option<DateTime<Utc>>,
    /// It does not fire from then on.
    ends_at: Option<DateTime<Utc>>,
    /// For occurrences that nobody fired: `skip`, `run_once` (the default) or `catch_up`.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "run_once")]
    missed_run_policy: MissedRunPolicy,
    /// How many missed occurrences `catch_up` fires at most; 10 by default.
    max_catch_up: Option<u32>,
    /// When the last execution still runs: `allow` (the default), `skip`, `queue` or `cancel_previous`.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "allow")]
    overlap_policy: OverlapPolicy,
    /// Up to how long an occurrence is put off; 0 by default.
    #[serde(default)]
    jitter_ms: u32,
}

/// What of a schedule is to be changed. A field that is missing stays as it is; null removes what can be missing.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ScheduleUpdateRequest {
    /// The name to show.
    name: Option<String>,
    /// Five Unix fields, or six with seconds first, or a nickname such as `@daily`.
    cron_expression: Option<String>,
    /// The IANA time zone in which the expression is read.
    timezone: Option<String>,
    /// The input of its executions.
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<Value>)]
    input_data: Option<Option<Value>>,
    /// Whether it fires.
    is_active: Option<bool>,
    /// It does not fire before.
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<DateTime<Utc>>)]
    starts_at: Option<Option<DateTime<Utc>>>,
    /// It does not fire from then on.
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<DateTime<Utc>>)]
    ends_at: Option<Option<DateTime<Utc>>>,
    /// For occurrences that nobody fired: `skip`, `run_once` or `catch_up`.
    #[schema(value_type = Option<String>)]
    missed_run_policy: Option<MissedRunPolicy>,
    /// How many missed occurrences `catch_up` fires at most.
    max_catch_up: Option<u32>,
    /// When the last execution still runs: `allow`, `skip`, `queue` or `cancel_previous`.
    #[schema(value_type = Option<String>)]
    overlap_policy: Option<OverlapPolicy>,
    /// Up to how long an occurrence is put off.
    jitter_ms: Option<u32>,
}

/// Which schedules are wanted.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ScheduleQuery {
    /// Of this workflow.
    workflow_id: Option<Uuid>,
    /// That fire, or that do not.
    is_active: Option<bool>,
    /// Most rows of the page, 1 to 200; 50 when missing.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u64>,
    /// `next` of the page before.
    after: Option<String>,
}

/// List schedules
///
/// The newest first, those of trigger nodes too.
#[utoipa::path(
    tag = "schedules",
    params(ScheduleQuery),
    responses((status = 200, description = "A page of schedules", body = Page<ScheduleBody>)),
)]
#[get("/schedules")]
pub(crate) async fn list_schedules(
    state: web::Data<State>,
    access: Access<Read>,
    query: Query<ScheduleQuery>,
) -> Result<web::Json<Page<ScheduleBody>>, Problem> {
    let query = query.0;
    let page = page_request(query.limit, query.after.as_deref())?;
    let filter = ScheduleFilter { workflow_id: query.workflow_id, is_active: query.is_active };
    let found = schedules::list(state.db.reader(), access.organization_id, filter, page).await?;
    Ok(web::Json(Page::of(found, ScheduleBody::from)))
}

/// Create a schedule
///
/// It starts its workflow at the only trigger that the workflow has.
#[utoipa::path(
    tag = "schedules",
    request_body = NewScheduleRequest,
    responses(
        (status = 201, description = "The schedule with its next occurrence", body = ScheduleBody),
        (status = 404, description = "There is no such workflow"),
    ),
)]
#[post("/schedules")]
pub(crate) async fn create_schedule(
    state: web::Data<State>,
    access: Access<Write>,
    body: Body<NewScheduleRequest>,
) -> Result<HttpResponse, Problem> {
    let request = body.read().await?;
    let max_catch_up = request.max_catch_up.unwrap_or(DEFAULT_CATCH_UP);
    check(Some(&request.name), Some(max_catch_up), Some(request.jitter_ms))?;
    check_input(request.input_data.as_ref())?;
    check_moment("starts_at", request.starts_at)?;
    check_moment("ends_at", request.ends_at)?;
    let new = NewSchedule {
        organization_id: access.organization_id,
        workflow_id: request.workflow_id,
        user_id: Some(access.user_id),
        name: request.name,
        timing: Timing {
            cron_expression: request.cron_expression,
            timezone: request.timezone.unwrap_or_else(|| "UTC".to_owned()),
            starts_at: request.starts_at,
            ends_at: request.ends_at,
        },
        input_data: request.input_data,
        is_active: request.is_active.unwrap_or(true),
        missed_run_policy: request.missed_run_policy,
        max_catch_up,
        overlap_policy: request.overlap_policy,
        jitter_ms: request.jitter_ms,
    };
    let (now, tx) = (state.db.now(), state.db.begin().await?);
    let made = schedules::create(&tx, now, new).await?.ok_or_else(|| Problem::not_found("workflow"))?;
    let deed = Deed { new_values: Some(told(&made)), ..access.deed("schedule.create", "schedule", made.id) };
    audit::record(&tx, now, deed).await?;
    tx.commit().await?;
    Ok(HttpResponse::Created().json(ScheduleBody::from(made)))
}

/// Read a schedule
#[utoipa::path(tag = "schedules", responses((status = 200, description = "The schedule", body = ScheduleBody)))]
#[get("/schedules/{id}")]
pub(crate) async fn read_schedule(
    state: web::Data<State>,
    access: Access<Read>,
    id: web::Path<Uuid>,
) -> Result<web::Json<ScheduleBody>, Problem> {
    Ok(web::Json(find(state.db.reader(), access.organization_id, *id).await?.into()))
}

/// Change a schedule
///
/// One of a trigger node is changed by changing its workflow. The next occurrence is computed anew when its time is
/// changed.
#[utoipa::path(
    tag = "schedules",
    request_body = ScheduleUpdateRequest,
    responses((status = 200, description = "The schedule as it is now", body = ScheduleBody)),
)]
#[put("/schedules/{id}")]
pub(crate) async fn update_schedule(
    state: web::Data<State>,
    access: Access<Write>,
    id: web::Path<Uuid>,
    body: Body<ScheduleUpdateRequest>,
) -> Result<web::Json<ScheduleBody>, Problem> {
    let request = body.read().await?;
    check(request.name.as_deref(), request.max_catch_up, request.jitter_ms)?;
    check_input(request.input_data.as_ref().and_then(Option::as_ref))?;
    check_moment("starts_at", request.starts_at.flatten())?;
    check_moment("ends_at", request.ends_at.flatten())?;
    let (now, tx) = (state.db.now(), state.db.begin().await?);
    let before = find(&tx, access.organization_id, *id).await?;
    let known = Timing::of(&before);
    let timing = Timing {
        cron_expression: request.cron_expression.unwrap_or(known.cron_expression),
        timezone: request.timezone.unwrap_or(known.timezone),
        starts_at: request.starts_at.unwrap_or(known.starts_at),
        ends_at: request.ends_at.unwrap_or(known.ends_at),
    };
    let update = ScheduleUpdate {
        name: request.name,
        timing: Some(timing),
        input_data: request.input_data,
        is_active: request.is_active,
        missed_run_policy: request.missed_run_policy,
        max_catch_up: request.max_catch_up,
        overlap_policy: request.overlap_policy,
        jitter_ms: request.jitter_ms,
    };
    let after = schedules::update(&tx, now, access.organization_id, *id, update).await?;
    let after = after.ok_or_else(|| Problem::not_found("schedule"))?;
    let deed = Deed {
        old_values: Some(told(&before)),
        new_values: Some(told(&after)),
        ..access.deed("schedule.update", "schedule", after.id)
    };
    audit::record(&tx, now, deed).await?;
    tx.commit().await?;
    Ok(web::Json(after.into()))
}

/// Delete a schedule
///
/// Executions that it started stay.
#[utoipa::path(tag = "schedules", responses((status = 204, description = "It is gone")))]
#[delete("/schedules/{id}")]
pub(crate) async fn delete_schedule(
    state: web::Data<State>,
    access: Access<Write>,
    id: web::Path<Uuid>,
) -> Result<HttpResponse, Problem> {
    let (now, tx) = (state.db.now(), state.db.begin().await?);
    let schedule = find(&tx, access.organization_id, *id).await?;
    schedules::delete(&tx, access.organization_id, schedule.id).await?;
    let deed =
        Deed { old_values: Some(told(&schedule)), ..access.deed("schedule.delete", "schedule", schedule.id) };
    audit::record(&tx, now, deed).await?;
    tx.commit().await?;
    Ok(HttpResponse::NoContent().finish())
}

/// The schedule with this id.
pub(super) async fn find(
    db: &impl sea_orm::ConnectionTrait,
    organization_id: Uuid,
    id: Uuid,
) -> Result<Schedule, Problem> {
    schedules::find(db, organization_id, id).await?.ok_or_else(|| Problem::not_found("schedule"))
}

/// Whether a trigger can give it out. Otherwise no execution of the schedule could be read.
fn check_input(input: Option<&Value>) -> Result<(), Problem> {
    let Some(input) = input else { return Ok(()) };
    engine::item::items_from_json(input.clone()).map_err(|reason| Problem::field("input_data", reason))?;
    Ok(())
}

fn check(name: Option<&str>, max_catch_up: Option<u32>, jitter_ms: Option<u32>) -> Result<(), Problem> {
    if name.is_some_and(|name| name.trim().is_empty() || name.chars().count() > MAX_NAME_CHARS) {
        return Err(Problem::field("name", format!("1 to {MAX_NAME_CHARS} characters")));
    }
    if max_catch_up.is_some_and(|count| !(1..=MAX_CATCH_UP).contains(&count)) {
        return Err(Problem::field("max_catch_up", format!("1 to {MAX_CATCH_UP}")));
    }
    if jitter_ms.is_some_and(|ms| ms > MAX_JITTER_MS) {
        return Err(Problem::field("jitter_ms", format!("at most {MAX_JITTER_MS}")));
    }
    Ok(())
}
