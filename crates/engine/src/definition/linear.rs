//! A linear list of steps, as older systems store a workflow, becomes a chain of nodes.
//!
//! Two shapes are read, step by step and freely mixed:
//!
//! - Autofy's `workflow_steps` rows: `step_order`, `step_type`, `service_name`, `action_name`, `configuration`,
//!   `conditions`, `error_handling`, `is_enabled`;
//! - AgentFlow's `steps`: `type` (or `nodeType`), `name`, `fields` (or `config`, `configuration`, `parameters`).
//!
//! Properties that have no place in a node are kept beside it, so nothing is lost.

mod conditions;
mod step;

use std::collections::HashSet;

use serde_json::Value;

use self::step::Step;
use super::{Definition, EdgeDefinition, NodeData, NodeDefinition, Position, Problem};
use crate::item::JsonMap;

/// Distance between two nodes of the chain on the canvas.
const STEP_WIDTH: f64 = 240.0;

/// Reads a list of steps, or an object with `steps` (or `workflow_steps`), as a chain that starts with its trigger or,
/// where it has none, with a manual one.
///
/// # Errors
/// A [`Problem`] that names the step that cannot be read.
pub fn chain_from_steps(value: &Value) -> Result<Definition, Problem> {
    let (rows, mut definition) = match value {
        Value::Array(rows) => (rows, Definition::default()),
        Value::Object(map) => {
            let key = if map.contains_key("steps") { "steps" } else { "workflow_steps" };
            let Some(Value::Array(rows)) = map.get(key) else {
                return Err(Problem::shape(key, "expected a list of steps"));
            };
            (rows, surroundings(map, key)?)
        }
        _ => return Err(Problem::shape("", "expected a list of steps, or an object with `steps`")),
    };
    let mut chain = Chain::default();
    for (place, step) in step::read_all(rows)?.into_iter().enumerate() {
        let is_first = place == 0;
        match (is_first, step.is_trigger) {
            (true, false) => chain.push(NodeDefinition {
                id: "trigger".to_owned(),
                data: NodeData {
                    label: Some("Manual trigger".to_owned()),
                    node_type: "manual".to_owned(),
                    ..NodeData::default()
                },
                ..NodeDefinition::default()
            }),
            (false, true) => {
                return Err(Problem::shape(&step.path, "a trigger can only be the first step"));
            }
            _ => {}
        }
        chain.push_step(step);
    }
    definition.nodes = chain.nodes;
    definition.edges = chain.edges;
    Ok(definition)
}

/// What stands around the steps: settings are read, everything else is kept.
fn surroundings(map: &JsonMap, steps: &str) -> Result<Definition, Problem> {
    let rest: JsonMap = map
        .iter()
        .filter(|(key, _)| *key != steps && *key != "edges")
        .map(|(k, v)| (k.clone(), v.clone()))
        .collect();
    serde_path_to_error::deserialize(Value::Object(rest)).map_err(|error| {
        let path = error.path().to_string();
        Problem::shape(&path, error.into_inner().to_string())
    })
}

/// The nodes so far, each connected with the one before it.
#[derive(Default)]
struct Chain {
    nodes: Vec<NodeDefinition>,
    edges: Vec<EdgeDefinition>,
    ids: HashSet<String>,
    names: HashSet<String>,
}

impl Chain {
    fn push_step(&mut self, step: Step) {
        if let Some(guard) = step.guard {
            self.push(guard);
        }
        self.push(step.node);
    }

    fn push(&mut self, mut node: NodeDefinition) {
        node.id = unused(&mut self.ids, &node.id, "-");
        let name = node.data.label.take().unwrap_or_else(|| node.id.clone());
        node.data.label = Some(unused(&mut self.names, &name, " "));
        #[expect(clippy::cast_precision_loss, reason = "a place on a canvas")]
        let x = self.nodes.len() as f64 * STEP_WIDTH;
        node.position = Position { x, y: 0.0 };
        if let Some(previous) = self.nodes.last() {
            self.edges.push(EdgeDefinition {
                source: previous.id.clone(),
                target: node.id.clone(),
                ..EdgeDefinition::default()
            });
        }
        self.nodes.push(node);
    }
}

/// The text, with a number behind it where it is taken.
fn unused(taken: &mut HashSet<String>, wanted: &str, separator: &str) -> String {
    let mut candidate = wanted.to_owned();
    let mut number = 2u32;
    while !taken.insert(candidate.clone()) {
        candidate = format!("{wanted}{separator}{number}");
        number += 1;
    }
    candidate
}

#[cfg(test)]
mod tests;
