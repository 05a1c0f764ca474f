//! Writing workflows down in few words.

use serde_json::{Value, json};

/// A node; its name is its id.
#[must_use]
pub fn node(name: &str, node_type: &str, fields: Value) -> Value {
    json!({ "id": name, "type": "node", "data": { "label": name, "nodeType": node_type, "fields": fields } })
}

/// The same node with more about it, as `("retry", {...})`.
#[must_use]
pub fn with(mut node: Value, key: &str, value: Value) -> Value {
    node["data"][key] = value;
    node
}

/// A definition of nodes, and lines between them as `(from, output, to, input)`, empty for the first output or input.
#[must_use]
pub fn graph(nodes: Vec<Value>, lines: &[(&str, &str, &str, &str)]) -> Value {
    let edges = lines.iter().map(|(source, output, target, input)| {
        let mut edge = json!({ "source": source, "target": target });
        if !output.is_empty() {
            edge["sourceHandle"] = json!(output);
        }
        if !input.is_empty() {
            edge["targetHandle"] = json!(input);
        }
        edge
    });
    json!({ "edges": edges.collect::<Vec<_>>(), "nodes": nodes })
}

/// A definition of nodes one after the other.
#[must_use]
pub fn chain(nodes: Vec<Value>) -> Value {
    let names: Vec<String> = nodes.iter().map(|node| node["id"].as_str().unwrap().to_owned()).collect();
    let lines: Vec<_> = names.windows(2).map(|pair| (pair[0].as_str(), "", pair[1].as_str(), "")).collect();
    graph(nodes, &lines)
}

/// A trigger by hand.
#[must_use]
pub fn manual() -> Value {
    node("Start", "manual", json!({}))
}

/// Fields that are set, the others kept.
#[must_use]
pub fn edit(name: &str, values: &[(&str, &str)]) -> Value {
    let assignments =
        values.iter().map(|(name, value)| json!({ "name": name, "type": "string", "value": value }));
    let assignments: Vec<Value> = assignments.collect();
    node(name, "edit_fields", json!({ "assignments": assignments, "includeOtherFields": "all" }))
}

/// One condition on a field.
#[must_use]
pub fn condition(left: &str, kind: &str, operation: &str, right: Value) -> Value {
    let operator = json!({ "type": kind, "operation": operation });
    json!({ "conditions": [{ "leftValue": left, "operator": operator, "rightValue": right }] })
}

/// Attempts, a short time apart.
#[must_use]
pub fn retry(attempts: u32) -> Value {
    json!({ "maxAttempts": attempts, "delayMs": 50, "backoff": "fixed", "jitter": 0 })
}
