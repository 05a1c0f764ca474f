//! When a schedule fires next, or would.

use actix_web::{get, post, web};
use chrono::{DateTime, Utc};
use engine::cron::CronExpression;
use serde::{Deserialize, Serialize};
use store::schedules::Timing;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::crud::find;
use crate::auth::{Access, Read};
use crate::http::{Body, Query, check_moment};
use crate::problem::Problem;
use crate::state::State;

/// Occurrences when the caller does not say how many.
const DEFAULT_COUNT: u32 = 5;

/// Most occurrences of one answer.
const MAX_COUNT: u32 = 100;

/// A schedule that may be made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PreviewRequest {
    /// Five Unix fields, or six with seconds first, or a nickname such as `@daily`.
    #[schema(example = "0 9 * * 1-5")]
    cron_expression: String,
    /// The IANA time zone in which the expression is read; UTC when missing.
    #[schema(example = "Europe/Berlin")]
    timezone: Option<String>,
    /// Occurrences after this moment; now when missing.
    after: Option<DateTime<Utc>>,
    /// How many, 1 to 100; 5 when missing.
    #[schema(minimum = 1, maximum = 100)]
    count: Option<u32>,
}

/// When a schedule fires.
#[derive(Serialize, ToSchema)]
#[schema(as = Upcoming)]
pub struct UpcomingBody {
    /// The expression in words.
    #[schema(example = "at 09:00 on Monday to Friday")]
    description: String,
    /// The next occurrences, the first one first; fewer than asked for when there are no more.
    next: Vec<DateTime<Utc>>,
}

/// How many occurrences are wanted.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct UpcomingQuery {
    /// How many, 1 to 100; 5 when missing.
    #[param(minimum = 1, maximum = 100)]
    count: Option<u32>,
}

/// Preview a schedule
///
/// Says when a cron expression would fire; nothing is stored.
#[utoipa::path(
    tag = "schedules",
    request_body = PreviewRequest,
    responses((status = 200, description = "The next occurrences", body = UpcomingBody)),
)]
#[post("/schedules/preview")]
pub(crate) async fn preview_schedule(
    state: web::Data<State>,
    _access: Access<Read>,
    body: Body<PreviewRequest>,
) -> Result<web::Json<UpcomingBody>, Problem> {
    let request = body.read().await?;
    check_moment("after", request.after)?;
    let timing = Timing::new(request.cron_expression, request.timezone.unwrap_or_else(|| "UTC".to_owned()));
    upcoming(&timing, request.after.unwrap_or_else(|| state.db.now()), request.count)
}

/// Read the next occurrences of a schedule
///
/// Whether it is active or not.
#[utoipa::path(
    tag = "schedules",
    params(UpcomingQuery),
    responses((status = 200, description = "The next occurrences", body = UpcomingBody)),
)]
#[get("/schedules/{id}/next")]
pub(crate) async fn read_next_occurrences(
    state: web::Data<State>,
    access: Access<Read>,
    id: web::Path<Uuid>,
    query: Query<UpcomingQuery>,
) -> Result<web::Json<UpcomingBody>, Problem> {
    let schedule = find(state.db.reader(), access.organization_id, *id).await?;
    upcoming(&Timing::of(&schedule), state.db.now(), query.0.count)
}

fn upcoming(
    timing: &Timing,
    after: DateTime<Utc>,
    count: Option<u32>,
) -> Result<web::Json<UpcomingBody>, Problem> {
    let count = count.unwrap_or(DEFAULT_COUNT);
    if !(1..=MAX_COUNT).contains(&count) {
        return Err(Problem::field("count", format!("1 to {MAX_COUNT}")));
    }
    let mut next = Vec::new();
    let mut last = after;
    for _ in 0..count {
        let Some(at) = timing.next_after(last)? else { break };
        next.push(at);
        last = at;
    }
    let expression = CronExpression::parse(&timing.cron_expression);
    let expression = expression.map_err(|error| Problem::field("cron_expression", error.to_string()))?;
    Ok(web::Json(UpcomingBody { description: expression.describe(), next }))
}
