//! Who runs JavaScript.

use std::sync::Arc;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Scope;
use crate::node::{CodeOutput, CodeRequest, NodeError};

/// Runs the JavaScript of expressions and code nodes. In production that is a pool of child processes:
/// a native loop inside the JavaScript engine cannot be interrupted, only killed.
#[async_trait]
pub trait Evaluator: Send + Sync {
    /// Evaluates every script of the job for every item: a row for each item, in it a result for each script.
    ///
    /// # Errors
    /// When no result can be had at all: `code_timeout`, `code_memory`, `code_output`, `code_crashed`.
    async fn evaluate(&self, job: EvaluateJob<'_>) -> Result<Vec<EvaluatedRow>, NodeError>;

    /// Runs the source of a code node.
    ///
    /// # Errors
    /// `code_failed` with what the code threw, or one of the codes of [`Evaluator::evaluate`].
    async fn run_code(&self, request: CodeRequest<'_>) -> Result<CodeOutput, NodeError>;
}

/// The results for one item, in the order of the scripts.
pub type EvaluatedRow = Vec<Result<Value, ExpressionError>>;

/// Scripts to be evaluated for each item of the first input.
#[derive(Clone, Copy)]
pub struct EvaluateJob<'a> {
    /// What they see.
    pub scope: Scope<'a>,
    /// The scripts.
    pub scripts: &'a [Script],
    /// How many rows are wanted: one for each item, and one where there is no item.
    pub rows: usize,
}

/// One `{{ }}` part that has to be run as JavaScript.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct Script {
    /// One JavaScript expression.
    pub code: Arc<str>,
    /// Whether the result is wanted as the text that it contributes to a joined template.
    #[serde(rename = "text")]
    pub as_text: bool,
}

/// What an expression threw.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct ExpressionError {
    /// The JavaScript message, with the name of its class where that tells something.
    pub message: String,
}
