//! Edges: handles become port numbers, ids become indices.

use std::collections::HashSet;

use super::nodes::{ERROR_OUTPUT, Names};
use crate::definition::{Definition, Problem, ProblemCode};
use crate::graph::{NodeIndex, NodeSpec, Source, Target};
use crate::node::Ports;

/// The edges of a workflow, by node and port.
pub(super) struct Wires {
    /// For each node and output, where its items go.
    pub(super) outgoing: Vec<Vec<Vec<Target>>>,
    /// For each node and input, where its items come from.
    pub(super) incoming: Vec<Vec<Vec<Source>>>,
}

impl Wires {
    fn unconnected(specs: &[Option<NodeSpec>]) -> Self {
        let ports =
            |count: fn(&NodeSpec) -> usize| specs.iter().map(move |spec| spec.as_ref().map_or(0, count));
        Self {
            outgoing: ports(|spec| spec.outputs.len()).map(|count| vec![Vec::new(); count]).collect(),
            incoming: ports(|spec| spec.inputs.len()).map(|count| vec![Vec::new(); count]).collect(),
        }
    }

    /// The nodes that a node leads to.
    pub(super) fn successors(&self, node: NodeIndex) -> impl Iterator<Item = NodeIndex> + '_ {
        self.outgoing[node].iter().flatten().map(|target| target.node)
    }

    /// Upper targets first: the order in which branches run.
    pub(super) fn sort_targets(&mut self, nodes: &[NodeSpec]) {
        for targets in self.outgoing.iter_mut().flatten() {
            targets.sort_by(|a, b| nodes[a.node].position.order(&nodes[b.node].position));
        }
    }
}

pub(super) fn check(
    definition: &Definition,
    names: &Names<'_>,
    specs: &[Option<NodeSpec>],
    problems: &mut Vec<Problem>,
) -> Wires {
    let mut wires = Wires::unconnected(specs);
    let mut seen = HashSet::new();
    for (index, edge) in definition.edges.iter().enumerate() {
        let mut find = |end: &str, id: &str| {
            let found = names.by_id(id);
            if found.is_none() {
                let hint =
                    names.nearest(id).map(|near| format!("; did you mean {near:?}?")).unwrap_or_default();
                let field = format!("edges[{index}].{end}");
                let message = format!("there is no node with the id {id:?}{hint}");
                problems.push(Problem::error(ProblemCode::UnknownNode, None, Some(&field), message));
            }
            found
        };
        let (source, target) = (find("source", &edge.source), find("target", &edge.target));
        let (Some(source), Some(target)) = (source, target) else { continue };
        // A node of unknown type has been reported; nothing can be said of its ports.
        let (Some(from), Some(to)) = (&specs[source], &specs[target]) else { continue };

        let mut port = |end: &str, node: &NodeSpec, ports: &Ports, kind: Kind, handle: Option<&str>| {
            kind.find(ports, handle)
                .map_err(|message| {
                    let field = format!("edges[{index}].{end}");
                    let node = Some(node.name.as_str());
                    problems.push(Problem::error(ProblemCode::UnknownHandle, node, Some(&field), message));
                })
                .ok()
        };
        let output = port("sourceHandle", from, &from.outputs, Kind::Output, edge.source_handle.as_deref());
        let input = port("targetHandle", to, &to.inputs, Kind::Input, edge.target_handle.as_deref());
        let (Some(output), Some(input)) = (output, input) else { continue };

        if seen.insert((source, output, target, input)) {
            wires.outgoing[source][output].push(Target { node: target, input });
            wires.incoming[target][input].push(Source { node: source, output });
        } else {
            let field = format!("edges[{index}]");
            let message = format!(
                "{:?} and {:?} are connected twice in the same way; it counts once",
                from.name, to.name
            );
            problems.push(Problem::warning(
                ProblemCode::DuplicateEdge,
                Some(&from.name),
                Some(&field),
                message,
            ));
        }
    }
    wires
}

/// Which side of a node a handle is on.
#[derive(Clone, Copy)]
enum Kind {
    Output,
    Input,
}

impl Kind {
    /// Words that other editors use for "a port", before its number.
    const fn words(self) -> [&'static str; 5] {
        match self {
            Self::Output => ["output", "out", "main", "source", "right"],
            Self::Input => ["input", "in", "main", "target", "left"],
        }
    }

    const fn word(self) -> &'static str {
        self.words()[0]
    }

    /// The port that a handle means: none given is the first, a port's name is that port, and `2`,
    /// `output`, `output-2`, `main` are read as the editors mean them, counted from 0.
    fn find(self, ports: &Ports, handle: Option<&str>) -> Result<usize, String> {
        let word = self.word();
        if ports.is_empty() {
            return Err(match self {
                Self::Output => "the node has no output".to_owned(),
                Self::Input => "the node has no input: nothing can lead to it".to_owned(),
            });
        }
        let Some(handle) = handle.map(str::trim).filter(|handle| !handle.is_empty()) else { return Ok(0) };
        // The error output is the last port, whatever a user called the others.
        let by_name = if handle == ERROR_OUTPUT {
            ports.iter().rposition(|name| name == handle)
        } else {
            ports.iter().position(|name| name == handle)
        };
        by_name
            .or_else(|| ports.iter().position(|name| name.eq_ignore_ascii_case(handle)))
            .or_else(|| self.number(handle).filter(|&number| number < ports.len()))
            .ok_or_else(|| format!("there is no {word} {handle:?}; the node has {}", quoted(ports)))
    }

    fn number(self, handle: &str) -> Option<usize> {
        let handle = handle.to_ascii_lowercase();
        let rest = self.words().into_iter().find_map(|word| handle.strip_prefix(word)).unwrap_or(&handle);
        match rest.trim_start_matches(['-', '_', ':', '.', ' ']) {
            "" => Some(0),
            digits => digits.parse().ok(),
        }
    }
}

fn quoted(ports: &Ports) -> String {
    ports.iter().map(|name| format!("{name:?}")).collect::<Vec<_>>().join(", ")
}
