//! A call of a webhook: found, read, checked, taken in, answered.

use actix_web::http::header::HeaderMap;
use actix_web::{HttpRequest, HttpResponse, web};
use chrono::{DateTime, Utc};
use engine::Item;
use store::webhooks::{self, Method, ResponseMode, Route, SignatureScheme};

use super::accept::{Accepted, Delivery, accept};
use super::attachment::Kept;
use super::item::Call;
use super::respond;
use super::signature::{Refusal, Standard, verify_github};
use crate::http::read_body;
use crate::problem::{Code, Problem};
use crate::state::State;

/// Names an event where neither the webhook nor its scheme has a header for that.
const IDEMPOTENCY_KEY: &str = "idempotency-key";

/// Call a webhook
///
/// Starts the workflow, with the method that the webhook is set to. The event and the execution are stored before the
/// answer. A repeat of an event within the webhook's window starts nothing and gets the same answer, with
/// `Tidemill-Duplicate: true`.
#[utoipa::path(
    post,
    path = "/webhooks/{path}",
    tag = "webhooks",
    operation_id = "call_webhook",
    params(("path" = String, Path, description = "The path of the webhook; it may hold slashes")),
    request_body(content = Option<serde_json::Value>, content_type = "*/*", description = "Anything"),
    responses(
        (status = 200, description = "Taken in: `{\"execution_id\"}`, the items of the last node, or what a node answered", body = serde_json::Value),
        (status = 202, description = "Taken in; the execution has not ended in time to answer with its result", body = serde_json::Value),
        (status = 400, description = "The body is not what its media type says"),
        (status = 401, description = "The signature is missing or wrong (`invalid_signature`), or too old (`timestamp_out_of_range`)"),
        (status = 404, description = "No active webhook has this path"),
        (status = 405, description = "The webhook does not take this method; `Allow` names those that it takes"),
        (status = 413, description = "The body is too large"),
        (status = 500, description = "The execution failed (`execution_failed`), where the answer is its result"),
    ),
    security(()),
)]
pub(super) async fn receive(
    request: HttpRequest,
    payload: web::Payload,
    state: web::Data<State>,
) -> Result<HttpResponse, Problem> {
    let path = request.match_info().get("path").unwrap_or_default().trim_matches('/');
    let route = find(&state, path, request.method().as_str()).await?;
    let limit = route.webhook.max_body_bytes.and_then(|bytes| usize::try_from(bytes).ok());
    let limit = limit.unwrap_or(state.settings.api.webhook_max_body_bytes);
    let bytes = read_body(request.headers(), payload, limit).await?;
    let now = state.db.now();
    authenticate(&state, &route, request.headers(), &bytes, now)?;

    // Before the call is taken in: who is sent away has started nothing, and may come again.
    let seat = match route.response_mode {
        ResponseMode::Immediate => None,
        ResponseMode::LastNode | ResponseMode::RespondNode => {
            Some(state.seats.take(route.webhook.organization_id)?)
        }
    };
    let body_bytes = bytes.len();
    let method = request.method().as_str();
    let call =
        Call { method, path: &route.webhook.path, query: request.query_string(), headers: request.headers() };
    let content = call.content(bytes).await?;
    let kept = Kept::keep(&state, content.attachments).await?;
    let mut item = Item::new(call.json(content.json));
    item.binary = (!kept.binary.is_empty()).then(|| kept.binary.clone().into());
    let delivery = Delivery {
        route: &route,
        event_ids: event_ids(&route, request.headers()),
        method,
        remote_address: request.peer_addr().map(|address| address.ip().to_string()),
        body_bytes,
        item,
        kept,
    };
    let accepted = accept(&state, now, delivery).await?;
    if let Accepted::New(_) = accepted {
        state.webhook_calls.count(route.webhook.id);
    }
    respond::answer(&state, &route, accepted, seat).await
}

async fn find(state: &State, path: &str, method: &str) -> Result<Route, Problem> {
    // One answer for a path that nobody has and for one that takes no calls now: who asks need not know.
    let unknown = || Problem::new(Code::NotFound, "no active webhook has this path");
    let route =
        webhooks::find_by_path(state.db.reader(), path).await?.filter(Route::is_live).ok_or_else(unknown)?;
    if route.method.accepts(method) {
        return Ok(route);
    }
    let allow = match route.method {
        Method::Any => "DELETE, GET, HEAD, PATCH, POST, PUT",
        one => one.as_str(),
    };
    Err(Problem::new(Code::MethodNotAllowed, format!("this webhook takes {allow}, not {method}"))
        .with_allow(allow))
}

fn authenticate(
    state: &State,
    route: &Route,
    headers: &HeaderMap,
    body: &[u8],
    now: DateTime<Utc>,
) -> Result<(), Problem> {
    if route.signature_scheme == SignatureScheme::None {
        return Ok(());
    }
    let secret = route.secret(&state.vault)?;
    let secret = secret
        .as_ref()
        .ok_or_else(|| Problem::new(Code::InvalidSignature, "this webhook has no secret yet"))?;
    let checked = match route.signature_scheme {
        SignatureScheme::None => Ok(()),
        SignatureScheme::Github => verify_github(secret.expose(), text(headers, "x-hub-signature-256"), body),
        SignatureScheme::Standard => {
            let call = Standard {
                id: text(headers, "webhook-id"),
                timestamp: text(headers, "webhook-timestamp"),
                signature: text(headers, "webhook-signature"),
            };
            call.verify(secret.expose(), body, now, route.webhook.tolerance_secs)
        }
    };
    checked.map_err(|refusal| refused(route, refusal))
}

fn refused(route: &Route, refusal: Refusal) -> Problem {
    let invalid = |detail: String| Problem::new(Code::InvalidSignature, detail);
    match refusal {
        Refusal::Missing(header) => invalid(format!("the header {header} is missing")),
        Refusal::Malformed(header) => invalid(format!("the header {header} cannot be read")),
        Refusal::Wrong => invalid("the signature does not fit the body and the secret".to_owned()),
        Refusal::UnusableSecret => {
            tracing::warn!(webhook = %route.webhook.id, "the secret of a webhook is not one of its signature scheme");
            invalid("the secret of this webhook is not one of its scheme".to_owned())
        }
        Refusal::OutOfRange => {
            let tolerance_secs = route.webhook.tolerance_secs;
            let detail = format!("webhook-timestamp is more than {tolerance_secs} seconds away from now");
            Problem::new(Code::TimestampOutOfRange, detail)
        }
    }
}

/// The sender's names for the event; none when every call counts as new.
///
/// The id of Standard Webhooks counts even where the webhook has a header of its own for that: it is signed, so
/// whoever caught a call cannot make another one of it by changing the header that is not.
fn event_ids<'a>(route: &Route, headers: &'a HeaderMap) -> Vec<&'a str> {
    if route.webhook.dedup_window_secs <= 0 {
        return Vec::new();
    }
    let own = route.webhook.dedup_header.as_deref().and_then(|name| text(headers, name));
    let (header, always_counts) = match route.signature_scheme {
        SignatureScheme::Standard => ("webhook-id", true),
        SignatureScheme::Github => ("x-github-delivery", false),
        SignatureScheme::None => (IDEMPOTENCY_KEY, false),
    };
    let of_scheme = text(headers, header).filter(|id| own.is_none() || (always_counts && own != Some(id)));
    own.into_iter().chain(of_scheme).collect()
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok()).filter(|text| !text.is_empty())
}
