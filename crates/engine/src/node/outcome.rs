//! What a node answers.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::item::Items;

/// What a node came to.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// It is done.
    Done {
        /// A list of items for each output, in the order of the node's outputs; missing ones are empty.
        outputs: Vec<Items>,
        /// State for the node's next run in this execution (a loop's position).
        context: Option<Value>,
    },
    /// It is done, and whoever called the webhook is to get this answer now.
    Respond {
        /// As in [`Outcome::Done`].
        outputs: Vec<Items>,
        /// The answer.
        reply: HttpReply,
    },
    /// It gives its place back and is run again, with [`crate::node::Call::resume`] set, when that happens.
    Wait(Wait),
    /// Other workflows are to be started.
    Start {
        /// One for each execution wanted.
        calls: Vec<ChildCall>,
        /// Whether to wait for them: run again with their results, otherwise with their ids.
        wait: bool,
    },
}

impl Outcome {
    /// Done, with these lists of items on the outputs.
    #[must_use]
    pub fn outputs(outputs: Vec<Items>) -> Self {
        Self::Done { outputs, context: None }
    }

    /// Done, with these items on the only output.
    #[must_use]
    pub fn items(items: Vec<crate::Item>) -> Self {
        Self::outputs(vec![std::sync::Arc::new(items)])
    }
}

/// What a node waits for; with both set, whichever comes first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wait {
    /// This moment.
    pub until: Option<DateTime<Utc>>,
    /// A request to the execution's resume URL.
    pub request: bool,
}

/// A workflow to be started by another one.
#[derive(Clone, Debug, PartialEq)]
pub struct ChildCall {
    /// Which workflow.
    pub workflow: WorkflowReference,
    /// The items its trigger gives out.
    pub items: Items,
}

/// Names a workflow to start.
#[derive(Clone, Debug, PartialEq)]
pub enum WorkflowReference {
    /// A stored workflow of the same organization, by id (or, in `tidemill run`, by file or name).
    Stored(String),
    /// A definition written into the node.
    Inline(Value),
}

/// An HTTP answer to the caller of a webhook.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HttpReply {
    /// Status code, 200 to 599.
    pub status: u16,
    /// Headers by name.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// Body as text, or in base64 when `base64` is set.
    #[serde(default)]
    pub body: String,
    /// Whether `body` is base64.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub base64: bool,
}

/// Why a node failed. Stored with the step and shown to the user: it must never hold a secret.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "camelCase")]
#[error("{message}")]
pub struct NodeError {
    /// A stable word, for example `http_status` or `invalid_parameter`.
    pub code: String,
    /// What went wrong, in a sentence that a user can act on.
    pub message: String,
    /// More: a response body, a stack trace of the user's code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub details: Option<Box<Value>>,
    /// The input item at which it happened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item: Option<usize>,
    /// Whether another attempt could succeed; `false` skips the remaining attempts.
    #[serde(default)]
    pub retryable: bool,
    /// The least pause before another attempt, in milliseconds (`Retry-After`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u64>,
}

impl NodeError {
    /// A failure that no other attempt can change.
    pub fn fatal(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { code: code.into(), message: message.into(), ..Self::default() }
    }

    /// A failure that may pass.
    pub fn retryable(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { retryable: true, ..Self::fatal(code, message) }
    }

    /// A parameter whose value cannot be used.
    pub fn parameter(path: &str, message: impl std::fmt::Display) -> Self {
        Self::fatal("invalid_parameter", format!("{path}: {message}"))
    }

    /// The same error, at this input item.
    #[must_use]
    pub fn at_item(mut self, item: usize) -> Self {
        self.item = Some(item);
        self
    }

    /// The same error with details.
    #[must_use]
    pub fn with_details(mut self, details: Value) -> Self {
        self.details = Some(Box::new(details));
        self
    }
}
