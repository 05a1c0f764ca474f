//! Headers that keep a browser from doing more with an answer than it was meant for.

use actix_web::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderMap, HeaderName, HeaderValue, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};

/// For all but the documentation: nothing in an answer is run or framed, not even a page that a workflow gives out
/// as the answer of a webhook (`sandbox` gives it an origin of its own, without our cookie).
const CLOSED: &str = "default-src 'none'; frame-ancestors 'none'; sandbox";

/// For the documentation: its own scripts and styles. Swagger UI draws its icons from `data:` URLs and sets styles
/// on elements.
const DOCUMENTATION: &str = "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; \
     object-src 'none'; base-uri 'none'; frame-ancestors 'none'";

const OPENER_POLICY: HeaderName = HeaderName::from_static("cross-origin-opener-policy");

/// Puts the headers on an answer.
pub(super) fn protect(headers: &mut HeaderMap, is_documentation: bool) {
    let policy = if is_documentation { DOCUMENTATION } else { CLOSED };
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    headers.insert(OPENER_POLICY, HeaderValue::from_static("same-origin"));
    if !headers.contains_key(CACHE_CONTROL) && !is_documentation {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
}
