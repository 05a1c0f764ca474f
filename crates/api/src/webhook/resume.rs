//! The address that lets a waiting execution go on.
//!
//! Its token is the permission: whoever got the address may use it, once.

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, get, post, web};
use engine::Item;
use serde::Serialize;
use serde_json::Value;
use store::audit::{self, Deed};
use store::queue::{self, Resumed};
use store::{Topic, ids};
use utoipa::ToSchema;
use uuid::Uuid;

use super::attachment::Kept;
use super::item::Call;
use crate::http::read_body;
use crate::problem::{Code, Problem};
use crate::state::State;

/// An execution that goes on.
#[derive(Serialize, ToSchema)]
pub struct ResumedBody {
    /// The execution.
    execution_id: Uuid,
}

/// Resume a waiting execution
///
/// The address comes from `$execution.resumeUrl`. The request becomes the item with which the execution goes on, in the
/// shape of a webhook's item. It works once.
#[utoipa::path(
    tag = "webhooks",
    params(("token" = String, Path, description = "The token in the address")),
    request_body(content = Option<serde_json::Value>, content_type = "*/*", description = "Anything"),
    responses(
        (status = 200, description = "The execution goes on", body = ResumedBody),
        (status = 404, description = "No execution waits for this token"),
        (status = 409, description = "The execution has gone on already"),
        (status = 413, description = "The body is too large"),
    ),
    security(()),
)]
#[post("/resume/{token}")]
pub(crate) async fn resume_execution(
    request: HttpRequest,
    token: web::Path<String>,
    payload: web::Payload,
    state: web::Data<State>,
) -> Result<HttpResponse, Problem> {
    go_on(&request, &token, payload, &state).await
}

/// Resume a waiting execution by opening its address
///
/// As with POST, for a link in an e-mail. It works once.
#[utoipa::path(
    tag = "webhooks",
    params(("token" = String, Path, description = "The token in the address")),
    responses(
        (status = 200, description = "The execution goes on", body = ResumedBody),
        (status = 404, description = "No execution waits for this token"),
        (status = 409, description = "The execution has gone on already"),
    ),
    security(()),
)]
#[get("/resume/{token}")]
pub(crate) async fn resume_execution_by_link(
    request: HttpRequest,
    token: web::Path<String>,
    payload: web::Payload,
    state: web::Data<State>,
) -> Result<HttpResponse, Problem> {
    go_on(&request, &token, payload, &state).await
}

async fn go_on(
    request: &HttpRequest,
    token: &str,
    payload: web::Payload,
    state: &State,
) -> Result<HttpResponse, Problem> {
    // Nobody has to sign in here: what the token does not allow must not cost anything.
    settle(queue::look_up_token(state.db.reader(), state.db.now(), &ids::token_hash(token)).await?)?;
    let bytes = read_body(request.headers(), payload, state.settings.api.webhook_max_body_bytes).await?;
    let method = request.method().as_str();
    // The path holds the token, which is no business of the workflow's later nodes.
    let call = Call { method, path: "", query: request.query_string(), headers: request.headers() };
    let content = call.content(bytes).await?;
    let kept = Kept::keep(state, content.attachments).await?;
    let mut item = Item::new(call.json(content.json));
    item.binary = (!kept.binary.is_empty()).then(|| kept.binary.clone().into());
    let item = serde_json::to_value(&item).map_err(Problem::internal)?;
    let resumed = store(state, request, token, item, &kept).await;
    // After an error the commit may still have been made: content that has its rows must stay.
    if let Ok(Resumed::Already { .. } | Resumed::Unknown) = resumed {
        kept.discard(&state.files).await;
    }
    let execution_id = settle(resumed?)?;
    state.db.notifier().notify(Topic::Queue);
    state.db.notifier().notify(Topic::Execution(execution_id));
    Ok(HttpResponse::Ok().json(ResumedBody { execution_id }))
}

/// The execution that goes on, or can.
fn settle(resumed: Resumed) -> Result<Uuid, Problem> {
    match resumed {
        Resumed::Yes { execution_id, .. } => Ok(execution_id),
        Resumed::Already { .. } => {
            Err(Problem::new(Code::StateConflict, "the execution has gone on already"))
        }
        Resumed::Unknown => Err(Problem::new(Code::NotFound, "no execution waits for this token")),
    }
}

async fn store(
    state: &State,
    request: &HttpRequest,
    token: &str,
    item: Value,
    kept: &Kept,
) -> Result<Resumed, store::Error> {
    let now = state.db.now();
    let tx = state.db.begin().await?;
    let resumed = queue::resume_by_token(&tx, now, &ids::token_hash(token), item).await?;
    let Resumed::Yes { execution_id, organization_id } = resumed else {
        tx.rollback().await?;
        return Ok(resumed);
    };
    kept.record(&tx, now, organization_id, execution_id).await?;
    let user_agent = request.headers().get(header::USER_AGENT).and_then(|value| value.to_str().ok());
    let deed = Deed {
        organization_id: Some(organization_id),
        action: "execution.resume".to_owned(),
        resource_type: "execution".to_owned(),
        resource_id: Some(execution_id),
        ip_address: request.peer_addr().map(|address| address.ip().to_string()),
        user_agent: user_agent.map(|text| text.chars().take(255).collect()),
        ..Deed::default()
    };
    audit::record(&tx, now, deed).await?;
    tx.commit().await?;
    Ok(resumed)
}
