//! What a node type says of itself.

use std::borrow::Cow;

use serde::Serialize;
use serde_json::Value;

/// Names of inputs or outputs, in order; an edge's handle is one of them.
pub type Ports = Vec<Cow<'static, str>>;

/// Everything a user, an editor or a validator has to know of a node type.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Descriptor {
    /// The word in `data.nodeType`, for example `http_request`.
    pub node_type: &'static str,
    /// Name for people.
    pub name: &'static str,
    /// One or two sentences: what it does.
    pub description: &'static str,
    /// Where the editor lists it.
    pub group: Group,
    /// Default inputs; none for a trigger.
    pub inputs: Ports,
    /// Default outputs.
    pub outputs: Ports,
    /// Whether running it changes the outside world.
    pub effect: Effect,
    /// Connectors whose integrations it can use; empty when it needs no credential.
    pub connectors: Vec<&'static str>,
    /// JSON Schema of `data.fields`.
    pub schema: Value,
    /// A worked example: fields, and what comes out of what goes in.
    pub example: Example,
}

/// A worked example of a node.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Example {
    /// What the example shows.
    pub title: &'static str,
    /// `data.fields`.
    pub fields: Value,
    /// JSON of the input items.
    pub input: Value,
    /// JSON of the items of each output; empty when the outcome depends on the outside world.
    pub output: Value,
}

/// Where the editor lists a node type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Group {
    /// Starts an execution.
    Trigger,
    /// Does something in another system.
    Action,
    /// Decides where items go.
    Flow,
    /// Changes items.
    Transform,
}

/// What recovery may assume of a step that was in flight when its worker died.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// Touches nothing outside: may be run again at will.
    Pure,
    /// Reads the outside, or writes so that a second time changes nothing: may be run again at will.
    Idempotent,
    /// Changes the outside world: starts only when all before it is durable, and is run again only as
    /// the retry policy allows.
    External,
}
