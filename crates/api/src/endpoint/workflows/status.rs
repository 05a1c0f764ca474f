//! Whether the triggers of a workflow fire.

use actix_web::{post, web};
use serde_json::json;
use store::audit::{self, Deed};
use store::workflows::{self, Status, StatusChange};
use uuid::Uuid;

use super::body::WorkflowBody;
use super::crud::{find_workflow, save_context};
use super::judge::judge;
use crate::auth::{Access, Caller, Write};
use crate::problem::{Code, Problem};
use crate::state::State;

/// Activate a workflow
///
/// Its triggers fire from now on; what its schedules missed before does not count.
#[utoipa::path(
    tag = "workflows",
    responses(
        (status = 200, description = "The workflow, active", body = WorkflowBody),
        (status = 409, description = "A webhook path of it is in use"),
        (status = 422, description = "The definition has errors"),
    ),
)]
#[post("/workflows/{id}/activate")]
pub(crate) async fn activate_workflow(
    state: web::Data<State>,
    access: Access<Write>,
    id: web::Path<Uuid>,
) -> Result<web::Json<WorkflowBody>, Problem> {
    give_status(&state, &access, *id, Status::Active).await
}

/// Pause a workflow
///
/// Its triggers do not fire; executions that run go on.
#[utoipa::path(
    tag = "workflows",
    responses(
        (status = 200, description = "The workflow, paused", body = WorkflowBody),
        (status = 409, description = "It was never active"),
    ),
)]
#[post("/workflows/{id}/pause")]
pub(crate) async fn pause_workflow(
    state: web::Data<State>,
    access: Access<Write>,
    id: web::Path<Uuid>,
) -> Result<web::Json<WorkflowBody>, Problem> {
    give_status(&state, &access, *id, Status::Paused).await
}

/// Archive a workflow
///
/// Puts it away; its triggers do not fire.
#[utoipa::path(
    tag = "workflows",
    responses((status = 200, description = "The workflow, archived", body = WorkflowBody)),
)]
#[post("/workflows/{id}/archive")]
pub(crate) async fn archive_workflow(
    state: web::Data<State>,
    access: Access<Write>,
    id: web::Path<Uuid>,
) -> Result<web::Json<WorkflowBody>, Problem> {
    give_status(&state, &access, *id, Status::Archived).await
}

async fn give_status(
    state: &State,
    caller: &Caller,
    id: Uuid,
    status: Status,
) -> Result<web::Json<WorkflowBody>, Problem> {
    let before = find_workflow(state, caller.organization_id, id).await?;
    let judged = judge(state, before.definition).await?;
    if status == Status::Active {
        judged.check_runnable()?;
    }
    let tx = state.db.begin().await?;
    let context = save_context(state);
    let workflow = match workflows::set_status(&tx, context, caller.organization_id, id, status).await? {
        StatusChange::Changed(workflow) => *workflow,
        StatusChange::NotFound => return Err(Problem::not_found("workflow")),
        StatusChange::Illegal { from } => {
            return Err(Problem::new(
                Code::StateConflict,
                format!("a workflow that is {from} cannot become {status}"),
            ));
        }
    };
    let deed = Deed {
        old_values: Some(json!({ "status": before.status })),
        new_values: Some(json!({ "status": workflow.status })),
        ..caller.deed("workflow.status", "workflow", id)
    };
    audit::record(&tx, context.now, deed).await?;
    tx.commit().await?;
    Ok(web::Json(WorkflowBody::of(workflow, judged.problems)))
}
