//! Shorthands for what nodes say of themselves.

use serde_json::Value;

use crate::node::{Descriptor, Effect, Example, Group, Ports};

/// Name of the only input of most nodes.
pub(super) const INPUT: &str = "input";

/// Name of the only output of most nodes.
pub(super) const OUTPUT: &str = "output";

/// A node that starts executions: no input, one output.
pub(super) fn trigger(node_type: &'static str, name: &'static str, description: &'static str) -> Descriptor {
    Descriptor { inputs: Vec::new(), ..node(Group::Trigger, node_type, name, description) }
}

/// A node with one input and one output that touches nothing outside.
pub(super) fn node(
    group: Group,
    node_type: &'static str,
    name: &'static str,
    description: &'static str,
) -> Descriptor {
    Descriptor {
        node_type,
        name,
        description,
        group,
        inputs: ports(&[INPUT]),
        outputs: ports(&[OUTPUT]),
        effect: Effect::Pure,
        connectors: Vec::new(),
        schema: Value::Null,
        example: Example::default(),
    }
}

/// Ports with these names.
pub(super) fn ports(names: &[&'static str]) -> Ports {
    names.iter().map(|&name| name.into()).collect()
}
