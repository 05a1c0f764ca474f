//! What happened in an execution, in one piece.

use std::collections::BTreeMap;

use actix_web::{get, web};
use engine::item::Items;
use engine::run::{Trace, TraceRun};
use serde::Serialize;
use serde_json::Value;
use store::journal::{self, StepRecord};
use utoipa::ToSchema;
use uuid::Uuid;

use super::read::find_summary;
use crate::auth::{Access, Read};
use crate::problem::Problem;
use crate::state::State;

/// The shape of a trace, for the documentation.
#[derive(Serialize, ToSchema)]
#[schema(as = Trace)]
pub struct TraceBody {
    /// Where the execution stands.
    status: String,
    /// Why it failed.
    #[schema(required)]
    error: Option<String>,
    /// Names of the nodes, in the order in which their runs finished.
    order: Vec<String>,
    /// The runs of each node, by name.
    nodes: BTreeMap<String, Vec<TraceRunBody>>,
}

/// One run of a node.
#[derive(Serialize, ToSchema)]
#[schema(as = TraceRun)]
pub struct TraceRunBody {
    /// The items by output.
    #[schema(value_type = Vec<Vec<Object>>)]
    outputs: Vec<Value>,
    /// The error, when the node failed and the execution went on.
    error: Option<String>,
}

/// Trace an execution
///
/// Every node with all that it gave out, as `tidemill run --trace` writes it.
#[utoipa::path(tag = "executions", responses((status = 200, description = "The trace so far", body = TraceBody)))]
#[get("/executions/{id}/trace")]
pub(crate) async fn trace_execution(
    state: web::Data<State>,
    access: Access<Read>,
    id: web::Path<Uuid>,
) -> Result<web::Json<Trace>, Problem> {
    let execution = find_summary(&state, access.organization_id, *id).await?;
    let status = execution.status.parse().map_err(Problem::internal)?;
    let mut trace =
        Trace { status, error: execution.error_message, order: Vec::new(), nodes: Default::default() };
    for step in journal::steps_of(&state.db, *id).await? {
        add(&mut trace, step).map_err(Problem::internal)?;
    }
    Ok(web::Json(trace))
}

/// Adds a step that gave something out; an attempt that was tried again, or that ended the execution, did not.
fn add(trace: &mut Trace, step: StepRecord) -> Result<(), serde_json::Error> {
    let Some(outputs) = step.output_data else { return Ok(()) };
    let outputs: Vec<Items> = serde_json::from_value(outputs)?;
    let error =
        step.error.as_ref().and_then(|error| error.get("message")).and_then(Value::as_str).map(str::to_owned);
    trace.order.push(step.node_name.clone());
    trace.nodes.entry(step.node_name).or_default().push(TraceRun { outputs, error });
    Ok(())
}
