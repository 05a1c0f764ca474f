//! Circles: allowed only where a loop node closes them.
//!
//! A circle is closed by a loop node when it leaves that node by its `loop` output. So the edges that
//! leave by a `loop` output are taken away, and what is left must have no circle.

use super::edges::Wires;
use crate::definition::{Problem, ProblemCode};
use crate::graph::{NodeIndex, NodeSpec};
use crate::nodes::LOOP_NODE_TYPE;
use crate::nodes::LOOP_OUTPUT;

pub(super) fn check(specs: &[Option<NodeSpec>], wires: &Wires, problems: &mut Vec<Problem>) {
    let successors: Vec<Vec<NodeIndex>> =
        (0..specs.len()).map(|node| outside_loops(specs, wires, node)).collect();
    let mut is_left = vec![true; specs.len()];
    loop {
        peel(&successors, &mut is_left);
        let Some(circle) = find_circle(&successors, &is_left) else { return };
        let names: Vec<_> =
            circle.iter().filter_map(|&node| specs[node].as_ref()).map(|spec| spec.name.as_str()).collect();
        let path = names.iter().chain(names.first()).copied().collect::<Vec<_>>().join(" -> ");
        let message = format!("these nodes form a circle that no loop node closes: {path}");
        problems.push(Problem::error(ProblemCode::Cycle, names.first().copied(), Some("edges"), message));
        circle.into_iter().for_each(|node| is_left[node] = false);
    }
}

fn outside_loops(specs: &[Option<NodeSpec>], wires: &Wires, node: NodeIndex) -> Vec<NodeIndex> {
    let is_loop = specs[node].as_ref().is_some_and(|spec| spec.node_type() == LOOP_NODE_TYPE);
    wires.outgoing[node]
        .iter()
        .enumerate()
        .filter(|(output, _)| !(is_loop && *output == LOOP_OUTPUT))
        .flat_map(|(_, targets)| targets)
        .map(|target| target.node)
        .collect()
}

/// Takes away the nodes that nothing leads to, again and again: they are on no circle.
fn peel(successors: &[Vec<NodeIndex>], is_left: &mut [bool]) {
    let mut incoming = vec![0usize; successors.len()];
    for node in (0..successors.len()).filter(|&node| is_left[node]) {
        successors[node].iter().for_each(|&next| incoming[next] += 1);
    }
    let mut open: Vec<_> =
        (0..successors.len()).filter(|&node| is_left[node] && incoming[node] == 0).collect();
    while let Some(node) = open.pop() {
        is_left[node] = false;
        for &next in &successors[node] {
            incoming[next] -= 1;
            if incoming[next] == 0 && is_left[next] {
                open.push(next);
            }
        }
    }
}

/// One circle among the nodes that are left, if there is one.
fn find_circle(successors: &[Vec<NodeIndex>], is_left: &[bool]) -> Option<Vec<NodeIndex>> {
    // After peeling every node that is left has a predecessor that is left, so walking backwards must repeat a node.
    let mut predecessor = vec![None; successors.len()];
    for node in (0..successors.len()).filter(|&node| is_left[node]) {
        successors[node]
            .iter()
            .filter(|&&next| is_left[next])
            .for_each(|&next| predecessor[next] = Some(node));
    }
    let mut walk = Vec::new();
    let mut place = vec![None; successors.len()];
    let mut node = (0..successors.len()).find(|&node| is_left[node])?;
    while place[node].is_none() {
        place[node] = Some(walk.len());
        walk.push(node);
        node = predecessor[node]?;
    }
    let mut circle = walk.split_off(place[node]?);
    circle.reverse();
    // Told from its first node in the definition, so that the same circle is always told in the same way.
    let first = circle.iter().enumerate().min_by_key(|(_, node)| **node).map_or(0, |(place, _)| place);
    circle.rotate_left(first);
    Some(circle)
}
