//! A shorthand for what nodes say of themselves.

use engine::node::{Descriptor, Effect, Example, Group};
use serde_json::Value;

/// A node with one input and one output that does something in another system.
pub(crate) fn action(node_type: &'static str, name: &'static str, description: &'static str) -> Descriptor {
    Descriptor {
        node_type,
        name,
        description,
        group: Group::Action,
        inputs: vec!["input".into()],
        outputs: vec!["output".into()],
        effect: Effect::External,
        connectors: Vec::new(),
        schema: Value::Null,
        example: Example::default(),
    }
}
