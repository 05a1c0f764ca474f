//! What is wrong with a definition, and where.

use serde::{Deserialize, Serialize};

/// One thing that is wrong with a definition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "camelCase")]
#[error("{}{}{message}", .node.as_ref().map(|node| format!("node {node:?}: ")).unwrap_or_default(), .field.as_ref().map(|field| format!("{field}: ")).unwrap_or_default())]
pub struct Problem {
    /// A stable word for the kind of problem.
    pub code: ProblemCode,
    /// Whether the workflow can run all the same.
    pub severity: Severity,
    /// The node's name, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
    /// The field, as a path (`fields.url`, `edges[3].target`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// What is wrong and what would be right.
    pub message: String,
}

/// Whether a workflow with the problem can run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// It cannot be activated or run.
    Error,
    /// It can run; somebody should look.
    Warning,
}

/// The kinds of problems.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProblemCode {
    /// The JSON has not the shape of a definition.
    Shape,
    /// A size or count is over its limit.
    Limit,
    /// There is no node, or no trigger.
    Empty,
    /// Two nodes have one id.
    DuplicateId,
    /// Two nodes have one name.
    DuplicateName,
    /// A node type that is not in the catalogue.
    UnknownNodeType,
    /// An edge names a node that does not exist.
    UnknownNode,
    /// An edge names an output or input that the node has not.
    UnknownHandle,
    /// Two nodes are connected twice in the same way.
    DuplicateEdge,
    /// A circle that no loop node closes.
    Cycle,
    /// No trigger leads to the node.
    Unreachable,
    /// A parameter is missing, unknown or of the wrong kind.
    InvalidField,
    /// An expression that cannot be parsed.
    ExpressionSyntax,
    /// An expression that names a node which does not exist.
    ExpressionReference,
    /// A setting of the workflow or an option of a node is out of range.
    InvalidSetting,
}

impl Problem {
    /// The JSON has not the shape of a definition.
    #[must_use]
    pub fn shape(path: &str, message: impl Into<String>) -> Self {
        Self::error(ProblemCode::Shape, None, Some(path), message)
    }

    /// A problem that keeps the workflow from running.
    #[must_use]
    pub fn error(
        code: ProblemCode,
        node: Option<&str>,
        field: Option<&str>,
        message: impl Into<String>,
    ) -> Self {
        Self {
            code,
            severity: Severity::Error,
            node: node.map(str::to_owned),
            field: field.map(str::to_owned),
            message: message.into(),
        }
    }

    /// A problem with which the workflow can run.
    #[must_use]
    pub fn warning(
        code: ProblemCode,
        node: Option<&str>,
        field: Option<&str>,
        message: impl Into<String>,
    ) -> Self {
        Self { severity: Severity::Warning, ..Self::error(code, node, field, message) }
    }
}
