//! Reading executions.

use actix_web::{get, web};
use chrono::{DateTime, Utc};
use engine::execution::ExecutionStatus;
use serde::Deserialize;
use store::executions::{self, ExecutionFilter};
use store::queue::TriggerType;
use utoipa::IntoParams;
use uuid::Uuid;

use super::body::{ExecutionBody, ExecutionSummaryBody};
use crate::auth::{Access, Read};
use crate::http::{Query, check_moment};
use crate::page::{Page, page_request};
use crate::problem::Problem;
use crate::state::State;

/// Which executions are wanted.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ExecutionQuery {
    /// Of this workflow.
    workflow_id: Option<Uuid>,
    /// With this status, or one of these, separated by commas.
    #[param(example = "failed,cancelled")]
    status: Option<String>,
    /// Started by this: `manual`, `webhook`, `schedule`, `event`, `workflow`, `retry`.
    #[param(value_type = Option<String>, example = "schedule")]
    trigger_type: Option<TriggerType>,
    /// Made not before this moment.
    since: Option<DateTime<Utc>>,
    /// Made before this moment.
    until: Option<DateTime<Utc>>,
    /// Called by this execution.
    parent_execution_id: Option<Uuid>,
    /// That retry this execution.
    origin_execution_id: Option<Uuid>,
    /// Most rows of the page, 1 to 200; 50 when missing.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u64>,
    /// `next` of the page before.
    after: Option<String>,
}

/// List executions
///
/// The newest first, without their items.
#[utoipa::path(
    tag = "executions",
    params(ExecutionQuery),
    responses((status = 200, description = "A page of executions", body = Page<ExecutionSummaryBody>)),
)]
#[get("/executions")]
pub(crate) async fn list_executions(
    state: web::Data<State>,
    access: Access<Read>,
    query: Query<ExecutionQuery>,
) -> Result<web::Json<Page<ExecutionSummaryBody>>, Problem> {
    let query = query.0;
    let page = page_request(query.limit, query.after.as_deref())?;
    check_moment("since", query.since)?;
    check_moment("until", query.until)?;
    let words = query.status.iter().flat_map(|words| words.split(','));
    let statuses: Result<Vec<ExecutionStatus>, Problem> = words
        .map(|word| word.trim().parse().map_err(|reason: String| Problem::field("status", reason)))
        .collect();
    let filter = ExecutionFilter {
        workflow_id: query.workflow_id,
        statuses: statuses?,
        trigger_type: query.trigger_type,
        from: query.since,
        until: query.until,
        parent_execution_id: query.parent_execution_id,
        origin_execution_id: query.origin_execution_id,
    };
    let found = executions::list(state.db.reader(), access.organization_id, &filter, page).await?;
    Ok(web::Json(Page::of(found, ExecutionSummaryBody::from)))
}

/// Read an execution
#[utoipa::path(
    tag = "executions",
    responses((status = 200, description = "The execution, with its items", body = ExecutionBody)),
)]
#[get("/executions/{id}")]
pub(crate) async fn read_execution(
    state: web::Data<State>,
    access: Access<Read>,
    id: web::Path<Uuid>,
) -> Result<web::Json<ExecutionBody>, Problem> {
    Ok(web::Json(find(&state, access.organization_id, *id).await?))
}

/// The execution with this id.
pub(super) async fn find(state: &State, organization_id: Uuid, id: Uuid) -> Result<ExecutionBody, Problem> {
    let unknown = || Problem::not_found("execution");
    let summary = find_summary(state, organization_id, id).await?;
    let execution = executions::find(state.db.reader(), organization_id, id).await?.ok_or_else(unknown)?;
    Ok(ExecutionBody::of(execution, summary.workflow_name))
}

/// The execution with this id, without its items.
///
/// # Errors
/// 404 when the organization has none.
pub async fn find_summary(
    state: &State,
    organization_id: Uuid,
    id: Uuid,
) -> Result<executions::ExecutionSummary, Problem> {
    let found = executions::summary(state.db.reader(), organization_id, id).await?;
    found.ok_or_else(|| Problem::not_found("execution"))
}
