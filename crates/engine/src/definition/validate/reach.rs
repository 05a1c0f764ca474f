//! Which nodes a trigger leads to.

use super::edges::Wires;
use crate::definition::{Problem, ProblemCode};
use crate::graph::{NodeIndex, NodeSpec};

pub(super) fn check(specs: &[Option<NodeSpec>], wires: &Wires, problems: &mut Vec<Problem>) {
    let is_trigger = |spec: &NodeSpec| spec.is_trigger() && !spec.disabled;
    let triggers: Vec<NodeIndex> =
        (0..specs.len()).filter(|&node| specs[node].as_ref().is_some_and(is_trigger)).collect();
    if triggers.is_empty() {
        let message = if specs.is_empty() {
            "the workflow has no nodes"
        } else {
            "the workflow has no enabled trigger, so nothing can start it; add a manual, schedule or webhook trigger"
        };
        problems.push(Problem::error(ProblemCode::Empty, None, Some("nodes"), message));
        return;
    }
    let mut is_reached = vec![false; specs.len()];
    let mut open = triggers;
    while let Some(node) = open.pop() {
        if !std::mem::replace(&mut is_reached[node], true) {
            open.extend(wires.successors(node));
        }
    }
    for (node, spec) in specs.iter().enumerate() {
        let Some(spec) = spec else { continue };
        let is_annotation = spec.inputs.is_empty() && spec.outputs.is_empty();
        if !is_reached[node] && !spec.disabled && !spec.is_trigger() && !is_annotation {
            let message = "no enabled trigger leads to this node, so it never runs";
            problems.push(Problem::warning(ProblemCode::Unreachable, Some(&spec.name), None, message));
        }
    }
}
