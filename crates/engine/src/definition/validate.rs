//! From a definition to a graph, or to the list of everything that is wrong with it.
//!
//! All checks run, whatever an earlier one found: a user who repairs a workflow sees every problem at
//! once. Each problem names the node and the field. The graph exists only when no problem is an error,
//! so whoever holds a [`Graph`] need not check again.

mod cycles;
mod edges;
mod nodes;
mod reach;
mod settings;

use std::collections::HashMap;
use std::io;

use super::{Definition, Problem, ProblemCode, Severity};
use crate::graph::{Graph, NodeIndex, NodeSpec};
use crate::node::Catalogue;

/// Most nodes in one workflow: what an editor can still draw and a person can still follow.
pub const MAX_NODES: usize = 1_000;

/// Most edges in one workflow.
pub const MAX_EDGES: usize = 5_000;

/// Largest definition, as JSON text, in bytes: it is read whole for every execution.
pub const MAX_DEFINITION_BYTES: usize = 4 * 1024 * 1024;

/// Longest name of a node, in characters.
pub const MAX_NAME_CHARS: usize = 128;

/// Deepest nesting of lists and objects in a node's fields.
pub const MAX_FIELD_DEPTH: usize = 32;

/// What validation found.
#[derive(Debug)]
pub struct Checked {
    /// Everything that is wrong or doubtful, in the order of the definition.
    pub problems: Vec<Problem>,
    /// The workflow, ready to run; `None` when a problem is an error.
    pub graph: Option<Graph>,
}

impl Checked {
    /// The graph, or the problems that keep the workflow from running.
    ///
    /// # Errors
    /// Every problem, warnings included.
    pub fn into_graph(self) -> Result<Graph, Vec<Problem>> {
        self.graph.ok_or(self.problems)
    }

    /// Whether the workflow can run.
    #[must_use]
    pub fn is_runnable(&self) -> bool {
        self.graph.is_some()
    }

    /// The problems that keep the workflow from running.
    pub fn errors(&self) -> impl Iterator<Item = &Problem> {
        self.problems.iter().filter(|problem| problem.severity == Severity::Error)
    }
}

impl Definition {
    /// Checks everything that can be checked without running, and builds the graph.
    #[must_use]
    pub fn validate(&self, catalogue: &Catalogue) -> Checked {
        let mut problems = self.check_sizes();
        if !problems.is_empty() {
            // Checking a definition that is too large would be the very work that the limits forbid.
            return Checked { problems, graph: None };
        }
        settings::check(&self.settings, &mut problems);
        let names = nodes::Names::read(self, &mut problems);
        let specs: Vec<Option<NodeSpec>> = (0..self.nodes.len())
            .map(|index| nodes::check(self, index, &names, catalogue, &mut problems))
            .collect();
        let wires = edges::check(self, &names, &specs, &mut problems);
        cycles::check(&specs, &wires, &mut problems);
        reach::check(&specs, &wires, &mut problems);

        let is_broken = problems.iter().any(|problem| problem.severity == Severity::Error);
        let graph = if is_broken { None } else { self.build(specs, wires) };
        Checked { problems, graph }
    }

    /// Puts the checked parts together; `None` only if a node had a problem.
    fn build(&self, specs: Vec<Option<NodeSpec>>, mut wires: edges::Wires) -> Option<Graph> {
        let nodes = specs.into_iter().collect::<Option<Vec<_>>>()?;
        wires.sort_targets(&nodes);
        let by_name: HashMap<String, NodeIndex> =
            nodes.iter().enumerate().map(|(index, node)| (node.name.clone(), index)).collect();
        let by_id = nodes.iter().enumerate().map(|(index, node)| (node.id.clone(), index)).collect();
        let edges::Wires { outgoing, incoming } = wires;
        Some(Graph { nodes, outgoing, incoming, settings: self.settings.clone(), by_name, by_id })
    }

    fn check_sizes(&self) -> Vec<Problem> {
        let over =
            |field: Option<&str>, message: String| Problem::error(ProblemCode::Limit, None, field, message);
        let mut problems = Vec::new();
        if self.nodes.len() > MAX_NODES {
            problems.push(over(
                Some("nodes"),
                format!("{} nodes are more than the {MAX_NODES} that a workflow can have", self.nodes.len()),
            ));
        }
        if self.edges.len() > MAX_EDGES {
            problems.push(over(
                Some("edges"),
                format!("{} edges are more than the {MAX_EDGES} that a workflow can have", self.edges.len()),
            ));
        }
        let mut size = ByteCounter::default();
        if serde_json::to_writer(&mut size, self).is_err() {
            problems.push(over(None, format!("the definition is larger than {MAX_DEFINITION_BYTES} bytes")));
        }
        for (index, node) in self.nodes.iter().enumerate() {
            if node.data.fields.values().any(|value| nodes::is_deeper_than(value, MAX_FIELD_DEPTH)) {
                problems.push(Problem::error(
                    ProblemCode::Limit,
                    Some(nodes::name_of(node)),
                    Some(&format!("nodes[{index}].data.fields")),
                    format!("lists and objects are nested more than {MAX_FIELD_DEPTH} deep"),
                ));
            }
        }
        problems
    }
}

/// Counts bytes and gives up at the limit, so the text of a large definition is never built.
#[derive(Default)]
struct ByteCounter {
    bytes: usize,
}

impl io::Write for ByteCounter {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        self.bytes = self.bytes.saturating_add(buffer.len());
        if self.bytes > MAX_DEFINITION_BYTES {
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, "the definition is too large"));
        }
        Ok(buffer.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests;
