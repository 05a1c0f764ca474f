//! Running a workflow by hand.

use std::time::Duration;

use actix_web::http::header;
use actix_web::{HttpResponse, post, web};
use engine::Graph;
use engine::graph::NodeSpec;
use serde::Deserialize;
use serde_json::{Value, json};
use store::audit::{self, Deed};
use store::queue::{self, NewExecution, TriggerType};
use store::workflows::Status;
use store::{Topic, executions, ids, workflow_versions};
use tokio::time::Instant;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::body::{ExecutionBody, ExecutionStarted};
use crate::auth::{Access, Execute};
use crate::endpoint::workflows::{find_workflow, judge};
use crate::events::Watch;
use crate::http::{Body, Query};
use crate::problem::{Code, Problem};
use crate::state::State;

/// The trigger that a run by hand starts at, if the workflow has one.
const MANUAL_TRIGGER: &str = "manual";

/// How a workflow is to be run.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ExecuteRequest {
    /// The items that the trigger gives out: a list or one, each `{"json": {...}}` or the bare data. One empty item
    /// when missing.
    #[schema(example = json!([{"json": {"name": "Ada"}}]))]
    input: Value,
    /// Name of the trigger node to start at; the manual one when missing, or the upper one where there is none.
    trigger_node: Option<String>,
    /// The version to run; the current one when missing.
    version: Option<i64>,
}

/// How long to wait for the result.
#[derive(Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct WaitQuery {
    /// Seconds, or `true` for as long as the installation allows; not at all when missing.
    #[param(example = "10")]
    pub(super) wait: Option<String>,
}

/// Execute a workflow
///
/// Once it is answered the execution is stored and will run. With `wait` the answer comes when it has ended.
#[utoipa::path(
    tag = "executions",
    params(WaitQuery),
    request_body(content = Option<ExecuteRequest>),
    responses(
        (status = 200, description = "With `wait`: the execution has ended, one way or the other", body = ExecutionBody),
        (status = 202, description = "It is in the queue, or has not ended within the time", body = ExecutionStarted),
        (status = 409, description = "The workflow is archived"),
        (status = 422, description = "The workflow has errors"),
    ),
)]
#[post("/workflows/{id}/execute")]
pub(crate) async fn execute_workflow(
    state: web::Data<State>,
    access: Access<Execute>,
    id: web::Path<Uuid>,
    query: Query<WaitQuery>,
    body: Body<ExecuteRequest>,
) -> Result<HttpResponse, Problem> {
    let request = body.read_or_default().await?;
    let wait = parse_wait(query.0.wait.as_deref(), state.settings.api.max_wait_ms)?;
    let workflow = find_workflow(&state, access.organization_id, *id).await?;
    if workflow.status == Status::Archived.as_str() {
        return Err(Problem::new(Code::StateConflict, "the workflow is archived"));
    }
    let (version, definition) = match request.version.filter(|version| *version != workflow.version) {
        None => (workflow.version, workflow.definition),
        Some(version) => {
            let found =
                workflow_versions::find(state.db.reader(), access.organization_id, *id, version).await?;
            (
                version,
                found
                    .ok_or_else(|| Problem::field("version", "the workflow has no such version"))?
                    .definition,
            )
        }
    };
    let graph = match state.checked.get(*id, version) {
        Some(graph) => graph,
        None => state.checked.keep(*id, version, judge(&state, definition).await?.into_graph()?),
    };
    let trigger = find_trigger(&graph, request.trigger_node.as_deref())?;
    let now = state.db.now();
    let new = NewExecution {
        id: ids::new_id(),
        organization_id: access.organization_id,
        workflow_id: *id,
        workflow_version: version,
        user_id: Some(access.user_id),
        trigger_type: TriggerType::Manual,
        trigger_node_id: Some(trigger.id.clone()),
        trigger_data: None,
        input_data: items(request.input)?,
        priority: graph.settings.priority.map_or(0, i64::from),
        run_at: now,
        concurrency_key: None,
        parent: None,
        origin_execution_id: None,
        schedule: None,
        webhook_id: None,
        metadata: Value::Null,
    };
    let seat = wait.map(|_| state.seats.take(access.organization_id)).transpose()?;
    let watch =
        wait.zip(seat).map(|(limit, seat)| (Watch::new(&state, seat, new.id), Instant::now() + limit));
    let tx = state.db.begin().await?;
    queue::enqueue(&tx, now, std::slice::from_ref(&new)).await?;
    let deed = Deed {
        new_values: Some(json!({ "execution_id": new.id, "version": version })),
        ..access.deed("workflow.execute", "workflow", *id)
    };
    audit::record(&tx, now, deed).await?;
    tx.commit().await?;
    state.db.notifier().notify(Topic::Queue);
    started(&state, &new, watch).await
}

/// The answer for an execution that was just enqueued, after waiting for its end if that is wanted.
pub(super) async fn started(
    state: &State,
    new: &NewExecution,
    watch: Option<(Watch, Instant)>,
) -> Result<HttpResponse, Problem> {
    let mut status = None;
    if let Some((mut watch, deadline)) = watch {
        let ended = watch
            .until(deadline, async || {
                status = executions::status(state.db.reader(), new.organization_id, new.id).await?;
                Ok(status.is_some_and(|status| status.is_final()).then_some(()))
            })
            .await?;
        if ended.is_some() {
            return Ok(HttpResponse::Ok().json(super::read::find(state, new.organization_id, new.id).await?));
        }
    }
    let status = status.unwrap_or(engine::execution::ExecutionStatus::Pending);
    let location = format!("/api/v1/executions/{}", new.id);
    Ok(HttpResponse::Accepted().insert_header((header::LOCATION, location)).json(ExecutionStarted {
        id: new.id,
        status: status.to_string(),
        workflow_id: new.workflow_id,
        workflow_version: new.workflow_version,
    }))
}

/// Reads `?wait=`: how long at most.
pub(super) fn parse_wait(text: Option<&str>, max_ms: u64) -> Result<Option<Duration>, Problem> {
    let longest = Duration::from_millis(max_ms);
    match text {
        None | Some("false") => Ok(None),
        Some("true" | "") => Ok(Some(longest)),
        Some(text) => {
            let seconds = text.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
            let wait = seconds
                .ok_or_else(|| Problem::field("wait", format!("{text:?} is neither `true` nor seconds")))?;
            Ok(Some(wait.min(longest)))
        }
    }
}

fn find_trigger<'a>(graph: &'a Graph, name: Option<&str>) -> Result<&'a NodeSpec, Problem> {
    let triggers = graph.triggers();
    let mut triggers = triggers.iter().map(|&index| &graph.nodes[index]);
    match name {
        Some(name) => triggers.find(|node| node.name == name).ok_or_else(|| {
            Problem::field(
                "trigger_node",
                format!("the workflow has no enabled trigger of the name {name:?}"),
            )
        }),
        None => {
            let manual = triggers.clone().find(|node| node.node_type() == MANUAL_TRIGGER);
            manual.or_else(|| triggers.next()).ok_or_else(|| {
                Problem::new(Code::InvalidWorkflow, "the workflow has no enabled trigger to start at")
            })
        }
    }
}

fn items(input: Value) -> Result<Option<Value>, Problem> {
    if input.is_null() {
        return Ok(None);
    }
    let items = engine::item::items_from_json(input).map_err(|reason| Problem::field("input", reason))?;
    serde_json::to_value(items).map(Some).map_err(|error| Problem::field("input", error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_bounded_by_the_setting() {
        let wait = |text| parse_wait(text, 5_000).unwrap();
        assert_eq!(wait(None), None);
        assert_eq!(wait(Some("false")), None);
        assert_eq!(wait(Some("true")), Some(Duration::from_secs(5)));
        assert_eq!(wait(Some("0.5")), Some(Duration::from_millis(500)));
        assert_eq!(wait(Some("1e9")), Some(Duration::from_secs(5)));
    }

    #[test]
    fn a_wait_that_is_no_time_is_refused() {
        for text in ["-1", "soon", "NaN", "inf"] {
            assert!(parse_wait(Some(text), 5_000).unwrap_err().to_string().contains("wait"), "{text}");
        }
    }
}
