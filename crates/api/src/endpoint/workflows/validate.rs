//! Checking a definition without storing it.

use actix_web::{post, web};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::judge::{ProblemOfWorkflow, judge};
use crate::auth::{Access, Read};
use crate::http::Body;
use crate::problem::Problem;
use crate::state::State;

/// A definition to be checked.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ValidateRequest {
    /// Nodes and edges, or a list of steps.
    definition: Value,
}

/// What a check found.
#[derive(Serialize, ToSchema)]
#[schema(as = Validation)]
pub struct ValidationBody {
    /// Whether the workflow can run.
    is_runnable: bool,
    /// Everything that is wrong or doubtful, in the order of the definition.
    problems: Vec<ProblemOfWorkflow>,
}

/// Check a definition
///
/// Stores nothing.
#[utoipa::path(
    tag = "workflows",
    request_body = ValidateRequest,
    responses((status = 200, description = "What is wrong with it", body = ValidationBody)),
)]
#[post("/workflows/validate")]
pub(crate) async fn validate_workflow(
    state: web::Data<State>,
    _access: Access<Read>,
    body: Body<ValidateRequest>,
) -> Result<web::Json<ValidationBody>, Problem> {
    let judged = judge(&state, body.read().await?.definition).await?;
    Ok(web::Json(ValidationBody {
        is_runnable: judged.graph.is_some(),
        problems: judged.problems.into_iter().map(ProblemOfWorkflow::from).collect(),
    }))
}
