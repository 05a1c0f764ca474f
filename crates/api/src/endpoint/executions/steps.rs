//! The steps of an execution, and what went into each.

use actix_web::{get, web};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::execution_steps::{self, Step, StepPlace, StepSummary};
use store::page::MAX_LIMIT;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::read::find_summary;
use crate::auth::{Access, Read};
use crate::http::Query;
use crate::page::Page;
use crate::problem::Problem;
use crate::state::State;

/// One attempt at one run of a node, without its items.
#[derive(Serialize, ToSchema)]
#[schema(as = StepSummary)]
pub struct StepSummaryBody {
    id: Uuid,
    /// The node in the definition.
    node_id: String,
    /// Its name.
    node_name: String,
    /// Its type.
    node_type: String,
    /// Which run of the node in this execution, from 0; more than one in a loop.
    run_index: i64,
    /// Which attempt at that run, from 1.
    attempt: i64,
    /// Its place in the order in which steps were started.
    sequence: i64,
    /// `running`, `waiting`, `completed`, `failed` or `cancelled`.
    status: String,
    /// Why it failed.
    #[schema(value_type = Option<Object>, required)]
    error: Option<Value>,
    /// When a waiting step goes on by itself.
    #[schema(required)]
    resume_at: Option<DateTime<Utc>>,
    /// The execution that it started.
    #[schema(required)]
    child_execution_id: Option<Uuid>,
    started_at: DateTime<Utc>,
    #[schema(required)]
    completed_at: Option<DateTime<Utc>>,
    /// How long the node ran, waiting not counted.
    #[schema(required)]
    duration_ms: Option<i64>,
}

/// One attempt at one run of a node.
#[derive(Serialize, ToSchema)]
#[schema(as = Step)]
pub struct StepBody {
    #[serde(flatten)]
    summary: StepSummaryBody,
    /// The items that went in, one list per input.
    inputs: Vec<StepInput>,
    /// The items that came out, one list per output; null while there are none.
    #[schema(value_type = Option<Vec<Vec<Object>>>, required)]
    outputs: Option<Value>,
}

/// What arrived at an input of a step.
#[derive(Serialize, ToSchema)]
pub struct StepInput {
    /// The outputs that it came from.
    sources: Vec<StepSource>,
    /// The items.
    #[schema(value_type = Vec<Object>)]
    items: Vec<Value>,
}

/// The output of a run of a node.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct StepSource {
    /// The node, by id.
    node: String,
    /// Which run of it, from 0.
    run: i64,
    /// Which output, from 0.
    output: usize,
}

impl From<StepSummary> for StepSummaryBody {
    fn from(step: StepSummary) -> Self {
        Self {
            id: step.id,
            node_id: step.node_id,
            node_name: step.node_name,
            node_type: step.node_type,
            run_index: step.run_index,
            attempt: step.attempt,
            sequence: step.sequence,
            status: step.status,
            error: step.error,
            resume_at: step.resume_at,
            child_execution_id: step.child_execution_id,
            started_at: step.started_at,
            completed_at: step.completed_at,
            duration_ms: step.duration_ms,
        }
    }
}

impl StepBody {
    fn of(step: Step, inputs: Vec<StepInput>) -> Self {
        Self {
            summary: StepSummaryBody {
                id: step.id,
                node_id: step.node_id,
                node_name: step.node_name,
                node_type: step.node_type,
                run_index: step.run_index,
                attempt: step.attempt,
                sequence: step.sequence,
                status: step.status,
                error: step.error,
                resume_at: step.resume_at.map(|at| at.to_utc()),
                child_execution_id: step.child_execution_id,
                started_at: step.started_at.to_utc(),
                completed_at: step.completed_at.map(|at| at.to_utc()),
                duration_ms: step.duration_ms,
            },
            inputs,
            outputs: step.output_data,
        }
    }
}

/// Which steps are wanted.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct StepQuery {
    /// Most rows of the page, 1 to 200; 200 when missing.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u64>,
    /// `next` of the page before.
    after: Option<String>,
}

/// List the steps of an execution
///
/// In the order of their start, without their items.
#[utoipa::path(
    tag = "executions",
    params(StepQuery),
    responses((status = 200, description = "A page of steps", body = Page<StepSummaryBody>)),
)]
#[get("/executions/{id}/steps")]
pub(crate) async fn list_steps(
    state: web::Data<State>,
    access: Access<Read>,
    id: web::Path<Uuid>,
    query: Query<StepQuery>,
) -> Result<web::Json<Page<StepSummaryBody>>, Problem> {
    let limit = query.0.limit.unwrap_or(MAX_LIMIT);
    if !(1..=MAX_LIMIT).contains(&limit) {
        return Err(Problem::field("limit", format!("{limit} is not within 1 and {MAX_LIMIT}")));
    }
    let after = query.0.after.as_deref().map(parse_place).transpose()?;
    find_summary(&state, access.organization_id, *id).await?;
    let mut steps = execution_steps::list(state.db.reader(), access.organization_id, *id, after).await?;
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let is_more = steps.len() > limit;
    steps.truncate(limit);
    let next = steps.last().filter(|_| is_more).map(|last| format!("{}.{}", last.sequence, last.attempt));
    Ok(web::Json(Page { items: steps.into_iter().map(StepSummaryBody::from).collect(), next }))
}

/// Read a step
///
/// With the items that went in and came out.
#[utoipa::path(tag = "executions", responses((status = 200, description = "The step, with its items", body = StepBody)))]
#[get("/executions/{id}/steps/{step_id}")]
pub(crate) async fn read_step(
    state: web::Data<State>,
    access: Access<Read>,
    path: web::Path<(Uuid, Uuid)>,
) -> Result<web::Json<StepBody>, Problem> {
    let (execution_id, step_id) = path.into_inner();
    let step =
        execution_steps::find(state.db.reader(), access.organization_id, execution_id, step_id).await?;
    let step = step.ok_or_else(|| Problem::not_found("step"))?;
    let inputs = resolve_inputs(&state, &step).await?;
    Ok(web::Json(StepBody::of(step, inputs)))
}

/// A step stores where its items came from; the items are with the steps that gave them out.
async fn resolve_inputs(state: &State, step: &Step) -> Result<Vec<StepInput>, Problem> {
    let stored = step.input_data.clone().unwrap_or_default();
    let inputs: Vec<Vec<StepSource>> = serde_json::from_value(stored).unwrap_or_default();
    let mut resolved = Vec::with_capacity(inputs.len());
    for sources in inputs {
        let mut items = Vec::new();
        for source in &sources {
            items.extend(items_of(state, step, source).await?);
        }
        resolved.push(StepInput { sources, items });
    }
    Ok(resolved)
}

async fn items_of(state: &State, step: &Step, source: &StepSource) -> Result<Vec<Value>, Problem> {
    let db = state.db.reader();
    let from =
        execution_steps::find_run(db, step.organization_id, step.execution_id, &source.node, source.run)
            .await?;
    let outputs = from.and_then(|from| from.output_data);
    Ok(match outputs {
        Some(Value::Array(mut outputs)) if source.output < outputs.len() => {
            match outputs.swap_remove(source.output) {
                Value::Array(items) => items,
                _ => Vec::new(),
            }
        }
        _ => Vec::new(),
    })
}

fn parse_place(text: &str) -> Result<StepPlace, Problem> {
    let place = text.split_once('.').and_then(|(sequence, attempt)| {
        Some(StepPlace { sequence: sequence.parse().ok()?, attempt: attempt.parse().ok()? })
    });
    place.ok_or_else(|| Problem::field("after", "is not a cursor that an earlier page gave out"))
}
