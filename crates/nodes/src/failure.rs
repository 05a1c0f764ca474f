//! Node errors of what goes wrong on the network.

use engine::node::NodeError;
use serde_json::{Value, json};

use crate::content;
use crate::egress::{Error, Response};
use crate::redact::Secrets;

/// Most characters of a response body that an error keeps.
const EXCERPT_CHARS: usize = 2_000;

/// A longer `Retry-After` is cut: the engine's own bound is a day.
const MAX_RETRY_AFTER_MS: u64 = engine::retry::MAX_DELAY_MS;

/// The error of a request that got no response. `shown_url` must hold no secret.
pub(crate) fn of_egress(error: &Error, shown_url: &str, secrets: &Secrets) -> NodeError {
    let (code, retryable) = match error {
        Error::Settings { .. } => ("egress_settings", false),
        Error::InvalidUrl(_) => ("invalid_url", false),
        Error::Blocked { .. } => ("egress_blocked", false),
        Error::Resolve { .. } | Error::Connect { .. } | Error::Broken { .. } => ("http_connect", true),
        Error::Tls { .. } => ("http_tls", false),
        Error::Timeout { .. } => ("http_timeout", true),
        Error::Redirect(_) => ("http_redirect", false),
        Error::TooLarge { .. } => ("http_response_too_large", false),
    };
    let message = secrets.scrub(&error.to_string()).into_owned();
    NodeError { retryable, ..NodeError::fatal(code, message) }.with_details(json!({ "url": shown_url }))
}

/// The error of a response whose status means failure, with the beginning of its body.
pub(crate) fn of_status(response: &Response, method: &str, shown_url: &str, secrets: &Secrets) -> NodeError {
    let status = response.status;
    let reason = status.canonical_reason().map(|reason| format!(" {reason}")).unwrap_or_default();
    let message = format!("{method} {shown_url} was answered with status {}{reason}", status.as_u16());
    let mut error = NodeError::fatal("http_status", message).with_details(json!({
        "status": status.as_u16(),
        "url": shown_url,
        "body": excerpt(response, secrets),
    }));
    error.retry_after_ms = retry_after_ms(response);
    error
}

/// The beginning of a response body as text, without secrets.
pub(crate) fn excerpt(response: &Response, secrets: &Secrets) -> Value {
    if response.body.is_empty() {
        return Value::Null;
    }
    if content::is_binary(response) {
        return format!("{} bytes of {}", response.body.len(), content::media_type(response)).into();
    }
    let text = content::text(response);
    // Scrubbed before it is cut: half a secret would not be found.
    let clean = secrets.scrub(&text);
    match clean.char_indices().nth(EXCERPT_CHARS) {
        Some((end, _)) => format!("{}…", &clean[..end]).into(),
        None => clean.into(),
    }
}

/// `Retry-After` in milliseconds: seconds, or a date against the `Date` of the same response.
pub(crate) fn retry_after_ms(response: &Response) -> Option<u64> {
    let header = |name: &str| response.headers.get(name)?.to_str().ok().map(str::trim);
    let value = header("retry-after")?;
    if let Ok(seconds) = value.parse::<u64>() {
        return Some(seconds.saturating_mul(1_000).min(MAX_RETRY_AFTER_MS));
    }
    let until = chrono::DateTime::parse_from_rfc2822(value).ok()?;
    let now = chrono::DateTime::parse_from_rfc2822(header("date")?).ok()?;
    let pause = u64::try_from((until - now).num_milliseconds()).unwrap_or(0);
    Some(pause.min(MAX_RETRY_AFTER_MS))
}

#[cfg(test)]
mod tests {
    use super::*;
    use reqwest::StatusCode;

    fn response(headers: &[(&'static str, &str)], body: &str) -> Response {
        Response {
            status: StatusCode::SERVICE_UNAVAILABLE,
            headers: headers
                .iter()
                .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
                .collect(),
            url: "http://a.example/".parse().unwrap(),
            body: body.to_owned().into(),
        }
    }

    #[test]
    fn retry_after_is_read_as_seconds_or_as_a_date() {
        let cases = [
            ("3", Some(3_000)),
            ("999999999", Some(MAX_RETRY_AFTER_MS)),
            ("soon", None),
            ("Fri, 20 Nov 2026 13:00:10 GMT", Some(10_000)),
            ("Fri, 20 Nov 2026 12:00:00 GMT", Some(0)),
        ];
        for (value, expected) in cases {
            let response = response(&[("retry-after", value), ("date", "Fri, 20 Nov 2026 13:00:00 GMT")], "");
            assert_eq!(retry_after_ms(&response), expected, "{value}");
        }
        assert_eq!(retry_after_ms(&response(&[], "")), None);
    }

    #[test]
    fn an_excerpt_is_bounded() {
        let long = "ä".repeat(EXCERPT_CHARS + 1);
        let cut =
            excerpt(&response(&[("content-type", "text/plain; charset=utf-8")], &long), &Secrets::default());
        assert_eq!(cut.as_str().unwrap().chars().count(), EXCERPT_CHARS + 1);
        assert!(cut.as_str().unwrap().ends_with('…'));
    }
}
