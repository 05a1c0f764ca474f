//! Cancelling an execution.

use actix_web::{HttpResponse, post, web};
use store::queue::{self, CancelOutcome};
use store::{Topic, audit};
use uuid::Uuid;

use super::body::ExecutionSummaryBody;
use super::read::find_summary;
use crate::auth::{Access, Execute};
use crate::problem::{Code, Problem};
use crate::state::State;

/// Cancel an execution
///
/// With the executions that it waits for. One that runs is stopped by its worker within some seconds.
#[utoipa::path(
    tag = "executions",
    responses(
        (status = 200, description = "It is cancelled", body = ExecutionSummaryBody),
        (status = 202, description = "It runs, and its worker will stop it", body = ExecutionSummaryBody),
        (status = 409, description = "It had ended before"),
    ),
)]
#[post("/executions/{id}/cancel")]
pub(crate) async fn cancel_execution(
    state: web::Data<State>,
    access: Access<Execute>,
    id: web::Path<Uuid>,
) -> Result<HttpResponse, Problem> {
    let (now, tx) = (state.db.now(), state.db.begin().await?);
    let outcome = queue::request_cancel(&tx, now, access.organization_id, *id).await?;
    let (mut response, changed) = match outcome {
        CancelOutcome::NotFound => return Err(Problem::not_found("execution")),
        CancelOutcome::AlreadyFinal(status) => {
            return Err(Problem::new(Code::StateConflict, format!("the execution is {status} already")));
        }
        CancelOutcome::Requested => (HttpResponse::Accepted(), vec![*id]),
        CancelOutcome::Cancelled { ended, requested } => (HttpResponse::Ok(), [ended, requested].concat()),
    };
    audit::record(&tx, now, access.deed("execution.cancel", "execution", *id)).await?;
    tx.commit().await?;
    for execution_id in changed {
        state.db.notifier().notify(Topic::Execution(execution_id));
    }
    // What waited for it may go on.
    state.db.notifier().notify(Topic::Queue);
    let execution = find_summary(&state, access.organization_id, *id).await?;
    Ok(response.json(ExecutionSummaryBody::from(execution)))
}
