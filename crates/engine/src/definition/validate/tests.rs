use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::nodes::testing::catalogue;

fn check(definition: Value) -> Checked {
    Definition::from_json(definition).unwrap().validate(&catalogue())
}

fn node(id: &str, node_type: &str, fields: Value) -> Value {
    json!({ "id": id, "data": { "nodeType": node_type, "fields": fields } })
}

fn edge(source: &str, target: &str) -> Value {
    json!({ "source": source, "target": target })
}

fn edge_from(source: &str, handle: &str, target: &str) -> Value {
    json!({ "source": source, "sourceHandle": handle, "target": target })
}

/// A workflow of a manual trigger `t` and these nodes and edges.
fn workflow(nodes: Vec<Value>, edges: Vec<Value>) -> Value {
    let mut all = vec![node("t", "manual", json!({}))];
    all.extend(nodes);
    json!({ "nodes": all, "edges": edges })
}

/// Code, node and field of each problem.
fn found(definition: Value) -> Vec<(ProblemCode, Option<String>, Option<String>)> {
    check(definition)
        .problems
        .into_iter()
        .map(|problem| (problem.code, problem.node, problem.field))
        .collect()
}

#[test]
fn each_problem_names_its_node_and_field() {
    let plain = || node("a", "no_op", json!({}));
    let condition = |operation: &str| {
        json!({ "conditions": { "conditions": [
            { "leftValue": 1, "operator": { "type": "number", "operation": "equals" }, "rightValue": 1 },
            { "leftValue": 1, "operator": { "type": "number", "operation": operation }, "rightValue": 1 },
        ] } })
    };
    let with = |node: Value, name: &str, value: Value| {
        let mut node = node;
        node["data"][name] = value;
        node
    };
    let linked = |node: Value| {
        let id = node["id"].as_str().unwrap().to_owned();
        workflow(vec![node], vec![edge("t", &id)])
    };
    let cases = [
        (json!({ "nodes": [], "edges": [] }), ProblemCode::Empty, None, Some("nodes")),
        (json!({ "nodes": [node("a", "no_op", json!({}))] }), ProblemCode::Empty, None, Some("nodes")),
        (
            json!({ "nodes": [with(node("t", "manual", json!({})), "disabled", json!(true))] }),
            ProblemCode::Empty,
            None,
            Some("nodes"),
        ),
        (
            workflow(vec![node("t", "no_op", json!({}))], vec![edge("t", "t2")]),
            ProblemCode::DuplicateId,
            Some("t"),
            Some("nodes[1].id"),
        ),
        (linked(node("", "no_op", json!({}))), ProblemCode::Shape, Some(""), Some("nodes[1].id")),
        (
            workflow(
                vec![
                    with(plain(), "label", json!("Same")),
                    with(node("b", "no_op", json!({})), "label", json!("Same")),
                ],
                vec![edge("t", "a"), edge("t", "b")],
            ),
            ProblemCode::DuplicateName,
            Some("Same"),
            Some("nodes[2].data.label"),
        ),
        (
            linked(with(plain(), "label", json!("x".repeat(200)))),
            ProblemCode::Limit,
            Some(&*"x".repeat(200)),
            Some("nodes[1].data.label"),
        ),
        (
            linked(node("a", "edit_feilds", json!({}))),
            ProblemCode::UnknownNodeType,
            Some("a"),
            Some("nodeType"),
        ),
        (linked(node("a", "", json!({}))), ProblemCode::UnknownNodeType, Some("a"), Some("nodeType")),
        (
            workflow(vec![plain()], vec![edge("t", "a"), edge("nowhere", "a")]),
            ProblemCode::UnknownNode,
            None,
            Some("edges[1].source"),
        ),
        (
            workflow(vec![plain()], vec![edge("t", "a"), edge("a", "nowhere")]),
            ProblemCode::UnknownNode,
            None,
            Some("edges[1].target"),
        ),
        (
            workflow(vec![plain()], vec![edge_from("t", "second", "a")]),
            ProblemCode::UnknownHandle,
            Some("t"),
            Some("edges[0].sourceHandle"),
        ),
        (
            workflow(vec![plain()], vec![json!({ "source": "t", "target": "a", "targetHandle": "3" })]),
            ProblemCode::UnknownHandle,
            Some("a"),
            Some("edges[0].targetHandle"),
        ),
        (
            workflow(vec![plain()], vec![edge("t", "a"), edge("a", "t")]),
            ProblemCode::UnknownHandle,
            Some("t"),
            Some("edges[1].targetHandle"),
        ),
        (
            workflow(vec![plain()], vec![edge("t", "a"), edge_from("t", "output", "a")]),
            ProblemCode::DuplicateEdge,
            Some("t"),
            Some("edges[1]"),
        ),
        (
            workflow(
                vec![plain(), node("b", "no_op", json!({}))],
                vec![edge("t", "a"), edge("a", "b"), edge("b", "a")],
            ),
            ProblemCode::Cycle,
            Some("a"),
            Some("edges"),
        ),
        (workflow(vec![plain()], vec![]), ProblemCode::Unreachable, Some("a"), None),
        (
            linked(node("a", "limit", json!({ "maxItems": "many" }))),
            ProblemCode::InvalidField,
            Some("a"),
            Some("fields.maxItems"),
        ),
        (
            linked(node("a", "limit", json!({ "most": 1 }))),
            ProblemCode::InvalidField,
            Some("a"),
            Some("fields.most"),
        ),
        (
            linked(node("a", "if", condition("startsWith"))),
            ProblemCode::InvalidField,
            Some("a"),
            Some("fields.conditions.conditions[1].operator.operation"),
        ),
        (
            linked(node(
                "a",
                "edit_fields",
                json!({ "assignments": [{ "name": "a", "value": 1 }, { "name": "" }] }),
            )),
            ProblemCode::InvalidField,
            Some("a"),
            Some("fields.assignments[1].name"),
        ),
        (
            linked(node(
                "a",
                "edit_fields",
                json!({ "assignments": [{ "name": "a", "value": "={{ 1 + }}" }] }),
            )),
            ProblemCode::ExpressionSyntax,
            Some("a"),
            Some("fields.assignments[0].value"),
        ),
        (
            linked(node(
                "a",
                "edit_fields",
                json!({ "json": "={{ $('Nobody').item.json }}", "mode": "json" }),
            )),
            ProblemCode::ExpressionReference,
            Some("a"),
            Some("fields.json"),
        ),
        (
            linked(node("a", "code", json!({ "jsCode": "return [" }))),
            ProblemCode::InvalidField,
            Some("a"),
            Some("fields.jsCode"),
        ),
        (
            json!({ "nodes": [node("t", "schedule", json!({ "rules": [{ "cron": "@daily" }, { "cron": "99 * * * *" }] }))] }),
            ProblemCode::InvalidField,
            Some("t"),
            Some("fields.rules[1].cron"),
        ),
        (
            linked(with(plain(), "retry", json!({ "maxAttempts": 0 }))),
            ProblemCode::InvalidSetting,
            Some("a"),
            Some("retry.maxAttempts"),
        ),
        (
            linked(with(plain(), "timeoutMs", json!(0))),
            ProblemCode::InvalidSetting,
            Some("a"),
            Some("timeoutMs"),
        ),
    ];
    for (definition, code, node, field) in cases {
        let expected = (code, node.map(str::to_owned), field.map(str::to_owned));
        let all = found(definition);
        assert!(all.contains(&expected), "expected {expected:?}, found {all:?}");
    }
}

#[test]
fn each_setting_is_checked() {
    for (settings, field) in [
        (json!({ "timezone": "Mars/Base" }), "settings.timezone"),
        (json!({ "timeoutMs": 0 }), "settings.timeoutMs"),
        (json!({ "concurrency": 0 }), "settings.concurrency"),
        (json!({ "priority": 1000 }), "settings.priority"),
        (json!({ "maxSteps": 0 }), "settings.maxSteps"),
    ] {
        let mut definition = workflow(vec![], vec![]);
        definition["settings"] = settings;
        assert_eq!(found(definition), [(ProblemCode::InvalidSetting, None, Some(field.to_owned()))]);
    }
    let mut definition = workflow(vec![], vec![]);
    definition["settings"] = json!({
        "timezone": "Asia/Kolkata", "timeoutMs": 60_000, "concurrency": 3, "priority": -5, "maxSteps": 100,
    });
    assert_eq!(found(definition), []);
}

#[test]
fn sizes_are_bounded() {
    let mut deep = json!(1);
    for _ in 0..40 {
        deep = json!([deep]);
    }
    for (definition, field) in [
        (json!({ "nodes": vec![json!({ "id": "a" }); MAX_NODES + 1] }), Some("nodes")),
        (json!({ "edges": vec![edge("a", "b"); MAX_EDGES + 1] }), Some("edges")),
        (workflow(vec![node("a", "no_op", json!({ "x": deep }))], vec![]), Some("nodes[1].data.fields")),
        (workflow(vec![node("a", "no_op", json!({ "x": "y".repeat(MAX_DEFINITION_BYTES) }))], vec![]), None),
    ] {
        let checked = check(definition);
        let fields: Vec<_> =
            checked.problems.iter().map(|problem| (problem.code, problem.field.as_deref())).collect();
        assert_eq!(fields, [(ProblemCode::Limit, field)]);
        assert!(checked.graph.is_none());
    }
}

#[test]
fn a_warning_does_not_keep_a_workflow_from_running() {
    let checked = check(workflow(vec![node("a", "no_op", json!({}))], vec![]));
    assert_eq!(checked.problems[0].severity, Severity::Warning);
    assert!(checked.is_runnable());
    assert_eq!(checked.errors().count(), 0);
}

#[test]
fn a_disabled_node_may_be_half_finished() {
    let mut unfinished = node("a", "limit", json!({ "maxItems": "many" }));
    unfinished["data"]["disabled"] = json!(true);
    let checked = check(workflow(vec![unfinished], vec![edge("t", "a")]));
    assert_eq!(checked.problems.len(), 1);
    assert!(checked.is_runnable());
}

#[test]
fn a_sticky_note_needs_no_connection() {
    let note = node("n", "sticky_note", json!({ "content": "={{ not an expression" }));
    assert_eq!(found(workflow(vec![note], vec![])), []);
}

#[test]
fn a_typo_gets_a_suggestion() {
    for (written, meant) in
        [("Edit Fields", "edit_fields"), ("swich", "switch"), ("agregate", "aggregate"), ("if else", "if")]
    {
        let checked = check(workflow(vec![node("a", written, json!({}))], vec![edge("t", "a")]));
        let message = &checked.problems[0].message;
        assert!(message.ends_with(&format!("did you mean {meant:?}?")), "{message}");
    }
    let checked = check(workflow(vec![node("a", "quantum_flux", json!({}))], vec![edge("t", "a")]));
    assert!(!checked.problems[0].message.contains("did you mean"), "{}", checked.problems[0].message);
    let checked = check(workflow(vec![node("a", "no_op", json!({}))], vec![edge("t", "A")]));
    assert!(checked.problems[0].message.contains("did you mean \"a\""), "{}", checked.problems[0].message);
}

#[test]
fn a_circle_is_allowed_where_a_loop_closes_it() {
    let nodes = || {
        vec![
            node("l", "loop", json!({})),
            node("a", "no_op", json!({})),
            node("m", "loop", json!({})),
            node("b", "no_op", json!({})),
        ]
    };
    // An inner loop `m` whose end leads on to the outer one.
    let nested = vec![
        edge("t", "l"),
        edge_from("l", "loop", "a"),
        edge("a", "m"),
        edge_from("m", "loop", "b"),
        edge("b", "m"),
        edge_from("m", "done", "l"),
    ];
    assert_eq!(found(workflow(nodes(), nested.clone())), []);

    // A circle that leaves the loop by `done` is not closed by it.
    let wrong = vec![
        edge("t", "l"),
        edge_from("l", "done", "a"),
        edge("a", "l"),
        edge_from("l", "loop", "m"),
        edge_from("m", "loop", "b"),
    ];
    let problems = check(workflow(nodes(), wrong)).problems;
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert!(problems[0].message.ends_with("l -> a -> l"), "{}", problems[0].message);
}

#[test]
fn every_circle_is_reported_once() {
    let nodes = ["a", "b", "c", "d", "e"].map(|id| node(id, "no_op", json!({}))).to_vec();
    let edges = vec![
        edge("t", "a"),
        edge("a", "b"),
        edge("b", "a"),
        edge("b", "c"),
        edge("c", "d"),
        edge("d", "c"),
        edge("d", "e"),
        edge("e", "e"),
    ];
    let codes: Vec<_> = found(workflow(nodes, edges)).into_iter().map(|(code, ..)| code).collect();
    assert_eq!(codes, [ProblemCode::Cycle; 3]);
}

#[test]
fn handles_are_read_as_the_editors_write_them() {
    let branch = || node("i", "if", json!({ "conditions": {} }));
    for (handle, output) in [
        (json!(null), 0),
        (json!(""), 0),
        (json!("true"), 0),
        (json!("False"), 1),
        (json!("0"), 0),
        (json!("1"), 1),
        (json!("output"), 0),
        (json!("output-1"), 1),
        (json!("output_1"), 1),
        (json!("main"), 0),
    ] {
        let edges = vec![edge("t", "i"), json!({ "source": "i", "sourceHandle": handle, "target": "a" })];
        let graph =
            check(workflow(vec![branch(), node("a", "no_op", json!({}))], edges)).into_graph().unwrap();
        let targets: Vec<_> = graph.outgoing[1].iter().map(Vec::len).collect();
        assert_eq!(targets.iter().position(|&count| count == 1), Some(output), "{handle}");
    }
    let merge = node("m", "merge", json!({}));
    for (handle, input) in [("input1", 0), ("input2", 1), ("input-1", 1), ("1", 1), ("input", 0)] {
        let edges = vec![json!({ "source": "t", "target": "m", "targetHandle": handle })];
        let graph = check(workflow(vec![merge.clone()], edges)).into_graph().unwrap();
        assert_eq!(graph.outgoing[0][0][0].input, input, "{handle}");
    }
}

#[test]
fn a_node_that_continues_on_errors_has_an_error_output() {
    let mut guarded = node("a", "if", json!({ "conditions": {} }));
    guarded["data"]["onError"] = json!("continueErrorOutput");
    let edges = vec![edge("t", "a"), edge_from("a", "error", "b")];
    let graph = check(workflow(vec![guarded, node("b", "no_op", json!({}))], edges)).into_graph().unwrap();
    assert_eq!(graph.nodes[1].outputs, ["true", "false", "error"]);
    assert_eq!(graph.outgoing[1][2][0].node, 2);
    assert_eq!(graph.incoming[2][0][0].output, 2);
}

#[test]
fn upper_targets_come_first() {
    let at = |id: &str, x: i32, y: i32| {
        let mut node = node(id, "no_op", json!({}));
        node["position"] = json!({ "x": x, "y": y });
        node
    };
    let nodes = vec![at("low", 0, 100), at("right", 50, 0), at("left", 0, 0)];
    let edges = vec![edge("t", "low"), edge("t", "right"), edge("t", "left")];
    let graph = check(workflow(nodes, edges)).into_graph().unwrap();
    let order: Vec<_> =
        graph.outgoing[0][0].iter().map(|target| graph.nodes[target.node].id.as_str()).collect();
    assert_eq!(order, ["left", "right", "low"]);
    assert_eq!(graph.by_name("low"), graph.by_id("low"));
}

#[test]
fn fields_beside_an_expression_are_checked_all_the_same() {
    let linked =
        |node_type: &str, fields: Value| workflow(vec![node("a", node_type, fields)], vec![edge("t", "a")]);
    let condition = |operation: &str| {
        let operator = json!({ "type": "number", "operation": operation });
        json!({ "conditions": { "conditions": [{ "leftValue": "={{ $json.n }}", "operator": operator, "rightValue": 1 }] } })
    };
    let path = "fields.conditions.conditions[0].operator.operation";
    for operation in ["startsWith", "resembles"] {
        let expected = (ProblemCode::InvalidField, Some("a".to_owned()), Some(path.to_owned()));
        assert_eq!(found(linked("if", condition(operation))), [expected], "{operation}");
    }
    // Nothing is said of a field whose value is not known yet.
    for (node_type, fields) in [
        ("if", condition("gt")),
        ("wait", json!({ "resume": "until", "dateTime": "={{ $now }}" })),
        ("wait", json!({ "amount": "={{ $json.minutes }}", "unit": "minutes" })),
        ("limit", json!({ "maxItems": "={{ 1 + 1 }}" })),
        ("split_out", json!({ "fieldToSplitOut": "={{ $json.names }}", "destinationFieldName": "a, b" })),
        ("respond_to_webhook", json!({ "respondWith": "json", "body": "={{ $json }}" })),
        ("execute_workflow", json!({ "workflowId": "={{ $vars.next }}" })),
        ("switch", json!({ "mode": "expression", "output": "={{ $json.way }}" })),
    ] {
        assert_eq!(found(linked(node_type, fields.clone())), [], "{node_type} {fields}");
    }
}

#[test]
fn an_expression_may_name_any_node() {
    let mut first = node("a", "no_op", json!({}));
    first["data"]["label"] = json!("First one");
    let reads =
        node("b", "edit_fields", json!({ "json": "={{ $('First one').item.json }}", "mode": "json" }));
    assert_eq!(found(workflow(vec![first, reads], vec![edge("t", "a"), edge("a", "b")])), []);
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        prop::sample::select(vec![
            "a",
            "t",
            "manual",
            "loop",
            "if",
            "merge",
            "={{ $json.x }}",
            "={{",
            "0",
            "output"
        ])
        .prop_map(Value::from),
        "[a-z={}$ ]{0,8}".prop_map(Value::from),
    ];
    let key = prop::sample::select(vec![
        "nodes",
        "edges",
        "id",
        "data",
        "nodeType",
        "fields",
        "label",
        "source",
        "target",
        "sourceHandle",
        "targetHandle",
        "steps",
        "settings",
        "retry",
        "position",
        "conditions",
        "rules",
        "cron",
        "onError",
        "type",
        "step_type",
        "service_name",
    ]);
    leaf.prop_recursive(5, 60, 8, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::vec((key.clone(), inner), 0..6).prop_map(|entries| Value::Object(
                entries.into_iter().map(|(k, v)| (k.to_owned(), v)).collect()
            )),
        ]
    })
}

/// Workflows that have the right shape more often than not, of any types and with any edges.
fn any_workflow() -> impl Strategy<Value = Value> {
    let types: Vec<&'static str> = catalogue().descriptors().map(|descriptor| descriptor.node_type).collect();
    let nodes = prop::collection::vec((prop::sample::select(types), any_json()), 1..8);
    let edges = prop::collection::vec((0..8usize, 0..8usize, prop::option::of("[a-z0-2]{1,4}")), 0..12);
    (nodes, edges).prop_map(|(nodes, edges)| {
        let nodes: Vec<_> = nodes
            .into_iter()
            .enumerate()
            .map(|(index, (node_type, fields))| {
                let fields = if fields.is_object() { fields } else { json!({}) };
                node(&format!("n{index}"), node_type, fields)
            })
            .collect();
        let edges: Vec<_> = edges
            .into_iter()
            .map(|(source, target, handle)| json!({ "source": format!("n{source}"), "target": format!("n{target}"), "sourceHandle": handle }))
            .collect();
        json!({ "nodes": nodes, "edges": edges })
    })
}

proptest! {
    #[test]
    fn any_json_becomes_a_graph_or_problems(value in any_json()) {
        match Definition::from_json(value) {
            Ok(definition) => {
                let checked = definition.validate(&catalogue());
                prop_assert_eq!(checked.graph.is_none(), checked.errors().next().is_some());
            }
            Err(problem) => prop_assert_eq!(problem.severity, Severity::Error),
        }
    }

    #[test]
    fn any_workflow_becomes_a_graph_or_problems(value in any_workflow()) {
        let checked = Definition::from_json(value).unwrap().validate(&catalogue());
        prop_assert_eq!(checked.graph.is_none(), checked.errors().next().is_some());
        if let Some(graph) = checked.graph {
            for (node, outputs) in graph.outgoing.iter().enumerate() {
                prop_assert_eq!(outputs.len(), graph.nodes[node].outputs.len());
                for (output, targets) in outputs.iter().enumerate() {
                    for target in targets {
                        let sources = &graph.incoming[target.node][target.input];
                        prop_assert!(sources.iter().any(|source| source.node == node && source.output == output));
                    }
                }
            }
        }
    }
}
