//! The validated graph that an execution runs over.
//!
//! Built by [`crate::Definition::validate`] and never changed: handles are resolved to port numbers,
//! names to indices, and every node holds its type from the catalogue.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use serde_json::Value;

use crate::definition::{OnError, Position, Settings};
use crate::node::{Group, Node, Ports};
use crate::retry::RetryPolicy;

/// Position of a node in [`Graph::nodes`].
pub type NodeIndex = usize;

/// A workflow that can be run.
#[derive(Debug)]
pub struct Graph {
    /// The nodes, in the order of the definition.
    pub nodes: Vec<NodeSpec>,
    /// For each node and output, where its items go, upper targets first.
    pub outgoing: Vec<Vec<Vec<Target>>>,
    /// For each node and input, where its items come from.
    pub incoming: Vec<Vec<Vec<Source>>>,
    /// Workflow-wide settings.
    pub settings: Settings,
    pub(crate) by_name: HashMap<String, NodeIndex>,
    pub(crate) by_id: HashMap<String, NodeIndex>,
}

/// A node that can be run.
pub struct NodeSpec {
    /// The id in the definition.
    pub id: String,
    /// The name, unique.
    pub name: String,
    /// Its type.
    pub node: Arc<dyn Node>,
    /// The parameters as written.
    pub fields: Arc<Value>,
    /// Expressions found in `fields`, prepared.
    pub template: crate::expression::Template,
    /// Names of its inputs.
    pub inputs: Ports,
    /// Names of its outputs, with `error` as the last where the node continues on one.
    pub outputs: Ports,
    /// The integration whose credentials it uses.
    pub integration: Option<String>,
    /// Not run; its items pass through.
    pub disabled: bool,
    /// How often it is tried.
    pub retry: RetryPolicy,
    /// What happens when the last attempt failed.
    pub on_error: OnError,
    /// Longest run of one attempt in milliseconds, where the node says so.
    pub timeout_ms: Option<u64>,
    /// Gives out one empty item where it would give out none.
    pub always_output_data: bool,
    /// Sees only its first item.
    pub execute_once: bool,
    /// Where it stands on the canvas.
    pub position: Position,
}

impl NodeSpec {
    /// The word in `data.nodeType`.
    #[must_use]
    pub fn node_type(&self) -> &'static str {
        self.node.descriptor().node_type
    }

    /// Whether it starts executions.
    #[must_use]
    pub fn is_trigger(&self) -> bool {
        self.node.descriptor().group == Group::Trigger
    }
}

impl fmt::Debug for NodeSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NodeSpec")
            .field("id", &self.id)
            .field("name", &self.name)
            .field("type", &self.node_type())
            .finish()
    }
}

/// An input that an output leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Target {
    /// The node.
    pub node: NodeIndex,
    /// Its input.
    pub input: usize,
}

/// An output that leads to an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Source {
    /// The node.
    pub node: NodeIndex,
    /// Its output.
    pub output: usize,
}

impl Graph {
    /// The node with this name.
    #[must_use]
    pub fn by_name(&self, name: &str) -> Option<NodeIndex> {
        self.by_name.get(name).copied()
    }

    /// The node with this id.
    #[must_use]
    pub fn by_id(&self, id: &str) -> Option<NodeIndex> {
        self.by_id.get(id).copied()
    }

    /// The enabled triggers, upper ones first.
    #[must_use]
    pub fn triggers(&self) -> Vec<NodeIndex> {
        let mut found: Vec<_> = (0..self.nodes.len())
            .filter(|&i| self.nodes[i].is_trigger() && !self.nodes[i].disabled)
            .collect();
        found.sort_by(|&a, &b| self.nodes[a].position.order(&self.nodes[b].position));
        found
    }

    /// The enabled triggers of a type.
    pub fn triggers_of(&self, node_type: &str) -> impl Iterator<Item = &NodeSpec> {
        self.nodes
            .iter()
            .filter(move |node| node.is_trigger() && !node.disabled && node.node_type() == node_type)
    }

    /// Every node from which `node` can be reached.
    #[must_use]
    pub fn ancestors(&self, node: NodeIndex) -> Vec<NodeIndex> {
        let mut seen = vec![false; self.nodes.len()];
        let mut open = vec![node];
        let mut found = Vec::new();
        while let Some(current) = open.pop() {
            for source in self.incoming[current].iter().flatten() {
                if !std::mem::replace(&mut seen[source.node], true) {
                    found.push(source.node);
                    open.push(source.node);
                }
            }
        }
        found
    }
}

impl Position {
    /// Upper before lower, then left before right: the order in which branches run.
    #[must_use]
    pub fn order(&self, other: &Self) -> std::cmp::Ordering {
        self.y.total_cmp(&other.y).then(self.x.total_cmp(&other.x))
    }
}
