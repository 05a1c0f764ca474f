//! The rows of `workflow_steps`: one for each node of the current version, so that "which workflows use this" is one
//! query on both databases.

use std::collections::{HashMap, HashSet};

use engine::definition::{Definition, NodeDefinition};
use engine::node::{Catalogue, Group};
use entity::workflow_steps;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, Set};
use serde_json::{Map, Value, json};

use super::{SaveContext, Workflow};
use crate::{Result, ids};

/// Rows of one insert; 17 binds each, below SQLite's 32,766.
const INSERT_ROWS: usize = 500;

/// The connector of a node that uses none, or one of several.
const CORE: &str = "core";

/// Replaces the rows of a workflow by those of its definition.
pub(super) async fn derive(
    tx: &impl ConnectionTrait,
    context: SaveContext<'_>,
    workflow: &Workflow,
    definition: &Definition,
) -> Result<()> {
    workflow_steps::Entity::delete_many()
        .filter(workflow_steps::Column::WorkflowId.eq(workflow.id))
        .exec(tx)
        .await?;
    let now = context.now.fixed_offset();
    let rows: Vec<workflow_steps::ActiveModel> = in_order(definition)
        .into_iter()
        .zip(0i64..)
        .map(|(node, step_order)| {
            let step_type = step_type(context.catalogue, node);
            let fields = serde_json::to_value(&node.data.fields).unwrap_or_default();
            let conditions =
                if step_type == "condition" { fields.clone() } else { Value::Object(Map::new()) };
            workflow_steps::ActiveModel {
                id: Set(ids::new_id()),
                organization_id: Set(workflow.organization_id),
                workflow_id: Set(workflow.id),
                step_order: Set(step_order),
                node_id: Set(node.id.clone()),
                node_name: Set(node.data.label.clone().unwrap_or_else(|| node.id.clone())),
                node_type: Set(node.data.node_type.clone()),
                step_type: Set(step_type.to_owned()),
                service_name: Set(service_name(context.catalogue, node).to_owned()),
                action_name: Set(action_name(node).to_owned()),
                configuration: Set(fields),
                conditions: Set(conditions),
                error_handling: Set(json!({ "onError": node.data.on_error, "retry": node.data.retry })),
                is_enabled: Set(!node.data.disabled),
                created_at: Set(now),
                updated_at: Set(now),
            }
        })
        .collect();
    for chunk in rows.chunks(INSERT_ROWS) {
        workflow_steps::Entity::insert_many(chunk.iter().cloned()).exec_without_returning(tx).await?;
    }
    Ok(())
}

fn step_type(catalogue: &Catalogue, node: &NodeDefinition) -> &'static str {
    if node.data.node_type == "wait" {
        return "delay";
    }
    match catalogue.get(&node.data.node_type).map(|known| known.descriptor().group) {
        Some(Group::Trigger) => "trigger",
        Some(Group::Flow) => "condition",
        Some(Group::Action | Group::Transform) | None => "action",
    }
}

fn service_name<'a>(catalogue: &'a Catalogue, node: &NodeDefinition) -> &'a str {
    match catalogue.get(&node.data.node_type).map(|known| known.descriptor().connectors.as_slice()) {
        Some([connector]) => connector,
        _ => CORE,
    }
}

fn action_name(node: &NodeDefinition) -> &str {
    let named = ["operation", "action"].iter().find_map(|key| node.data.fields.get(*key)?.as_str());
    named.filter(|name| !name.is_empty()).unwrap_or(&node.data.node_type)
}

/// The nodes so that each comes after those that lead to it, upper ones first; where a loop closes a circle, its
/// uppermost node comes first. Of nodes with one id the first counts: a draft may have such.
fn in_order(definition: &Definition) -> Vec<&NodeDefinition> {
    let mut seen = HashSet::new();
    let mut open: Vec<&NodeDefinition> =
        definition.nodes.iter().filter(|node| seen.insert(node.id.as_str())).collect();
    open.sort_by(|a, b| a.position.order(&b.position));
    let mut waits_for: HashMap<&str, HashSet<&str>> = HashMap::new();
    for edge in definition.edges.iter().filter(|edge| edge.source != edge.target) {
        if seen.contains(edge.source.as_str()) {
            waits_for.entry(&edge.target).or_default().insert(&edge.source);
        }
    }
    let mut ordered = Vec::with_capacity(open.len());
    while !open.is_empty() {
        let is_free = |node: &&NodeDefinition| waits_for.get(node.id.as_str()).is_none_or(HashSet::is_empty);
        let next = open.remove(open.iter().position(is_free).unwrap_or(0));
        waits_for.remove(next.id.as_str());
        for sources in waits_for.values_mut() {
            sources.remove(next.id.as_str());
        }
        ordered.push(next);
    }
    ordered
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(nodes: &[(&str, f64)], edges: &[(&str, &str)]) -> Vec<String> {
        let definition: Definition = serde_json::from_value(json!({
            "nodes": nodes.iter().map(|(id, y)| json!({"id": id, "position": {"x": 0, "y": y}})).collect::<Vec<_>>(),
            "edges": edges.iter().map(|(a, b)| json!({"source": a, "target": b})).collect::<Vec<_>>(),
        }))
        .unwrap();
        in_order(&definition).into_iter().map(|node| node.id.clone()).collect()
    }

    #[test]
    fn a_node_comes_after_those_that_lead_to_it_and_upper_ones_first() {
        let edges = [("c", "a"), ("c", "b"), ("a", "d"), ("b", "d")];
        assert_eq!(order(&[("a", 2.0), ("b", 1.0), ("c", 9.0), ("d", 0.0)], &edges), ["c", "b", "a", "d"]);
    }

    #[test]
    fn circles_doubles_and_edges_to_nowhere_leave_nobody_out() {
        let edges = [("a", "b"), ("b", "c"), ("c", "b"), ("x", "a"), ("a", "a")];
        assert_eq!(order(&[("a", 0.0), ("b", 1.0), ("c", 2.0), ("b", 3.0)], &edges), ["a", "b", "c"]);
    }
}
