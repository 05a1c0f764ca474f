//! Nodes with a typed parameter struct.

use std::marker::PhantomData;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{Call, Descriptor, Effect, Node, NodeError, Outcome, Ports};
use crate::expression;

/// A node type written against a struct of its parameters. Wrapped in [`TypedNode`] it is a [`Node`].
#[async_trait]
pub trait Typed: Send + Sync + 'static {
    /// The parameters: `data.fields`. Field names are camelCase; unknown fields are refused.
    type Parameters: DeserializeOwned + JsonSchema + Send + Sync + 'static;

    /// What the type says of itself; `schema` is filled in from [`Typed::Parameters`].
    fn descriptor(&self) -> Descriptor;

    /// Inputs that depend on the fields; `None` for the descriptor's. Fields may hold expressions.
    fn inputs(&self, fields: &Value) -> Option<Ports> {
        let _ = fields;
        None
    }

    /// Outputs that depend on the fields; `None` for the descriptor's. Fields may hold expressions.
    fn outputs(&self, fields: &Value) -> Option<Ports> {
        let _ = fields;
        None
    }

    /// The effect, where it depends on the fields (a GET changes nothing).
    fn effect(&self, fields: &Value) -> Option<Effect> {
        let _ = fields;
        None
    }

    /// What the types of the fields cannot say, as `(path, message)`. Fields of type text may still hold an
    /// expression (`=...`); what is said of such a field is left out until the node runs.
    fn check(&self, parameters: &Self::Parameters) -> Vec<(String, String)> {
        let _ = parameters;
        Vec::new()
    }

    /// Whether the field at `path` is source text that expressions must not be looked for in.
    fn is_literal(&self, path: &str) -> bool {
        let _ = path;
        false
    }

    /// Runs the node; see [`Node::run`]. [`Call::parameters`] gives the typed parameters of an item.
    async fn run(&self, call: Call<'_>) -> Result<Outcome, NodeError>;
}

/// Makes a [`Node`] of a [`Typed`].
pub struct TypedNode<T: Typed> {
    node: T,
    descriptor: Descriptor,
    parameters: PhantomData<fn() -> T::Parameters>,
}

impl<T: Typed> TypedNode<T> {
    /// Wraps a node type, computing its JSON Schema once.
    pub fn new(node: T) -> Self {
        let mut descriptor = node.descriptor();
        descriptor.schema = schemars::schema_for!(T::Parameters).to_value();
        Self { node, descriptor, parameters: PhantomData }
    }
}

#[async_trait]
impl<T: Typed> Node for TypedNode<T> {
    fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    fn inputs(&self, fields: &Value) -> Ports {
        self.node.inputs(fields).unwrap_or_else(|| self.descriptor.inputs.clone())
    }

    fn outputs(&self, fields: &Value) -> Ports {
        self.node.outputs(fields).unwrap_or_else(|| self.descriptor.outputs.clone())
    }

    fn effect(&self, fields: &Value) -> Effect {
        self.node.effect(fields).unwrap_or(self.descriptor.effect)
    }

    fn check(&self, fields: &Value) -> Vec<(String, String)> {
        let found = match serde_path_to_error::deserialize::<_, T::Parameters>(fields) {
            Ok(parameters) => self.node.check(&parameters),
            Err(error) => {
                let path = error.path().to_string();
                vec![(if path == "." { String::new() } else { path }, error.into_inner().to_string())]
            }
        };
        if !expression::contains_expression(fields) {
            return found;
        }
        let certain = unknown_or_missing(&self.descriptor.schema, fields);
        if !certain.is_empty() {
            return certain;
        }
        found.into_iter().filter(|(path, _)| !is_open(fields, path)).collect()
    }

    fn is_literal(&self, path: &str) -> bool {
        self.node.is_literal(path)
    }

    async fn run(&self, call: Call<'_>) -> Result<Outcome, NodeError> {
        self.node.run(call).await
    }
}

/// Whether the field at `path` holds an expression, so that its value is not known yet.
fn is_open(fields: &Value, path: &str) -> bool {
    let found = fields.as_object().and_then(|fields| crate::nodes::path::Notation::Dots.get(fields, path));
    found.is_some_and(expression::contains_expression) || path.is_empty()
}

/// What can be said of fields that hold expressions: none is unknown, none is missing.
fn unknown_or_missing(schema: &Value, fields: &Value) -> Vec<(String, String)> {
    let (Some(properties), Some(fields)) =
        (schema.get("properties").and_then(Value::as_object), fields.as_object())
    else {
        return Vec::new();
    };
    let closed = schema.get("additionalProperties") == Some(&Value::Bool(false));
    let unknown = fields.keys().filter(|name| closed && !properties.contains_key(*name)).map(|name| {
        let known: Vec<_> = properties.keys().map(String::as_str).collect();
        (name.clone(), format!("unknown field; expected one of {}", known.join(", ")))
    });
    let required = schema.get("required").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let missing = required
        .iter()
        .filter_map(Value::as_str)
        .filter(|name| !fields.contains_key(*name))
        .map(|name| (name.to_owned(), "this field is required".to_owned()));
    unknown.chain(missing).collect()
}
