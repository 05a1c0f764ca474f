//! Expressions as their users see them, with the JavaScript engine in this process.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use proptest::prelude::*;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Template, contains_expression, evaluate_over_items};
use crate::item::{Items, items_from_json};
use crate::node::{ExecutionInfo, NodeError, WorkflowInfo};
use crate::sandbox::LocalEvaluator;

fn execution() -> ExecutionInfo {
    ExecutionInfo {
        id: Uuid::nil(),
        mode: "test".to_owned(),
        resume_url: None,
        workflow: WorkflowInfo { id: "w1".to_owned(), name: "Orders".to_owned(), active: true },
        timezone: "Europe/Berlin".to_owned(),
        vars: [("region".to_owned(), "eu".to_owned())].into(),
    }
}

fn now() -> DateTime<Utc> {
    "2026-03-29T00:30:15.250Z".parse().unwrap()
}

fn items(value: Value) -> Items {
    Arc::new(items_from_json(value).unwrap())
}

/// Drives a future that never really waits: [`LocalEvaluator`] blocks.
fn block_on<T>(future: impl Future<Output = T>) -> T {
    let mut future = std::pin::pin!(future);
    match future.as_mut().poll(&mut std::task::Context::from_waker(std::task::Waker::noop())) {
        std::task::Poll::Ready(value) => value,
        std::task::Poll::Pending => panic!("the future waits"),
    }
}

fn evaluate_all(expression: &str, input: Value) -> Vec<Result<Value, NodeError>> {
    block_on(evaluate_over_items(expression, items(input), &execution(), now(), &LocalEvaluator::default()))
        .unwrap()
        .unwrap()
}

fn evaluate(expression: &str, input: Value) -> Value {
    evaluate_all(expression, input).remove(0).unwrap()
}

fn error(expression: &str) -> NodeError {
    evaluate_all(expression, json!({})).remove(0).unwrap_err()
}

fn problem(expression: &str) -> String {
    Template::prepare(&json!({"a": [expression]}), &|_| false).unwrap_err().remove(0).to_string()
}

#[test]
fn a_template_gives_what_n8n_would_give() {
    let input = json!({"a": {"b": [10, "x"]}, "n": 1.5, "z": 0, "f": false, "s": "häuser", "e": "", "two words": 2, "nil": null});
    let cases = [
        // One part keeps its type.
        ("={{ $json.a.b[0] }}", json!(10)),
        ("={{ $json.a }}", json!({"b": [10, "x"]})),
        ("={{$json['two words']}}", json!(2)),
        ("={{ $json?.a?.b?.[1] }}", json!("x")),
        ("={{ $json.a.b.length }}", json!(2)),
        ("={{ $json.s.length }}", json!(6)),
        ("={{ $json.s[1] }}", json!("ä")),
        ("={{ $json.nil }}", json!(null)),
        ("={{ $json.a.b[0] + 1 }}", json!(11)),
        ("={{ {\"a\": $json.n} }}", json!({"a": 1.5})),
        ("={{ [1, undefined, () => 1] }}", json!([1, null, null])),
        ("={{ 0 / 0 }}", json!(null)),
        ("={{ undefined }}", json!(null)),
        ("={{ new Date(0) }}", json!("1970-01-01T00:00:00.000Z")),
        ("={{ $json.n; }}", json!(1.5)),
        ("={{ Math.min(1, 2); }}", json!(1)),
        ("={{ $json.a.b.map(x => `<${x}>`) }}", json!(["<10>", "<x>"])),
        ("={{ 'it\\'s' }}", json!("it's")),
        ("={{ 1 // one\n }}", json!(1)),
        // Text around a part, even a blank, makes text of it.
        ("= {{ $json.n }}", json!(" 1.5")),
        ("={{ $json.n }}{{ $json.z }}", json!("1.50")),
        ("=a {{ $json.nil }}{{ $json.missing }}{{ $json.e }}b", json!("a b")),
        ("=a {{ $json.f }} {{ $json.z }} {{ 0/0 }}", json!("a false 0 ")),
        ("=a {{ $json.a }} {{ $json.a.b }}", json!("a [object Object] 10,x")),
        ("=a {{ ({}) }} {{ [1,[2,null]] }} {{ 1 > 0 }}", json!("a [object Object] 1,2, true")),
        ("=", json!("")),
        ("=plain", json!("plain")),
        ("plain {{ $json.n }}", json!("plain {{ $json.n }}")),
        // Where a part begins and ends.
        ("={{ \"}}\" }}", json!("}}")),
        ("={{ \"\\}}\" }}", json!("}}")),
        ("={{ {a: {b: 1}}.a.b }}", json!(1)),
        ("={{ {a:{b:1}}}}", json!({"a": {"b": 1}})),
        ("={{ `}}${`{{`}` }}", json!("}}{{")),
        ("={{ /}}/.test('}}') }}", json!(true)),
        ("={{ 1 /* }} */ + 1 }}", json!(2)),
        ("=\\{{ $json.n }}", json!("\\{{ $json.n }}")),
        ("=C:\\\\dir\\\\{{ $json.n }}", json!("C:\\dir\\1.5")),
        ("={{ $json.n", json!(1.5)),
        ("={ \"a\": \"{{ $json.n }}\" }", json!("{ \"a\": \"1.5\" }")),
        // What is not there is undefined, at any depth.
        ("={{ $json.x.y.z }}", json!(null)),
        ("={{ $json.x.y.z.toUpperCase() }}", json!(null)),
        ("={{ $json.nil.x }}", json!(null)),
        ("={{ $json.x?.y ?? 'none' }}", json!("none")),
        // Names.
        ("={{ $itemIndex }} {{ $runIndex }}", json!("0 0")),
        ("={{ $input.item.json.n + $input.first().json.n + $input.all().length }}", json!(4)),
        ("={{ $input.last().json.n }}", json!(1.5)),
        (
            "={{ $workflow.name }}/{{ $workflow['id'] }}/{{ $execution.mode }}/{{ $execution.id.length }}",
            json!("Orders/w1/test/36"),
        ),
        ("={{ $vars.region }} {{ $vars['region'] }} {{ $vars.none }}", json!("eu eu ")),
        ("={{ $parameter }}", json!("={{ $parameter }}")),
        ("={{ $node[\"expression\"] ? 1 : 2 }}", json!(1)),
        ("={{ $json.constructor.name }}", json!("Object")),
        ("={{ $json.hasOwnProperty('n') }}", json!(true)),
    ];
    for (expression, expected) in cases {
        assert_eq!(evaluate(expression, input.clone()), expected, "{expression}");
    }
}

#[test]
fn native_paths_and_javascript_agree() {
    let input = json!({"a": {"b": [10, {"c": null}], "1": "one"}, "s": "a😀b", "length": 7, "deep": {"length": {"x": 1}}});
    let paths = [
        "$json",
        "$json.a",
        "$json.a.b",
        "$json.a.b[0]",
        "$json.a.b[1].c",
        "$json.a.b[1].c.d",
        "$json.a[1]",
        "$json.a['1']",
        "$json.a.b['1']",
        "$json.a.b['01']",
        "$json.s[0]",
        "$json.s[9]",
        "$json.s.length",
        "$json.length",
        "$json.a.length",
        "$json.deep.length.x",
        "$json.a.b.length.x",
        "$json.none",
        "$json.none.none[3].x",
        "$itemIndex",
        "$runIndex",
        "$input.item.json.a",
        "$input.first().json.s",
        "$input.last().json.s",
        "$execution.id",
        "$workflow.active",
        "$now",
        "$vars.region",
        "$vars.none",
        "12",
        "-3",
        "'x'",
        "\"y\"",
        "null",
        "undefined",
        "true",
        "$json.a?.b?.[0]",
        "$json?.['a'].b",
    ];
    for path in paths {
        let native = evaluate(&format!("={{{{ {path} }}}}"), input.clone());
        let script = evaluate(&format!("={{{{ (0, {path}) }}}}"), input.clone());
        assert_eq!(native, script, "{path}");
        let native = evaluate(&format!("=<{{{{ {path} }}}}>"), input.clone());
        let script = evaluate(&format!("=<{{{{ (0, {path}) }}}}>"), input.clone());
        assert_eq!(native, script, "{path} joined");
    }
}

#[test]
fn every_item_gets_its_own_values() {
    let input = json!([{"n": 1}, {"n": 2}, {"n": 3}]);
    let values: Vec<_> = evaluate_all("={{ $json.n * 10 + $itemIndex }}", input.clone())
        .into_iter()
        .map(Result::unwrap)
        .collect();
    assert_eq!(values, [json!(10), json!(21), json!(32)]);
    let values = evaluate_all("={{ $json.n === 2 ? boom() : $json.n }}", input);
    assert_eq!(values[0], Ok(json!(1)));
    let error = values[1].clone().unwrap_err();
    assert_eq!((error.code.as_str(), error.item), ("expression_failed", Some(1)));
    assert_eq!(values[2], Ok(json!(3)));
}

#[test]
fn without_an_item_an_expression_is_evaluated_once() {
    assert_eq!(evaluate_all("={{ $json }}", json!([])), [Ok(Value::Null)]);
    assert_eq!(evaluate_all("={{ 1 + 1 }}", json!([])), [Ok(json!(2))]);
    assert_eq!(evaluate_all("={{ typeof $json.a }}", json!([])), [Ok(Value::Null)]);
}

#[test]
fn an_expression_that_throws_fails_its_item_with_the_message() {
    let cases = [
        ("={{ nothing }}", "ReferenceError: nothing is not defined"),
        ("={{ $json.x() }}", "TypeError: not a function"),
        ("={{ (() => { throw new Error('no stock') })() }}", "no stock"),
        ("={{ (() => { throw 'text' })() }}", "text"),
        ("={{ (() => { throw {a: 1} })() }}", "threw {\"a\":1}"),
        ("={{ x => x }}", "it gives a function; call it with ()"),
        ("={{ 10n }}", "it gives a BigInt; convert it with Number() or String()"),
        ("={{ Promise.resolve(1) }}", "it gives a promise; expressions cannot wait, a code node can"),
        ("={{ (() => { const a = {}; a.a = a; return a })() }}", "TypeError: circular reference"),
        ("={{ $('Nowhere').first().json.a }}", "there is no node named \"Nowhere\""),
        ("={{ $('Nowhere').all().length }}", "there is no node named \"Nowhere\""),
        (
            "={{ $('expression').item.json.a }}",
            "the node \"expression\" has not run, so it has no data to refer to",
        ),
        (
            "={{ $('expression').item.json.a + 1 }}",
            "the node \"expression\" has not run, so it has no data to refer to",
        ),
        ("={{ (function f() { return f() + 1 })() }}", "RangeError: Maximum call stack size exceeded"),
    ];
    for (expression, message) in cases {
        let error = error(expression);
        assert_eq!(error.code, "expression_failed", "{expression}");
        assert_eq!(error.message, message, "{expression}");
    }
}

#[test]
fn what_is_no_javascript_is_a_problem_with_its_field() {
    let cases = [
        ("={{ $json. }}", "a[0]: `$json.` is not a JavaScript expression"),
        ("={{ }}", "there is nothing between the braces"),
        ("={{ if (a) {} }}", "a[0]: `if (a) {}` is not"),
        ("={{ a; b }}", "a[0]: `a; b` is not"),
        ("=x {{ 'open", "(`{{` without `}}`)"),
        ("={{ \"a\nb\" }}", "is not a JavaScript expression"),
    ];
    for (expression, expected) in cases {
        let problem = problem(expression);
        assert!(problem.contains(expected), "{expression}: {problem}");
    }
    let long = format!("={{{{ '{}' + 1 }}}}", "x".repeat(70_000));
    assert!(problem(&long).contains("longer than 32768 bytes"));
}

#[test]
fn code_that_costs_too_much_to_check_is_refused() {
    let deep = format!("={{{{ {}1{} }}}}", "(".repeat(100), ")".repeat(100));
    assert!(problem(&deep).contains("nested more than 64 deep"));
    let part =
        |n: usize| format!("={{{{ {}{}{n}{} }}}}", "[".repeat(50), "a,".repeat(10_000), "]".repeat(50));
    let fields = json!((0..20).map(part).collect::<Vec<_>>());
    let problems = Template::prepare(&fields, &|_| false).err().unwrap();
    assert!(problems[0].message.contains("too many and too deeply nested"), "{}", problems[0]);
}

#[test]
fn literal_fields_are_left_alone() {
    let fields = json!({"code": "={{ broken", "deep": {"code": "={{ ("}, "value": "={{ 1 }}"});
    assert!(Template::prepare(&fields, &|_| false).is_err());
    let template = Template::prepare(&fields, &|path| path == "code" || path == "deep").unwrap();
    assert!(!template.is_constant());
}

#[test]
fn constant_fields_are_known_as_such() {
    let fields = json!({"a": ["x", {"b": "y = {{ z }}"}], "c": 1});
    assert!(!contains_expression(&fields));
    assert!(Template::prepare(&fields, &|_| false).unwrap().is_constant());
}

#[test]
fn the_nodes_that_expressions_name_are_listed_with_their_field() {
    let fields = json!({"url": "={{ $('A').item.json.x }}-{{ $node[\"B\"].json.y + 1 }}", "list": ["={{ $items('C').length }}"]});
    let template = Template::prepare(&fields, &|_| false).unwrap();
    let named: Vec<_> =
        template.node_references().iter().map(|r| (r.path.as_str(), r.node.as_str())).collect();
    assert_eq!(named, [("url", "A"), ("url", "B"), ("list[0]", "C")]);
}

#[test]
fn now_is_one_moment_in_the_zone_of_the_workflow() {
    let cases = [
        ("={{ $now }}", json!("2026-03-29T01:30:15.250+01:00")),
        ("={{ $now.toISO() }}", json!("2026-03-29T01:30:15.250+01:00")),
        ("={{ $now.toUTC().toISO() }}", json!("2026-03-29T00:30:15.250Z")),
        ("={{ $now.toMillis() === Date.now() && new Date().getTime() === Date.now() }}", json!(true)),
        ("={{ typeof Date() }}", json!("string")),
        ("={{ new Date(2026, 0, 31).toISOString() }}", json!("2026-01-31T00:00:00.000Z")),
        ("={{ new Date() instanceof Date }}", json!(true)),
        // The clocks go forward at 02:00: an hour later it is 03:30, a day later 01:30 again.
        ("={{ $now.plus({hours: 1}).toISO() }}", json!("2026-03-29T03:30:15.250+02:00")),
        ("={{ $now.plus({days: 1}).toISO() }}", json!("2026-03-30T01:30:15.250+02:00")),
        ("={{ $now.minus({months: 1}).toISODate() }}", json!("2026-02-28")),
        ("={{ $now.plus({months: 11, days: 1}).toISODate() }}", json!("2027-03-01")),
        ("={{ $today.toISO() }}", json!("2026-03-29T00:00:00.000+01:00")),
        ("={{ $today.endOf('day').toISO() }}", json!("2026-03-29T23:59:59.999+02:00")),
        ("={{ $now.startOf('week').toISODate() }}", json!("2026-03-23")),
        ("={{ $now.startOf('month').toISODate() }}", json!("2026-03-01")),
        ("={{ $now.startOf('hour').toFormat('HH:mm:ss.SSS') }}", json!("01:00:00.000")),
        (
            "={{ $now.toFormat(\"cccc d MMMM yyyy 'at' h:mm a ZZ\") }}",
            json!("Sunday 29 March 2026 at 1:30 AM +01:00"),
        ),
        ("={{ $now.setZone('America/New_York').toISO() }}", json!("2026-03-28T20:30:15.250-04:00")),
        ("={{ $now.weekday }} {{ $now.ordinal }} {{ $now.zoneName }}", json!("7 88 Europe/Berlin")),
        ("={{ $now > $today }}", json!(true)),
        ("={{ JSON.stringify({at: $today}) }}", json!("{\"at\":\"2026-03-29T00:00:00.000+01:00\"}")),
    ];
    for (expression, expected) in cases {
        assert_eq!(evaluate(expression, json!({})), expected, "{expression}");
    }
    assert_eq!(error("={{ $now.setZone('Mars/Base') }}").message, "there is no time zone \"Mars/Base\"");
    assert_eq!(error("={{ $now.plus({moons: 1}) }}").message, "Invalid unit moons");
}

#[test]
fn half_characters_become_replacement_characters() {
    assert_eq!(evaluate("={{ '😀'.slice(0, 1) + 'x' }}", json!({})), json!("\u{fffd}x"));
    assert_eq!(evaluate("={{ '😀'.slice(1) + '\\\\ud800' }}", json!({})), json!("\u{fffd}\\ud800"));
    assert_eq!(evaluate("={{ '😀' + 'é' }}", json!({})), json!("😀é"));
}

#[test]
fn escapes_reach_nothing() {
    let cases = [
        (
            "={{ typeof process + typeof require + typeof fetch + typeof setTimeout + typeof std + typeof os }}",
            json!("undefined".repeat(6)),
        ),
        ("={{ Object.keys(Function('return this')()).join() }}", json!("")),
        ("={{ (async () => {}).constructor('return globalThis')() instanceof Promise }}", json!(true)),
        ("={{ typeof $json.constructor.constructor('return this.process')() }}", json!("undefined")),
        ("={{ typeof boot + typeof native + typeof request }}", json!("undefined".repeat(3))),
        ("={{ ({}).__proto__.polluted = 1, ({}).polluted }}", json!(1)),
    ];
    for (expression, expected) in cases {
        assert_eq!(evaluate(expression, json!({})), expected, "{expression}");
    }
    // Nothing of it survives into the next request.
    assert_eq!(evaluate("={{ typeof ({}).polluted }}", json!({})), json!("undefined"));
    evaluate(
        "={{ (JSON.stringify = () => '\"hacked\"', Array.prototype.push = null, globalThis.leak = 1) }}",
        json!({}),
    );
    assert_eq!(evaluate("={{ typeof leak + JSON.stringify([1]) }}", json!({})), json!("undefined[1]"));
    assert!(error("={{ import('fs') }}").message.contains("promise"));
}

proptest! {
    #[test]
    fn any_string_is_prepared_or_refused_without_a_panic(text in ".{0,200}") {
        let _ = Template::prepare(&json!([format!("={text}"), format!("={{{{{text}}}}}")]), &|_| false);
    }

    #[test]
    fn any_template_of_braces_and_quotes_is_prepared_or_refused(text in "[{}\\\\\"'`$ja.()/*\n ]{0,80}") {
        let _ = Template::prepare(&json!(format!("={text}")), &|_| false);
    }

    #[test]
    fn text_without_braces_is_itself(text in "[^{}\\\\]{0,60}") {
        prop_assert_eq!(evaluate(&format!("={text}"), json!({})), json!(text));
    }

    #[test]
    fn numbers_are_joined_as_javascript_writes_them(number in any::<f64>().prop_filter("finite", |n| n.is_finite())) {
        let native = evaluate("=<{{ $json.n }}>", json!({"n": number}));
        let script = evaluate("=<{{ (0, $json.n) }}>", json!({"n": number}));
        prop_assert_eq!(native, script);
    }

    #[test]
    fn json_passes_through_javascript_unchanged(text in "\\PC{0,40}", number in -1_000_000_000i64..1_000_000_000, flag: bool) {
        let value = json!({"t": text, "n": [number, null, flag], "o": {"": {}}});
        prop_assert_eq!(evaluate("={{ (0, $json) }}", value.clone()), value);
    }
}
