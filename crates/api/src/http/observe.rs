//! The id of a request, its line in the log, and the metrics.
//!
//! A path is never logged as it came: it can hold a secret (a resume token). The template of its route is.

use std::time::Instant;

use actix_web::Error;
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::middleware::Next;
use tracing::Instrument as _;
use uuid::Uuid;

use super::headers;

/// Tells the sender what to search the log for.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Stands for every path that no route has.
const NO_ROUTE: &str = "none";

tokio::task_local! {
    static CURRENT: Uuid;
}

/// The id of the request that is being handled; a new one outside of any.
#[must_use]
pub fn request_id() -> Uuid {
    CURRENT.try_with(|id| *id).unwrap_or_else(|_| store::ids::new_id())
}

/// Middleware: gives the request an id, counts and logs it, and puts the headers on its answer that all have.
///
/// # Errors
/// Those of the request.
pub async fn observe(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let id = store::ids::new_id();
    let method = method_label(request.method());
    let started = Instant::now();
    let span = tracing::info_span!("request", %id, method);
    let mut response = CURRENT.scope(id, next.call(request)).instrument(span.clone()).await?;

    let status = response.status().as_u16();
    let seconds = started.elapsed().as_secs_f64();
    let route = response.request().match_pattern().unwrap_or_else(|| NO_ROUTE.to_owned());
    span.in_scope(|| {
        if response.status().is_server_error() {
            tracing::warn!(route, status, seconds, "answered with a server error");
        } else {
            tracing::debug!(route, status, seconds, "answered");
        }
    });
    metrics::histogram!("tidemill_http_requests_seconds", "method" => method, "route" => route.clone())
        .record(seconds);
    metrics::counter!("tidemill_http_requests_total", "method" => method, "route" => route, "status" => status.to_string())
        .increment(1);

    let is_documentation = response.request().path().starts_with("/docs");
    headers::protect(response.headers_mut(), is_documentation);
    if let Ok(value) = HeaderValue::from_str(&id.to_string()) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    Ok(response)
}

/// A request can name any method; a metric cannot have any number of labels.
fn method_label(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}
