//! In which order nodes run, with which items, and that a replay decides the same.

#![expect(clippy::unwrap_used, reason = "a test")]

use std::sync::Arc;

use engine::item::{Item, Origin, OriginItem};
use engine::node::{Catalogue, NodeError};
use engine::run::{Run, Settled, Task};
use engine::{Definition, Graph, Items};
use proptest::prelude::*;
use serde_json::{Value, json};

/// Nodes as `(name, type, x, y)`, edges as `(source, output, target, input)`.
fn graph(
    nodes: &[(&str, &str, i32, i32)],
    edges: &[(&str, &str, &str, &str)],
    patch: impl Fn(&mut Value),
) -> Arc<Graph> {
    let nodes: Vec<_> = nodes
        .iter()
        .map(|(name, node_type, x, y)| {
            json!({"id": name.to_lowercase(), "position": {"x": x, "y": y}, "data": {"label": name, "nodeType": node_type}})
        })
        .collect();
    let edges: Vec<_> = edges
        .iter()
        .map(|(source, output, target, input)| {
            json!({"source": source.to_lowercase(), "sourceHandle": output, "target": target.to_lowercase(), "targetHandle": input})
        })
        .collect();
    let mut definition = json!({"nodes": nodes, "edges": edges});
    patch(&mut definition);
    let mut catalogue = Catalogue::new();
    engine::nodes::add_to(&mut catalogue);
    let checked = Definition::from_json(definition).unwrap().validate(&catalogue);
    Arc::new(checked.into_graph().unwrap())
}

fn items(count: usize) -> Items {
    Arc::new((0..count).map(|n| Item::from_value(json!({ "n": n }))).collect())
}

type Answer = Result<Vec<Items>, NodeError>;

/// Runs to the end, answering each task with `answer`, and tells the names in order.
fn drive(run: &mut Run, mut answer: impl FnMut(&str, &Task) -> Answer) -> Vec<String> {
    let graph = Arc::clone(run.graph());
    let mut order = Vec::new();
    while let Some(task) = run.next_task().unwrap() {
        let name = graph.nodes[task.node].name.clone();
        let outputs = answer(&name, &task);
        order.push(name);
        if let Settled::Stopped(_) = run.settle(task, outputs.map(|outputs| (outputs, None))) {
            break;
        }
    }
    order
}

fn pass(_: &str, task: &Task) -> Answer {
    Ok(vec![task.inputs[0].clone().unwrap_or_default()])
}

fn start(graph: &Arc<Graph>) -> Run {
    Run::start(Arc::clone(graph), graph.triggers()[0], items(2))
}

#[test]
fn branches_run_depth_first_the_upper_one_first() {
    let graph = graph(
        &[
            ("T", "manual", 0, 0),
            ("Low", "no_op", 1, 9),
            ("Up", "no_op", 1, 1),
            ("Low2", "no_op", 2, 9),
            ("Up2", "no_op", 2, 1),
        ],
        &[
            ("T", "output", "Low", "input"),
            ("T", "output", "Up", "input"),
            ("Low", "output", "Low2", "input"),
            ("Up", "output", "Up2", "input"),
        ],
        |_| {},
    );
    assert_eq!(drive(&mut start(&graph), pass), ["T", "Up", "Up2", "Low", "Low2"]);
}

fn diamond() -> Arc<Graph> {
    graph(
        &[
            ("T", "manual", 0, 0),
            ("If", "if", 1, 0),
            ("A", "no_op", 2, 0),
            ("B", "no_op", 2, 5),
            ("M", "merge", 3, 0),
            ("End", "no_op", 4, 0),
        ],
        &[
            ("T", "output", "If", "input"),
            ("If", "true", "A", "input"),
            ("If", "false", "B", "input"),
            ("A", "output", "M", "input1"),
            ("B", "output", "M", "input2"),
            ("M", "output", "End", "input"),
        ],
        |definition| definition["nodes"][1]["data"]["fields"] = json!({"conditions": {"conditions": []}}),
    )
}

#[test]
fn a_merge_waits_for_both_branches() {
    let graph = diamond();
    let order = drive(&mut start(&graph), |name, task| match name {
        "If" => Ok(vec![items(1), items(1)]),
        "M" => {
            assert_eq!(
                task.inputs.iter().map(|items| items.as_ref().map(|items| items.len())).collect::<Vec<_>>(),
                [Some(1), Some(1)]
            );
            Ok(vec![items(2)])
        }
        _ => pass(name, task),
    });
    assert_eq!(order, ["T", "If", "A", "B", "M", "End"]);
}

#[test]
fn a_merge_runs_with_what_it_has_when_a_branch_gets_nothing() {
    let graph = diamond();
    let order = drive(&mut start(&graph), |name, task| match name {
        "If" => Ok(vec![items(2), items(0)]),
        "M" => Ok(vec![task.inputs[0].clone().unwrap()]),
        _ => pass(name, task),
    });
    assert_eq!(order, ["T", "If", "A", "M", "End"]);
}

#[test]
fn nothing_runs_behind_an_empty_output() {
    let graph = diamond();
    let order = drive(&mut start(&graph), |name, task| match name {
        "If" => Ok(vec![items(0), items(0)]),
        _ => pass(name, task),
    });
    assert_eq!(order, ["T", "If"]);
}

#[test]
fn a_node_with_always_output_data_gives_one_empty_item() {
    let graph = graph(
        &[("T", "manual", 0, 0), ("A", "no_op", 1, 0), ("B", "no_op", 2, 0)],
        &[("T", "output", "A", "input"), ("A", "output", "B", "input")],
        |definition| definition["nodes"][1]["data"]["alwaysOutputData"] = json!(true),
    );
    let order = drive(&mut start(&graph), |name, task| match name {
        "A" => Ok(vec![]),
        "B" => {
            assert_eq!(task.inputs[0].as_ref().unwrap().len(), 1);
            pass(name, task)
        }
        _ => pass(name, task),
    });
    assert_eq!(order, ["T", "A", "B"]);
}

#[test]
fn two_edges_into_one_input_run_the_node_twice() {
    let graph = graph(
        &[("T", "manual", 0, 0), ("A", "no_op", 1, 0), ("B", "no_op", 1, 5), ("C", "no_op", 2, 0)],
        &[
            ("T", "output", "A", "input"),
            ("T", "output", "B", "input"),
            ("A", "output", "C", "input"),
            ("B", "output", "C", "input"),
        ],
        |_| {},
    );
    let mut run = start(&graph);
    assert_eq!(drive(&mut run, pass), ["T", "A", "C", "B", "C"]);
    assert_eq!(run.data().runs(graph.by_name("C").unwrap()).len(), 2);
}

#[test]
fn a_failed_node_stops_the_execution_unless_it_says_otherwise() {
    let chain = |on_error: &str| {
        graph(
            &[("T", "manual", 0, 0), ("A", "no_op", 1, 0), ("B", "no_op", 2, 0), ("E", "no_op", 2, 5)],
            &[("T", "output", "A", "input"), ("A", "output", "B", "input")],
            |definition| {
                definition["nodes"][1]["data"]["onError"] = json!(on_error);
                if on_error == "continueErrorOutput" {
                    let edge = json!({"source": "a", "sourceHandle": "error", "target": "e"});
                    definition["edges"].as_array_mut().unwrap().push(edge);
                }
            },
        )
    };
    let fail = |name: &str, task: &Task| match name {
        "A" => Err(NodeError::fatal("broken", "it broke")),
        _ => pass(name, task),
    };
    assert_eq!(drive(&mut start(&chain("stop")), fail), ["T", "A"]);
    let graph = chain("continue");
    let mut run = start(&graph);
    assert_eq!(drive(&mut run, fail), ["T", "A", "B"]);
    let passed_on = &run.data().runs(graph.by_name("B").unwrap())[0].outputs[0];
    assert_eq!(passed_on.len(), 2);
    assert_eq!(passed_on[1].json["error"], json!({"message": "it broke", "code": "broken"}));
    assert_eq!(passed_on[1].json["n"], 1);
    assert_eq!(drive(&mut start(&chain("continueErrorOutput")), fail), ["T", "A", "E"]);
}

#[test]
fn a_loop_ends_when_its_node_leaves_by_done() {
    let graph = graph(
        &[("T", "manual", 0, 0), ("Loop", "loop", 1, 0), ("Body", "no_op", 2, 5), ("After", "no_op", 2, 0)],
        &[
            ("T", "output", "Loop", "input"),
            ("Loop", "loop", "Body", "input"),
            ("Body", "output", "Loop", "input"),
            ("Loop", "done", "After", "input"),
        ],
        |_| {},
    );
    let mut run = start(&graph);
    let order = drive(&mut run, |name, task| match name {
        "Loop" if task.run_index < 3 => Ok(vec![items(0), items(1)]),
        "Loop" => Ok(vec![items(3), items(0)]),
        _ => pass(name, task),
    });
    assert_eq!(order, ["T", "Loop", "Body", "Loop", "Body", "Loop", "Body", "Loop", "After"]);
}

#[test]
fn an_endless_loop_is_stopped_by_name() {
    let graph = graph(
        &[("T", "manual", 0, 0), ("Loop", "loop", 1, 0), ("Body", "no_op", 2, 5)],
        &[
            ("T", "output", "Loop", "input"),
            ("Loop", "loop", "Body", "input"),
            ("Body", "output", "Loop", "input"),
        ],
        |definition| definition["settings"] = json!({"maxSteps": 10}),
    );
    let mut run = start(&graph);
    let error = loop {
        match run.next_task() {
            Ok(task) => {
                // The loop node never leaves by its first output, which is the only one of its body.
                let task = task.unwrap();
                let first = usize::from(graph.nodes[task.node].name != "Loop");
                run.settle(task, Ok((vec![items(first), items(1)], None)));
            }
            Err(error) => break error,
        }
        if run.data().order().len() > 20 {
            panic!("not stopped");
        }
    };
    assert_eq!(error.code, "step_limit");
    assert_eq!(run.data().order().len(), 10);
}

#[test]
fn origins_are_filled_in_where_the_counts_tell_them() {
    let graph = graph(
        &[("T", "manual", 0, 0), ("A", "no_op", 1, 0), ("B", "no_op", 2, 0)],
        &[("T", "output", "A", "input"), ("A", "output", "B", "input")],
        |_| {},
    );
    let mut run = start(&graph);
    drive(&mut run, |name, task| match name {
        "A" => Ok(vec![Arc::new(vec![Item::default(), Item::default().from_input(0)])]),
        _ => pass(name, task),
    });
    let a = &run.data().runs(graph.by_name("A").unwrap())[0].outputs[0];
    assert_eq!(a[0].paired_item, Origin::One(OriginItem { item: 0, input: 0 }));
    let b = graph.by_name("B").unwrap();
    let record = &run.data().runs(b)[0];
    let trace = |item: usize| {
        let sources = &record.sources;
        run.data()
            .trace_origin(sources, &[OriginItem { item, input: 0 }], graph.by_name("T").unwrap())
            .map(|(_, item)| item)
    };
    assert_eq!((trace(0), trace(1)), (Some(0), Some(0)));
}

/// A random workflow without circles: node k has edges from some earlier nodes; every third is a merge.
fn random_graph(choices: &[(u8, u8)]) -> Arc<Graph> {
    let mut nodes = vec![json!({"id": "n0", "data": {"nodeType": "manual"}})];
    let mut edges = Vec::new();
    for (index, (first, second)) in choices.iter().enumerate() {
        let id = index + 1;
        let merge = id % 3 == 0;
        nodes.push(json!({"id": format!("n{id}"), "position": {"x": id, "y": first % 7}, "data": {"nodeType": if merge { "merge" } else { "no_op" }}}));
        let source = |choice: u8| format!("n{}", usize::from(choice) % id);
        let input = |n: u8| if merge { json!(format!("input{n}")) } else { Value::Null };
        edges.push(json!({"source": source(*first), "target": format!("n{id}"), "targetHandle": input(1)}));
        if merge || second % 2 == 0 {
            let edge =
                json!({"source": source(*second), "target": format!("n{id}"), "targetHandle": input(2)});
            if edges.last() != Some(&edge) {
                edges.push(edge);
            }
        }
    }
    let mut catalogue = Catalogue::new();
    engine::nodes::add_to(&mut catalogue);
    let definition = json!({"nodes": nodes, "edges": edges, "settings": {"maxSteps": 3000}});
    Arc::new(Definition::from_json(definition).unwrap().validate(&catalogue).into_graph().unwrap())
}

/// What a node answers depends on nothing but its name, its run and what came in.
fn answer(task: &Task) -> Vec<Items> {
    let arrived: usize = task.inputs.iter().flatten().map(|items| items.len()).sum();
    vec![items((arrived + task.node + task.run_index) % 4)]
}

proptest! {
    #[test]
    fn a_replay_of_any_prefix_goes_on_with_the_same_tasks(choices in proptest::collection::vec(any::<(u8, u8)>(), 1..14), cut in 0usize..60) {
        let graph = random_graph(&choices);
        let mut tasks = Vec::new();
        let mut run = start(&graph);
        while let Ok(Some(task)) = run.next_task() {
            tasks.push((task.node, task.run_index, task.sequence, task.sources.clone()));
            let outputs = answer(&task);
            run.settle(task, Ok((outputs, None)));
        }
        let mut again = start(&graph);
        let mut replayed = Vec::new();
        for _ in 0..cut.min(tasks.len()) {
            let task = again.next_task().unwrap().unwrap();
            replayed.push((task.node, task.run_index, task.sequence, task.sources.clone()));
            let outputs = answer(&task);
            again.settle(task, Ok((outputs, None)));
        }
        while let Ok(Some(task)) = again.next_task() {
            replayed.push((task.node, task.run_index, task.sequence, task.sources.clone()));
            let outputs = answer(&task);
            again.settle(task, Ok((outputs, None)));
        }
        prop_assert_eq!(tasks, replayed);
    }
}
