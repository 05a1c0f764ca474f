//! Expressions and user code that look at other nodes, natively and through JavaScript.

#![expect(clippy::unwrap_used, clippy::panic, reason = "clippy does not know that these are tests")]

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use engine::expression::{Evaluator, Scope, Template, resolve_parameters};
use engine::item::{Item, Origin, OriginItem, items_from_json};
use engine::node::{
    Catalogue, CodeLanguage, CodeMode, CodeOutput, CodeRequest, ExecutionInfo, LogLevel, NodeError,
};
use engine::run::{Run, Task};
use engine::sandbox::LocalEvaluator;
use engine::{Definition, Graph, Items};
use serde_json::{Value, json};
use uuid::Uuid;

/// A run that has reached the node `End`:
/// `Start` gave one item, `Split` made three of it, `Reverse` turned two of them round.
struct Fixture {
    graph: Arc<Graph>,
    run: Run,
    task: Task,
    execution: ExecutionInfo,
}

fn fixture() -> Fixture {
    let node = |name: &str, node_type: &str| json!({"id": name, "data": {"nodeType": node_type}});
    let edge = |source: &str, target: &str| json!({"source": source, "target": target});
    let definition = json!({
        "nodes": [node("Start", "manual"), node("Split", "no_op"), node("Reverse", "no_op"), node("End", "no_op"), node("Later", "no_op")],
        "edges": [edge("Start", "Split"), edge("Split", "Reverse"), edge("Reverse", "End"), edge("End", "Later")],
    });
    let mut catalogue = Catalogue::new();
    engine::nodes::add_to(&mut catalogue);
    let graph = Definition::from_json(definition).unwrap().validate(&catalogue).into_graph().unwrap();
    let graph = Arc::new(graph);
    let list = |value: Value| -> Items { Arc::new(items_from_json(value).unwrap()) };
    let from = |value: Value, item: usize| Item {
        paired_item: Origin::One(OriginItem { item, input: 0 }),
        ..Item::from_value(value)
    };
    let start = list(json!([{"order": 7}]));
    let split = Arc::new(vec![from(json!({"n": 0}), 0), from(json!({"n": 1}), 0), from(json!({"n": 2}), 0)]);
    let reverse = Arc::new(vec![from(json!({"r": 2}), 2), from(json!({"r": 0}), 0)]);
    let mut run = Run::start(Arc::clone(&graph), graph.by_name("Start").unwrap(), Arc::clone(&start));
    for outputs in [start, split, reverse] {
        let task = run.next_task().unwrap().unwrap();
        run.settle(task, Ok((vec![outputs], None)));
    }
    let task = run.next_task().unwrap().unwrap();
    assert_eq!(graph.nodes[task.node].name, "End");
    let execution = ExecutionInfo {
        id: Uuid::nil(),
        mode: "test".to_owned(),
        resume_url: Some("https://example.com/resume".to_owned()),
        workflow: Default::default(),
        timezone: "UTC".to_owned(),
        vars: Default::default(),
    };
    Fixture { graph, run, task, execution }
}

impl Fixture {
    fn scope(&self) -> Scope<'_> {
        Scope {
            graph: &self.graph,
            node: &self.graph.nodes[self.task.node],
            run_index: self.task.run_index,
            inputs: &self.task.inputs,
            sources: &self.task.sources,
            data: self.run.data(),
            execution: &self.execution,
            now: "2026-01-02T03:04:05Z".parse().unwrap(),
        }
    }

    fn evaluate(&self, expression: &str) -> Vec<Result<Value, NodeError>> {
        let fields = Arc::new(json!({ "f": expression }));
        let template = Template::prepare(&fields, &|_| false).unwrap();
        let evaluator = LocalEvaluator::default();
        let parameters = block_on(resolve_parameters(&template, &fields, &self.scope(), &evaluator)).unwrap();
        (0..2).map(|item| parameters.value(item).map(|value| value["f"].clone())).collect()
    }

    fn code(&self, mode: CodeMode, source: &str) -> Result<CodeOutput, NodeError> {
        let request = CodeRequest {
            language: CodeLanguage::JavaScript,
            mode,
            source,
            scope: self.scope(),
            timeout_ms: 1_000,
        };
        block_on(LocalEvaluator::default().run_code(request))
    }
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("the future waits"),
    }
}

#[test]
fn other_nodes_are_seen_alike_natively_and_in_javascript() {
    let fixture = fixture();
    // The item of another node is the one that the current item was made from, through every step between.
    let cases = [
        ("$json.r", [json!(2), json!(0)]),
        ("$('Reverse').item.json.r", [json!(2), json!(0)]),
        ("$('Split').item.json.n", [json!(2), json!(0)]),
        ("$('Start').item.json.order", [json!(7), json!(7)]),
        ("$('Split').first().json.n", [json!(0), json!(0)]),
        ("$(\"Split\").last().json.n", [json!(2), json!(2)]),
        ("$('Split').first().json.none", [json!(null), json!(null)]),
        ("$input.first().json.r", [json!(2), json!(2)]),
    ];
    for (path, expected) in cases {
        let values = |expression: String| {
            fixture.evaluate(&expression).into_iter().map(Result::unwrap).collect::<Vec<_>>()
        };
        assert_eq!(values(format!("={{{{ {path} }}}}")), expected, "{path}");
        assert_eq!(values(format!("={{{{ (0, {path}) }}}}")), expected, "{path} in JavaScript");
    }
}

#[test]
fn javascript_sees_everything_that_ran_before() {
    let fixture = fixture();
    let cases = [
        ("$('Split').all().map(item => item.json.n)", json!([0, 1, 2])),
        ("$('Split').itemMatching(1).json.n", json!(0)),
        ("$('Split').pairedItem().json.n", json!(2)),
        ("$('Split').isExecuted", json!(true)),
        ("$('Later').isExecuted", json!(false)),
        ("$('Split').all(1).length + $('Split').all(0, 5).length", json!(0)),
        ("$node['Split'].json.n", json!(0)),
        ("$node.Split.runIndex", json!(0)),
        ("$items().length", json!(2)),
        ("$items('Split')[1].json.n", json!(1)),
        ("$prevNode.name + $prevNode.outputIndex + $prevNode.runIndex", json!("Reverse00")),
        ("$execution.resumeUrl", json!("https://example.com/resume")),
        ("$input.all().length + $runIndex", json!(2)),
        ("$input.item.pairedItem.item", json!(0)),
        ("JSON.stringify($input.params)", json!("{}")),
    ];
    for (expression, expected) in cases {
        let value = fixture.evaluate(&format!("={{{{ {expression} }}}}")).remove(0).unwrap();
        assert_eq!(value, expected, "{expression}");
    }
}

#[test]
fn a_node_without_data_is_named_in_the_error() {
    let fixture = fixture();
    for form in [
        "$('Later').item.json.x",
        "(0, $('Later').item.json.x)",
        "$('Later').first().json.x",
        "(0, $('Later').first())",
    ] {
        let error = fixture.evaluate(&format!("={{{{ {form} }}}}")).remove(0).unwrap_err();
        assert_eq!(
            error.message, "f: the node \"Later\" has not run, so it has no data to refer to",
            "{form}"
        );
        assert_eq!(error.code, "expression_failed");
    }
    let error = fixture.evaluate("={{ $node['Nobody'].json }}").remove(0).unwrap_err();
    assert_eq!(error.message, "f: there is no node named \"Nobody\"");
}

#[test]
fn code_over_all_items_gives_what_it_returns() {
    let fixture = fixture();
    let output = fixture
        .code(
            CodeMode::AllItems,
            "const extra = await Promise.resolve(10);\n\
             console.log('items:', items.length, { a: 1 });\n\
             console.error(new TypeError('oops'));\n\
             return $input.all().map(item => ({ json: { r: item.json.r + extra, order: $('Start').first().json.order } }));",
        )
        .unwrap();
    assert_eq!(output.value, json!([{"json": {"r": 12, "order": 7}}, {"json": {"r": 10, "order": 7}}]));
    let logs =
        [(LogLevel::Info, "items: 2 {\"a\":1}".to_owned()), (LogLevel::Error, "TypeError: oops".to_owned())];
    assert_eq!(output.logs, logs);
}

#[test]
fn items_that_code_passes_on_know_where_they_come_from() {
    let output = fixture().code(CodeMode::AllItems, "return items.reverse()").unwrap();
    assert_eq!(
        output.value,
        json!([{"json": {"r": 0}, "pairedItem": {"item": 1}}, {"json": {"r": 2}, "pairedItem": {"item": 0}}])
    );
}

#[test]
fn code_for_each_item_gives_a_value_for_each() {
    let output = fixture()
        .code(CodeMode::EachItem, "if ($itemIndex) return; $json.x = item.json.r; return item")
        .unwrap();
    assert_eq!(output.value, json!([{"json": {"r": 2, "x": 2}, "pairedItem": {"item": 0}}, null]));
}

#[test]
fn code_that_fails_says_where_and_keeps_its_logs() {
    let fixture = fixture();
    let error = fixture
        .code(CodeMode::EachItem, "console.log('at', $itemIndex);\nif ($itemIndex === 1) {\n  missing();\n}")
        .unwrap_err();
    assert_eq!(
        (error.code.as_str(), error.message.as_str()),
        ("code_failed", "ReferenceError: missing is not defined")
    );
    assert_eq!(error.item, Some(1));
    let details = error.details.unwrap();
    assert!(details["stack"].as_str().unwrap().contains("line 3:"), "{details}");
    assert_eq!(details["logs"], json!([["info", "at 0"], ["info", "at 1"]]));

    let cases = [
        ("return a b", "SyntaxError: "),
        ("throw new Error('no stock')", "no stock"),
        ("throw 'text'", "text"),
        ("await new Promise(() => {})", "the code waits for a promise that nothing can settle"),
        ("return 10n", "TypeError: "),
        ("const a = {}; a.a = a; return a", "TypeError: circular reference"),
        ("return await import('fs')", "ReferenceError: could not load module"),
        ("setTimeout(() => {}, 1)", "ReferenceError: setTimeout is not defined"),
        ("return $('Later').all()", "the node \"Later\" has not run"),
    ];
    for (source, expected) in cases {
        let error = fixture.code(CodeMode::AllItems, source).unwrap_err();
        assert_eq!(error.code, "code_failed", "{source}");
        assert!(error.message.starts_with(expected), "{source}: {}", error.message);
    }
}

#[test]
fn code_that_logs_without_end_is_cut_off() {
    let output = fixture()
        .code(CodeMode::AllItems, "for (let i = 0; i < 5000; i++) console.log(i); return 1")
        .unwrap();
    assert_eq!(output.logs.len(), 1001);
    let output = fixture()
        .code(CodeMode::AllItems, "for (let i = 0; i < 99; i++) console.log('x'.repeat(99999))")
        .unwrap();
    assert!(output.logs.iter().map(|(_, line)| line.len()).sum::<usize>() < 300_000);
}

#[test]
fn polite_limits_end_what_looks_at_them() {
    let fixture = fixture();
    let cases: [(&str, &[&str]); 11] = [
        ("for (;;) {}", &["code_timeout"]),
        ("try { for (;;) {} } catch { return 1 }", &["code_timeout"]),
        (
            "const again = () => Promise.resolve().then(again); await again()",
            &["code_memory", "code_timeout"],
        ),
        (
            "const again = () => { Promise.resolve().then(again) }; again(); await new Promise(() => {})",
            &["code_timeout"],
        ),
        ("while (true) await 1", &["code_timeout"]),
        ("return /(a+)+$/.test('a'.repeat(40) + 'b')", &["code_timeout"]),
        ("const all = []; for (;;) all.push(new Array(1000).fill(0))", &["code_memory"]),
        ("let s = 'x'; for (;;) s += s + [s]", &["code_failed", "code_memory"]),
        ("return 'x'.repeat(20 * 1024 * 1024)", &["code_output"]),
        ("const deep = () => deep() + 1; return deep()", &["code_failed"]),
        ("let a = []; for (let i = 0; i < 500; i++) a = [a]; return a", &["code_output"]),
    ];
    for (source, codes) in cases {
        let error = fixture.code(CodeMode::AllItems, source).unwrap_err();
        assert!(codes.contains(&error.code.as_str()), "{source}: {error:?}");
    }
}
