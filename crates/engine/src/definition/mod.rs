//! A workflow as it is written: React Flow's JSON, parsed but not yet judged.
//!
//! [`Definition`] mirrors `workflows.definition` field by field and keeps what it does not know, so
//! that saving a definition loses nothing of an editor's. [`Definition::validate`] turns it into a
//! [`crate::Graph`] or into the list of everything that is wrong with it.

mod linear;
mod problem;
mod validate;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::item::JsonMap;
use crate::retry::RetryPolicy;

pub use linear::chain_from_steps;
pub use problem::{Problem, ProblemCode, Severity};
pub use validate::{Checked, MAX_DEFINITION_BYTES, MAX_EDGES, MAX_FIELD_DEPTH, MAX_NAME_CHARS, MAX_NODES};

/// A workflow definition.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Definition {
    /// The boxes.
    #[serde(default)]
    pub nodes: Vec<NodeDefinition>,
    /// The lines between them.
    #[serde(default)]
    pub edges: Vec<EdgeDefinition>,
    /// The editor's groups; kept, not read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<Value>,
    /// How the workflow as a whole runs.
    #[serde(default)]
    pub settings: Settings,
    /// Who made it and when; kept, not read.
    #[serde(default, skip_serializing_if = "JsonMap::is_empty")]
    pub metadata: JsonMap,
    /// Everything else that was written at the top level; kept, not read.
    #[serde(flatten)]
    pub other: JsonMap,
}

/// A node as written.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct NodeDefinition {
    /// Unique in the workflow.
    pub id: String,
    /// React Flow's name of the component that draws it; kept, not read.
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    pub component: Option<String>,
    /// Where it stands on the canvas; also decides which of two branches runs first (the upper one).
    #[serde(default)]
    pub position: Position,
    /// What it does.
    #[serde(default)]
    pub data: NodeData,
    /// Everything else; kept, not read.
    #[serde(flatten)]
    pub other: JsonMap,
}

/// A point on the canvas.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Position {
    /// To the right.
    #[serde(default)]
    pub x: f64,
    /// Downwards.
    #[serde(default)]
    pub y: f64,
}

/// What a node does, and how its failures are dealt with.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct NodeData {
    /// Its name, unique in the workflow: `$('Name')`. Its id when missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// The node type, for example `http_request`.
    #[serde(default)]
    pub node_type: String,
    /// The parameters, as the node type's JSON Schema says; any string may be an expression (`={{ ... }}`).
    #[serde(default)]
    pub fields: JsonMap,
    /// The integration whose credentials it uses, by id or by name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub integration: Option<String>,
    /// Not run; its items pass through.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub disabled: bool,
    /// How often it is tried.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry: Option<RetryPolicy>,
    /// What happens when the last attempt failed.
    #[serde(default, skip_serializing_if = "OnError::is_stop")]
    pub on_error: OnError,
    /// Longest run of one attempt, in milliseconds; the installation's default when missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_ms: Option<u64>,
    /// Gives out one empty item where it would give out none.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub always_output_data: bool,
    /// Sees only its first item.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub execute_once: bool,
    /// For people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notes: Option<String>,
    /// Everything else; kept, not read.
    #[serde(flatten)]
    pub other: JsonMap,
}

/// What happens when a node's last attempt failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum OnError {
    /// The execution fails.
    #[default]
    Stop,
    /// It goes on from the normal output with an item `{ "error": ... }`.
    Continue,
    /// It goes on from the `error` output, which the node then has as its last.
    ContinueErrorOutput,
}

impl OnError {
    fn is_stop(&self) -> bool {
        matches!(self, Self::Stop)
    }
}

/// A line from an output to an input.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct EdgeDefinition {
    /// The editor's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<Value>,
    /// Id of the node it comes from.
    pub source: String,
    /// Output of that node; the first when missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_handle: Option<String>,
    /// Id of the node it goes to.
    pub target: String,
    /// Input of that node; the first when missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_handle: Option<String>,
    /// Everything else; kept, not read.
    #[serde(flatten)]
    pub other: JsonMap,
}

/// How the workflow as a whole runs.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Settings {
    /// IANA time zone of `$now`, dates without a zone and schedule triggers; UTC when missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timezone: Option<String>,
    /// Longest time an execution may run, waiting not counted, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_ms: Option<u64>,
    /// Most executions of this workflow that run at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub concurrency: Option<u32>,
    /// Priority of its executions: higher is claimed first; 0 when missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<i32>,
    /// Workflow to start when an execution of this one fails, by id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_workflow: Option<String>,
    /// Most steps an execution may run; stops endless loops.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_steps: Option<u32>,
    /// Everything else; kept, not read.
    #[serde(flatten)]
    pub other: JsonMap,
}

impl Definition {
    /// Reads a definition from JSON; a list of steps (or an object with `steps`) becomes a chain.
    ///
    /// # Errors
    /// One [`Problem`] that names the place where the JSON has not the shape of a definition.
    pub fn from_json(value: Value) -> Result<Self, Problem> {
        let is_chain = value.is_array() || (value.get("steps").is_some() && value.get("nodes").is_none());
        if is_chain {
            return chain_from_steps(&value);
        }
        serde_path_to_error::deserialize(&value).map_err(|error| {
            let path = error.path().to_string();
            Problem::shape(&path, error.into_inner().to_string())
        })
    }
}
