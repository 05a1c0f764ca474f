//! What the caller of a webhook is answered, and when.

use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderName, HeaderValue};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use engine::execution::ExecutionStatus;
use engine::node::HttpReply;
use serde_json::{Value, json};
use store::webhooks::{ResponseMode, Route};
use store::{execution_steps, executions};
use tokio::time::Instant;
use uuid::Uuid;

use super::accept::Accepted;
use crate::auth::SESSION_COOKIE;
use crate::events::{Seat, Watch};
use crate::problem::{Code, Problem};
use crate::state::State;

/// Says that the event has been taken in before.
const DUPLICATE: HeaderName = HeaderName::from_static("tidemill-duplicate");

/// Names the execution.
const EXECUTION: HeaderName = HeaderName::from_static("tidemill-execution-id");

/// Headers of an answer that are the web server's business, or would reach beyond the answer.
const REFUSED_HEADERS: [&str; 11] = [
    "connection",
    "content-length",
    "keep-alive",
    "proxy-authenticate",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "clear-site-data",
    "strict-transport-security",
    "service-worker-allowed",
];

/// What a wait for an answer came to.
enum Seen {
    /// A node said what to answer.
    Reply(HttpReply),
    /// The execution has ended.
    Ended(ExecutionStatus),
}

/// Answers a call that was taken in. A repeat gets what the first call got.
///
/// # Errors
/// `execution_failed` when the answer is the result of an execution that has none.
pub(super) async fn answer(
    state: &State,
    route: &Route,
    accepted: Accepted,
    seat: Option<Seat>,
) -> Result<HttpResponse, Problem> {
    let (execution_id, is_repeat) = match accepted {
        Accepted::New(id) => (Some(id), false),
        Accepted::Repeat(id) => (id, true),
    };
    let mut response = match execution_id {
        None => HttpResponse::Ok().json(json!({ "execution_id": null })),
        Some(id) => answer_for(state, route, id, seat).await?,
    };
    let headers = response.headers_mut();
    if is_repeat {
        headers.insert(DUPLICATE, HeaderValue::from_static("true"));
    }
    if let Some(value) = execution_id.and_then(|id| HeaderValue::from_str(&id.to_string()).ok()) {
        headers.insert(EXECUTION, value);
    }
    Ok(response)
}

async fn answer_for(
    state: &State,
    route: &Route,
    execution_id: Uuid,
    seat: Option<Seat>,
) -> Result<HttpResponse, Problem> {
    let organization_id = route.webhook.organization_id;
    let wants_reply = match route.response_mode {
        ResponseMode::Immediate => {
            return Ok(HttpResponse::Ok().json(json!({ "execution_id": execution_id })));
        }
        ResponseMode::LastNode => false,
        ResponseMode::RespondNode => true,
    };
    let db = state.db.reader();
    let seat = seat.map_or_else(|| state.seats.take(organization_id), Ok)?;
    let mut watch = Watch::new(state, seat, execution_id);
    let deadline = Instant::now() + Duration::from_millis(state.settings.api.max_wait_ms);
    let seen = watch
        .until(deadline, async || {
            // The status first: an answer that was recorded before the end is then seen.
            let status = executions::status(db, organization_id, execution_id).await?;
            if wants_reply
                && let Some(reply) = execution_steps::reply(db, organization_id, execution_id).await?
            {
                return Ok(Some(Seen::Reply(reply)));
            }
            let status = status.ok_or_else(|| Problem::not_found("execution"))?;
            Ok(status.is_final().then_some(Seen::Ended(status)))
        })
        .await?;
    match seen {
        Some(Seen::Reply(reply)) => Ok(from_reply(reply)),
        Some(Seen::Ended(ExecutionStatus::Completed)) if wants_reply => {
            Ok(HttpResponse::Ok().json(json!({ "execution_id": execution_id })))
        }
        Some(Seen::Ended(ExecutionStatus::Completed)) => {
            let execution = executions::find(db, organization_id, execution_id).await?;
            let execution = execution.ok_or_else(|| Problem::not_found("execution"))?;
            Ok(HttpResponse::Ok().json(plain_items(execution.output_data)))
        }
        // Why it failed is for the members of the organization, not for whoever called.
        Some(Seen::Ended(status)) => {
            Err(Problem::new(Code::ExecutionFailed, format!("the execution is {status}"))
                .with_execution(execution_id))
        }
        None => Ok(HttpResponse::Accepted().json(json!({ "execution_id": execution_id }))),
    }
}

/// The JSON of each item, without what else an item holds.
fn plain_items(output: Option<Value>) -> Value {
    let items = match output {
        Some(Value::Array(items)) => items,
        _ => Vec::new(),
    };
    items.into_iter().map(|mut item| item.get_mut("json").map_or(Value::Null, Value::take)).collect()
}

/// The answer that a node made. What HTTP cannot carry is left out, for the workflow has done its work.
fn from_reply(reply: HttpReply) -> HttpResponse {
    let status = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::OK);
    let mut response = HttpResponse::build(status);
    for (name, value) in &reply.headers {
        let name = name.to_ascii_lowercase();
        if REFUSED_HEADERS.contains(&name.as_str()) || sets_our_cookie(&name, value) {
            continue;
        }
        if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(value))
        {
            response.insert_header((name, value));
        }
    }
    if status == StatusCode::NO_CONTENT || status == StatusCode::NOT_MODIFIED {
        return response.finish();
    }
    if reply.base64 {
        return match STANDARD.decode(&reply.body) {
            Ok(bytes) => response.body(bytes),
            Err(_) => response.body(reply.body),
        };
    }
    response.body(reply.body)
}

/// Webhooks answer on the host of the API: an answer must not sign a browser in as somebody else.
fn sets_our_cookie(name: &str, value: &str) -> bool {
    name == "set-cookie" && value.trim_start().starts_with(SESSION_COOKIE)
}

#[cfg(test)]
mod tests {
    use actix_web::body::to_bytes;

    use super::*;

    fn reply(status: u16, headers: &[(&str, &str)], body: &str, base64: bool) -> HttpReply {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        HttpReply { status, headers, body: body.to_owned(), base64 }
    }

    #[actix_web::test]
    async fn an_answer_of_a_node_is_sent_as_it_says() {
        let response =
            from_reply(reply(201, &[("content-type", "text/csv"), ("X-Shop", "tea")], "a,b", false));
        assert_eq!(response.status(), 201);
        assert_eq!(response.headers().get("content-type").unwrap(), "text/csv");
        assert_eq!(response.headers().get("x-shop").unwrap(), "tea");
        assert_eq!(&to_bytes(response.into_body()).await.unwrap()[..], b"a,b");
        let response = from_reply(reply(200, &[], "//4=", true));
        assert_eq!(&to_bytes(response.into_body()).await.unwrap()[..], b"\xff\xfe");
        let response = from_reply(reply(204, &[], "body", false));
        assert!(to_bytes(response.into_body()).await.unwrap().is_empty());
    }

    #[test]
    fn an_answer_cannot_reach_beyond_itself() {
        let headers = [
            ("Transfer-Encoding", "chunked"),
            ("content-length", "1"),
            ("clear-site-data", "\"*\""),
            ("set-cookie", "tidemill_session=stolen"),
            ("bad name", "x"),
            ("x-break", "a\r\nb: c"),
        ];
        let response = from_reply(reply(200, &headers, "body", false));
        assert_eq!(response.headers().len(), 0, "{:?}", response.headers());
        let response = from_reply(reply(200, &[("set-cookie", "theirs=1")], "", false));
        assert!(response.headers().contains_key("set-cookie"));
    }

    #[test]
    fn the_answer_of_a_last_node_is_the_json_of_its_items() {
        let output = json!([{ "json": { "a": 1 }, "pairedItem": { "item": 0 } }, { "json": {} }]);
        assert_eq!(plain_items(Some(output)), json!([{ "a": 1 }, {}]));
        assert_eq!(plain_items(None), json!([]));
    }
}
