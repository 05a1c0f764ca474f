//! Running an execution again, from its start or from one of its steps.

use actix_web::{HttpResponse, post, web};
use engine::Graph;
use engine::definition::{Definition, EdgeDefinition};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use store::audit::{self, Deed};
use store::executions::{self, RetryInfo};
use store::queue::{self, NewExecution, TriggerType};
use store::{Topic, execution_steps, ids, journal, workflow_versions};
use tokio::time::Instant;
use utoipa::ToSchema;
use uuid::Uuid;

use super::body::{ExecutionBody, ExecutionStarted};
use super::execute::{WaitQuery, parse_wait, started};
use crate::auth::{Access, Execute};
use crate::endpoint::workflows::judge;
use crate::events::Watch;
use crate::http::{Body, Query};
use crate::problem::{Code, Problem};
use crate::state::State;

/// How an execution is to be run again.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RetryRequest {
    /// From where: `start`, `failed` (the step that failed), or the name of a node that ran. What ran before is taken
    /// over and not run again. `start` when missing.
    #[schema(example = "failed")]
    from: Option<String>,
    /// Which version runs. `pinned` when missing.
    version: RetryVersion,
}

/// Which version of the workflow a retry runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RetryVersion {
    /// The one that the execution ran.
    #[default]
    Pinned,
    /// The one that is current now.
    Current,
}

/// Retry an execution
///
/// Makes a new execution, with the same input, that names this one as its origin.
#[utoipa::path(
    tag = "executions",
    params(WaitQuery),
    request_body(content = Option<RetryRequest>),
    responses(
        (status = 200, description = "With `wait`: the new execution has ended", body = ExecutionBody),
        (status = 202, description = "The new execution is in the queue", body = ExecutionStarted),
        (status = 409, description = "It has not ended, or there is no going on from there"),
        (status = 422, description = "The version has errors"),
    ),
)]
#[post("/executions/{id}/retry")]
pub(crate) async fn retry_execution(
    state: web::Data<State>,
    access: Access<Execute>,
    id: web::Path<Uuid>,
    query: Query<WaitQuery>,
    body: Body<RetryRequest>,
) -> Result<HttpResponse, Problem> {
    let request = body.read_or_default().await?;
    let wait = parse_wait(query.0.wait.as_deref(), state.settings.api.max_wait_ms)?;
    let plan = Plan::make(&state, access.organization_id, *id, &request).await?;

    let now = state.db.now();
    let origin = plan.origin;
    let new = NewExecution {
        id: ids::new_id(),
        organization_id: access.organization_id,
        workflow_id: origin.workflow_id,
        workflow_version: plan.version,
        user_id: Some(access.user_id),
        trigger_type: TriggerType::Retry,
        trigger_node_id: origin.trigger_node_id,
        trigger_data: Some(origin.trigger_data),
        input_data: origin.input_data,
        priority: plan.graph.settings.priority.map_or(0, i64::from),
        run_at: now,
        concurrency_key: None,
        parent: None,
        origin_execution_id: Some(origin.id),
        schedule: None,
        webhook_id: None,
        metadata: origin.metadata,
    };
    let seat = wait.map(|_| state.seats.take(access.organization_id)).transpose()?;
    let watch =
        wait.zip(seat).map(|(limit, seat)| (Watch::new(&state, seat, new.id), Instant::now() + limit));
    let tx = state.db.begin().await?;
    queue::enqueue(&tx, now, std::slice::from_ref(&new)).await?;
    if let Some(sequence) = plan.before_sequence {
        journal::copy_steps(&tx, origin.id, new.id, sequence).await?;
    }
    let deed = Deed {
        new_values: Some(json!({ "execution_id": new.id, "from": request.from, "version": plan.version })),
        ..access.deed("execution.retry", "execution", origin.id)
    };
    audit::record(&tx, now, deed).await?;
    tx.commit().await?;
    state.db.notifier().notify(Topic::Queue);
    started(&state, &new, watch).await
}

/// What a retry is going to run.
struct Plan {
    origin: executions::Execution,
    version: i64,
    graph: Graph,
    /// The steps before this one are taken over; `None` takes over none.
    before_sequence: Option<i64>,
}

impl Plan {
    async fn make(
        state: &State,
        organization_id: Uuid,
        execution_id: Uuid,
        request: &RetryRequest,
    ) -> Result<Self, Problem> {
        let info = executions::retry_info(state.db.reader(), organization_id, execution_id).await?;
        let info = info.ok_or_else(|| Problem::not_found("execution"))?;
        if !info.status.is_final() {
            let detail = format!("the execution is {}: cancel it, or wait for its end", info.status);
            return Err(Problem::new(Code::StateConflict, detail));
        }
        let before_sequence = find_start(state, &info, request.from.as_deref()).await?;
        let origin = info.execution;
        let version = match request.version {
            RetryVersion::Pinned => origin.workflow_version,
            RetryVersion::Current => info.current_version,
        };
        let pinned = definition_of(state, &origin, origin.workflow_version).await?;
        let wanted = definition_of(state, &origin, version).await?;
        if let Some(sequence) = before_sequence.filter(|_| pinned != wanted) {
            let kept =
                execution_steps::nodes_before(state.db.reader(), organization_id, execution_id, sequence)
                    .await?;
            check_unchanged(pinned, &wanted, &kept)?;
        }
        let graph = judge(state, wanted).await?.into_graph()?;
        if let Some(trigger) = &origin.trigger_node_id
            && graph.by_id(trigger).is_none()
        {
            let detail = format!("version {version} has no node {trigger:?}, at which the execution started");
            return Err(Problem::new(Code::StateConflict, detail));
        }
        Ok(Self { origin, version, graph, before_sequence })
    }
}

/// The place of the step to start from; `None` for the start.
async fn find_start(state: &State, info: &RetryInfo, from: Option<&str>) -> Result<Option<i64>, Problem> {
    let execution = &info.execution;
    match from.unwrap_or("start") {
        "start" => Ok(None),
        "failed" => match info.failed_sequence {
            Some(sequence) => Ok(Some(sequence)),
            None => {
                Err(Problem::new(Code::StateConflict, "no step of the execution failed: retry from `start`"))
            }
        },
        name => {
            let db = state.db.reader();
            let found =
                execution_steps::first_sequence(db, execution.organization_id, execution.id, name).await?;
            let unknown =
                || Problem::field("from", format!("{name:?} is not `start`, `failed` or a node that ran"));
            found.map(Some).ok_or_else(unknown)
        }
    }
}

/// The definition that an execution runs with a version: its own, where it was given one.
async fn definition_of(
    state: &State,
    origin: &executions::Execution,
    version: i64,
) -> Result<Value, Problem> {
    if let Some(own) = origin.metadata.get("definition") {
        return Ok(own.clone());
    }
    let (organization_id, workflow_id) = (origin.organization_id, origin.workflow_id);
    let found = workflow_versions::find(state.db.reader(), organization_id, workflow_id, version).await?;
    let gone = || {
        Problem::new(
            Code::StateConflict,
            format!("version {version} of the workflow does not exist any more"),
        )
    };
    Ok(found.ok_or_else(gone)?.definition)
}

/// Refuses to take over a step whose node would do something else now, or from other items.
fn check_unchanged(pinned: Value, wanted: &Value, kept: &[String]) -> Result<(), Problem> {
    let read = |value: Value| {
        Definition::from_json(value)
            .map_err(|problem| Problem::new(Code::InvalidWorkflow, problem.to_string()))
    };
    let (pinned, wanted) = (read(pinned)?, read(wanted.clone())?);
    for id in kept {
        let node = |definition: &Definition| {
            definition.nodes.iter().find(|node| node.id == *id).map(|node| node.data.clone())
        };
        if node(&pinned) != node(&wanted) || incoming(&pinned, id) != incoming(&wanted, id) {
            let detail = format!(
                "node {id:?} ran before that place and has changed since: retry from `start`, or with the pinned version"
            );
            return Err(Problem::new(Code::StateConflict, detail));
        }
    }
    Ok(())
}

/// The lines that lead to a node, whatever order they were drawn in.
fn incoming(definition: &Definition, id: &str) -> Vec<(String, Option<String>, Option<String>)> {
    let line =
        |edge: &EdgeDefinition| (edge.source.clone(), edge.source_handle.clone(), edge.target_handle.clone());
    let mut lines: Vec<_> = definition.edges.iter().filter(|edge| edge.target == id).map(line).collect();
    lines.sort();
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn definition(url: &str, source: &str) -> Value {
        json!({
            "nodes": [
                {"id": "t", "data": {"nodeType": "manual"}},
                {"id": "a", "data": {"nodeType": "http_request", "fields": {"url": url}}},
                {"id": "b", "data": {"nodeType": "no_op"}},
            ],
            "edges": [{"source": "t", "target": "a"}, {"source": source, "target": "b"}],
        })
    }

    #[test]
    fn a_step_is_taken_over_only_if_its_node_and_what_leads_to_it_are_the_same() {
        let kept = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect::<Vec<_>>();
        let check =
            |wanted: Value, ids: &[&str]| check_unchanged(definition("x", "a"), &wanted, &kept(ids)).is_ok();
        assert!(check(definition("y", "a"), &["t"]));
        assert!(!check(definition("y", "a"), &["t", "a"]));
        assert!(check(definition("x", "t"), &["t", "a"]));
        assert!(!check(definition("x", "t"), &["t", "a", "b"]));
    }
}
