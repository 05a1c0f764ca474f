//! The parameters of `http_request`.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::fields::{ArrayFormat, Fields};
use super::pagination::Pagination;
use crate::egress::DEFAULT_TIMEOUT_MS;

/// Most requests that go out together: each may bring a response of the largest size.
pub(crate) const MOST_AT_ONCE: usize = 50;

/// What to request, how, and what to make of the response.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct HttpRequestParameters {
    /// The method.
    #[serde(default)]
    pub method: Method,
    /// The URL, with `http` or `https`.
    pub url: String,
    /// Query parameters, added to those in the URL.
    #[serde(default)]
    pub query: Fields,
    /// How a list among the query parameters is written.
    #[serde(default)]
    pub array_format: ArrayFormat,
    /// Headers.
    #[serde(default)]
    pub headers: Fields,
    /// The body.
    #[serde(default)]
    pub body: Body,
    /// Longest time for a request, its redirects and its response, in milliseconds.
    #[serde(default = "default_timeout_ms")]
    #[schemars(range(min = 1, max = 86_400_000))]
    pub timeout_ms: u64,
    /// Whether redirects are followed; otherwise a redirect is the response.
    #[serde(default = "yes")]
    pub follow_redirects: bool,
    /// Most redirects that are followed; the installation's bound where it is smaller or this is not set.
    #[serde(default)]
    pub max_redirects: Option<u32>,
    /// Send credentials also where a redirect leads to another host. Only for hosts that are trusted alike.
    #[serde(default)]
    pub send_credentials_on_redirect: bool,
    /// Accept any certificate of the server. Whoever sits between can then read and change everything.
    #[serde(default)]
    pub ignore_certificate: bool,
    /// Statuses after which another attempt is made, as the node's retry policy allows; `Retry-After` is honoured.
    #[serde(default = "default_retry_on_status")]
    pub retry_on_status: Vec<u16>,
    /// Treat a status of 400 and above as a response like any other.
    #[serde(default)]
    pub never_error: bool,
    /// Give out `{ statusCode, statusMessage, headers, body }` and not the body alone.
    #[serde(default)]
    pub full_response: bool,
    /// What to make of the body.
    #[serde(default)]
    pub response_format: ResponseFormat,
    /// Where text, a file, or JSON that is no object is put: the JSON property or the binary property.
    #[serde(default = "default_output_property")]
    pub output_property: String,
    /// Give out one item for each element where the body is a JSON list.
    #[serde(default = "yes")]
    pub split_items: bool,
    /// Largest response in bytes, after decompression; the installation's bound where it is smaller or this is not set.
    #[serde(default)]
    pub max_response_bytes: Option<u64>,
    /// Ask again for the next page until there is none.
    #[serde(default)]
    pub pagination: Option<Pagination>,
    /// How many requests go out together, and the pause between; one at a time where it is not set.
    #[serde(default)]
    pub batching: Batching,
}

/// An HTTP method.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum Method {
    /// Reads.
    #[default]
    Get,
    /// Creates, or does something.
    Post,
    /// Replaces.
    Put,
    /// Changes.
    Patch,
    /// Removes.
    Delete,
    /// Reads the headers only.
    Head,
    /// Asks what is possible.
    Options,
}

impl Method {
    /// The word on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
            Self::Head => "HEAD",
            Self::Options => "OPTIONS",
        }
    }
}

impl From<Method> for reqwest::Method {
    fn from(method: Method) -> Self {
        match method {
            Method::Get => Self::GET,
            Method::Post => Self::POST,
            Method::Put => Self::PUT,
            Method::Patch => Self::PATCH,
            Method::Delete => Self::DELETE,
            Method::Head => Self::HEAD,
            Method::Options => Self::OPTIONS,
        }
    }
}

/// The body of a request.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum Body {
    /// No body.
    None {},
    /// JSON.
    Json {
        /// Any JSON; a text is taken as JSON that was written by hand.
        value: Value,
    },
    /// Fields as an HTML form sends them (`application/x-www-form-urlencoded`).
    Form {
        /// The fields.
        fields: Fields,
    },
    /// Fields and files (`multipart/form-data`).
    Multipart {
        /// The parts, in order.
        parts: Vec<Part>,
    },
    /// Text as it is.
    Raw {
        /// The text.
        content: String,
        /// Its media type.
        #[serde(default = "default_raw_type")]
        content_type: String,
    },
    /// A file of the input item as it is.
    Binary {
        /// The item's binary property.
        #[serde(default = "default_output_property")]
        property: String,
        /// Its media type, where it is not the file's own.
        #[serde(default)]
        content_type: Option<String>,
    },
}

impl Default for Body {
    fn default() -> Self {
        Self::None {}
    }
}

/// One part of a multipart body: a value or a file.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Part {
    /// The name of the form field.
    pub name: String,
    /// Its value; an object or list is written as JSON.
    #[serde(default)]
    pub value: Option<Value>,
    /// The input item's binary property that holds the file.
    #[serde(default)]
    pub binary: Option<String>,
    /// The file name, where it is not the file's own.
    #[serde(default)]
    pub file_name: Option<String>,
    /// The media type, where it is not the file's own.
    #[serde(default)]
    pub content_type: Option<String>,
}

/// What to make of the body of a response.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum ResponseFormat {
    /// What its media type says.
    #[default]
    Auto,
    /// JSON, or an error.
    Json,
    /// Text.
    Text,
    /// A file.
    File,
}

/// How many requests go out together, and the pause between.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Batching {
    /// Requests that go out together.
    #[schemars(range(min = 1, max = 50))]
    pub size: usize,
    /// Pause between two batches, in milliseconds.
    #[schemars(range(max = 3_600_000))]
    pub interval_ms: u64,
}

impl Default for Batching {
    fn default() -> Self {
        Self { size: 1, interval_ms: 0 }
    }
}

const fn yes() -> bool {
    true
}

const fn default_timeout_ms() -> u64 {
    DEFAULT_TIMEOUT_MS
}

/// The statuses that say "later": timeouts, rate limits, and servers that are down for the moment.
fn default_retry_on_status() -> Vec<u16> {
    vec![408, 425, 429, 500, 502, 503, 504]
}

pub(super) fn default_output_property() -> String {
    "data".to_owned()
}

fn default_raw_type() -> String {
    "text/plain; charset=utf-8".to_owned()
}

/// What the types cannot say, as `(path, message)`.
pub(super) fn check(parameters: &HttpRequestParameters) -> Vec<(String, String)> {
    let mut problems = Vec::new();
    let mut problem = |path: &str, message: &str| problems.push((path.to_owned(), message.to_owned()));
    if let Err(message) = super::exchange::parse_url(&parameters.url) {
        problem("url", &message);
    }
    if !(1..=86_400_000).contains(&parameters.timeout_ms) {
        problem("timeoutMs", "must be between 1 and 86400000 (one day)");
    }
    if parameters.output_property.is_empty() {
        problem("outputProperty", "must not be empty");
    }
    if !(1..=MOST_AT_ONCE).contains(&parameters.batching.size) {
        problem("batching.size", "must be between 1 and 50");
    }
    if parameters.batching.interval_ms > 3_600_000 {
        problem("batching.intervalMs", "must be at most 3600000 (one hour)");
    }
    if let Some(status) = parameters.retry_on_status.iter().find(|status| !(100..=599).contains(*status)) {
        problem("retryOnStatus", &format!("{status} is not an HTTP status"));
    }
    if let Body::Multipart { parts } = &parameters.body {
        for (index, part) in parts.iter().enumerate() {
            if part.value.is_some() == part.binary.is_some() {
                problem(&format!("body.parts[{index}]"), "needs either value or binary");
            }
        }
    }
    if let Some(pagination) = &parameters.pagination {
        problems.extend(pagination.check(&parameters.body));
    }
    problems
}
