//! The webhook trigger: a request came in.

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::describe;
use crate::node::{Call, Descriptor, Example, NodeError, Outcome, Typed};

/// Longest path.
const MAX_PATH_CHARS: usize = 200;

/// Largest body that a webhook may allow: what is larger belongs into a file store.
const MAX_BODY_BYTES: u64 = 100 * 1024 * 1024;

/// Longest time for which events are remembered: 30 days.
const MAX_DEDUP_WINDOW_SECS: u64 = 30 * 86_400;

/// Oldest signature that may be accepted: a day.
const MAX_TOLERANCE_SECS: u64 = 86_400;

/// The node type `webhook`.
pub struct Webhook;

/// Parameters of [`Webhook`]. Saving a workflow writes them into its row of `webhooks`, so expressions have no place
/// here; the signing secret is kept encrypted in that row, never in the workflow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct WebhookParameters {
    /// The part of the address after `/webhooks/`.
    pub path: String,
    /// The HTTP method that it answers to.
    #[serde(default)]
    pub method: HttpMethod,
    /// How calls are signed.
    #[serde(default)]
    pub signature: SignatureScheme,
    /// How old a signed timestamp may be, in seconds.
    #[serde(default = "tolerance_secs")]
    pub tolerance_secs: u64,
    /// How long a repeated event is known as a repeat, in seconds; 0 takes every call.
    #[serde(default = "dedup_window_secs")]
    pub dedup_window_secs: u64,
    /// The header that names the event, where it is not the one of the signature scheme.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dedup_header: Option<String>,
    /// When the caller is answered.
    #[serde(default)]
    pub response_mode: ResponseMode,
    /// The largest body it takes, in bytes; the installation's default when missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_body_bytes: Option<u64>,
}

const fn tolerance_secs() -> u64 {
    300
}

const fn dedup_window_secs() -> u64 {
    86_400
}

/// An HTTP method.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum HttpMethod {
    /// GET.
    Get,
    /// POST.
    #[default]
    Post,
    /// PUT.
    Put,
    /// PATCH.
    Patch,
    /// DELETE.
    Delete,
    /// HEAD.
    Head,
    /// Whatever comes.
    Any,
}

/// How calls are signed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum SignatureScheme {
    /// Not at all: whoever knows the address can call.
    #[default]
    None,
    /// By Standard Webhooks: `webhook-id`, `webhook-timestamp`, `webhook-signature`.
    Standard,
    /// By GitHub's `X-Hub-Signature-256`.
    Github,
}

/// When the caller is answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum ResponseMode {
    /// At once, when the event is stored.
    #[default]
    Immediate,
    /// When the execution has ended, with what its last node gave out.
    #[serde(alias = "last_node")]
    LastNode,
    /// By a node of type `respond_to_webhook`.
    #[serde(alias = "respond_node")]
    RespondNode,
}

impl HttpMethod {
    /// The word in the database and in HTTP.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
            Self::Head => "HEAD",
            Self::Any => "ANY",
        }
    }
}

impl SignatureScheme {
    /// The word in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Standard => "standard",
            Self::Github => "github",
        }
    }
}

impl ResponseMode {
    /// The word in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Immediate => "immediate",
            Self::LastNode => "last_node",
            Self::RespondNode => "respond_node",
        }
    }
}

impl WebhookParameters {
    /// The path without slashes around it.
    #[must_use]
    pub fn plain_path(&self) -> &str {
        self.path.trim_matches('/')
    }
}

#[async_trait]
impl Typed for Webhook {
    type Parameters = WebhookParameters;

    fn descriptor(&self) -> Descriptor {
        let request = json!({
            "headers": { "content-type": "application/json" },
            "query": { "source": "shop" },
            "body": { "order": 17 },
            "method": "POST",
        });
        Descriptor {
            example: Example {
                title: "Signed orders of a shop",
                fields: json!({ "path": "shop/orders", "method": "POST", "signature": "standard" }),
                input: json!([request]),
                output: json!([[request]]),
            },
            ..describe::trigger(
                "webhook",
                "Webhook trigger",
                "Starts the workflow when a request comes in, and gives out its headers, query and body. Signatures are \
                 checked and repeated events are left out before anything runs.",
            )
        }
    }

    fn check(&self, parameters: &WebhookParameters) -> Vec<(String, String)> {
        let mut problems = Vec::new();
        if let Err(message) = check_path(parameters.plain_path()) {
            problems.push(("path".to_owned(), message));
        }
        let mut at_most = |field: &str, value: u64, largest: u64| {
            if value > largest {
                problems.push((field.to_owned(), format!("must be at most {largest}")));
            }
        };
        at_most("toleranceSecs", parameters.tolerance_secs, MAX_TOLERANCE_SECS);
        at_most("dedupWindowSecs", parameters.dedup_window_secs, MAX_DEDUP_WINDOW_SECS);
        at_most("maxBodyBytes", parameters.max_body_bytes.unwrap_or(1), MAX_BODY_BYTES);
        if parameters.max_body_bytes == Some(0) {
            problems.push(("maxBodyBytes".to_owned(), "must be at least 1".to_owned()));
        }
        if let Some(header) = &parameters.dedup_header
            && !is_header_name(header)
        {
            problems.push(("dedupHeader".to_owned(), format!("{header:?} is not the name of a header")));
        }
        problems
    }

    fn is_literal(&self, _path: &str) -> bool {
        true
    }

    async fn run(&self, call: Call<'_>) -> Result<Outcome, NodeError> {
        Ok(Outcome::outputs(vec![call.shared_items()]))
    }
}

fn check_path(path: &str) -> Result<(), String> {
    if path.is_empty() {
        return Err("a webhook needs a path".to_owned());
    }
    if path.chars().count() > MAX_PATH_CHARS {
        return Err(format!("a path has at most {MAX_PATH_CHARS} characters"));
    }
    let is_plain = |segment: &str| {
        !segment.is_empty()
            && segment.chars().any(|c| c != '.')
            && segment.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '~'))
    };
    match path.split('/').find(|segment| !is_plain(segment)) {
        None => Ok(()),
        Some(segment) => Err(format!(
            "the part {segment:?} of the path may only hold letters, digits, '-', '_', '.' and '~'"
        )),
    }
}

/// Whether HTTP takes the text for the name of a header.
pub(super) fn is_header_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    #[test]
    fn a_bad_field_is_named() {
        for (fields, expected) in [
            (json!({ "path": "" }), vec!["path"]),
            (json!({ "path": "a//b" }), vec!["path"]),
            (json!({ "path": "../x" }), vec!["path"]),
            (json!({ "path": "a b" }), vec!["path"]),
            (json!({ "path": "x".repeat(300) }), vec!["path"]),
            (json!({ "path": "a", "toleranceSecs": 100_000 }), vec!["toleranceSecs"]),
            (json!({ "path": "a", "dedupWindowSecs": 10_000_000 }), vec!["dedupWindowSecs"]),
            (json!({ "path": "a", "maxBodyBytes": 0 }), vec!["maxBodyBytes"]),
            (json!({ "path": "a", "dedupHeader": "x:y" }), vec!["dedupHeader"]),
            (json!({ "path": "/shop/orders/", "dedupHeader": "X-Event" }), vec![]),
        ] {
            let parameters: WebhookParameters = serde_json::from_value(fields.clone()).unwrap();
            let paths: Vec<_> = Webhook.check(&parameters).into_iter().map(|(path, _)| path).collect();
            assert_eq!(paths, expected, "{fields}");
        }
    }

    #[test]
    fn a_secret_has_no_place_in_the_fields() {
        let error =
            serde_json::from_value::<WebhookParameters>(json!({ "path": "a", "secret": "s" })).unwrap_err();
        assert!(error.to_string().contains("secret"), "{error}");
    }

    #[test]
    fn words_are_those_of_the_database() {
        for (mode, word) in
            [("immediate", "immediate"), ("lastNode", "last_node"), ("respondNode", "respond_node")]
        {
            let read: ResponseMode = serde_json::from_value(Value::from(mode)).unwrap();
            assert_eq!(read.as_str(), word);
        }
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "ANY"] {
            let read: HttpMethod = serde_json::from_value(Value::from(method)).unwrap();
            assert_eq!(read.as_str(), method);
        }
    }
}
