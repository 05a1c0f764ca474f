//! What holds for every node.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::testing::{Trial, catalogue};
use crate::expression::contains_expression;

#[test]
fn the_example_of_every_node_gives_its_output() {
    for descriptor in catalogue().descriptors() {
        let example = &descriptor.example;
        assert!(!example.title.is_empty(), "{} has no example", descriptor.node_type);
        if example.output == json!([]) {
            continue;
        }
        let trial = Trial::of(descriptor.node_type, example.fields.clone()).input(example.input.clone());
        assert_eq!(trial.outputs().as_ref(), Ok(&example.output), "{}", descriptor.node_type);
    }
}

#[test]
fn the_example_fields_of_every_node_are_valid() {
    for descriptor in catalogue().descriptors() {
        let node = catalogue().get(descriptor.node_type).unwrap().clone();
        assert_eq!(node.check(&descriptor.example.fields), [], "{}", descriptor.node_type);
    }
}

#[test]
fn every_parameter_of_every_node_is_documented() {
    fn undocumented(schema: &Value, path: &str, found: &mut Vec<String>) {
        for (name, property) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
            if property.get("description").is_none() {
                found.push(format!("{path}.{name}"));
            }
        }
        for (name, definition) in schema.get("$defs").and_then(Value::as_object).into_iter().flatten() {
            undocumented(definition, &format!("{path}/{name}"), found);
        }
    }
    let mut found = Vec::new();
    for descriptor in catalogue().descriptors() {
        undocumented(&descriptor.schema, descriptor.node_type, &mut found);
        assert_eq!(descriptor.schema["additionalProperties"], false, "{}", descriptor.node_type);
        assert!(descriptor.description.ends_with('.'), "{}", descriptor.node_type);
    }
    assert_eq!(found, Vec::<String>::new());
}

#[test]
fn an_unknown_field_is_refused_with_its_name() {
    for descriptor in catalogue().descriptors() {
        let mut fields = descriptor.example.fields.clone();
        fields["noSuchField"] = json!(1);
        let problems = catalogue().get(descriptor.node_type).unwrap().check(&fields);
        let is_named = problems
            .iter()
            .any(|(path, message)| path.contains("noSuchField") || message.contains("noSuchField"));
        assert!(is_named, "{}: {problems:?}", descriptor.node_type);
    }
}

#[test]
fn every_item_that_a_node_gives_out_says_where_it_comes_from() {
    for descriptor in catalogue().descriptors().filter(|descriptor| !descriptor.inputs.is_empty()) {
        let example = &descriptor.example;
        // A code node's result is told by the counts, when the step is settled.
        if example.output == json!([]) || descriptor.node_type == "code" {
            continue;
        }
        let trial = Trial::of(descriptor.node_type, example.fields.clone()).input(example.input.clone());
        for origins in trial.origins() {
            assert!(!origins.is_empty(), "{}", descriptor.node_type);
        }
    }
}

#[test]
fn some_examples_show_an_expression() {
    let shown = catalogue()
        .descriptors()
        .filter(|descriptor| contains_expression(&descriptor.example.fields))
        .count();
    assert!(shown >= 5, "{shown}");
}

/// Values of every kind, some of them expressions and some of them words that parameters know.
fn any_value() -> impl Strategy<Value = Value> {
    let words = vec![
        "a",
        "a.b",
        "a[1]",
        "=x",
        "={{ $json.a }}",
        "={{ $json.a.b }}",
        "={{ $input.all().length }}",
        "all",
        "none",
        "both",
        "combine",
        "matchingFields",
        "position",
        "string",
        "number",
        "equals",
        "regex",
        "/(a+)+$/i",
        "2030-01-01",
        "preferInput2",
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-3..12i64).prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        prop::sample::select(words).prop_map(Value::from),
        ".{0,6}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((prop::sample::select(vec!["a", "b", "c", "a.b"]), inner), 0..4)
                .prop_map(|entries| entries.into_iter().map(|(k, v)| (k.to_owned(), v)).collect()),
        ]
    })
}

/// Any node, with some of its example's fields replaced by other values.
fn any_node() -> impl Strategy<Value = (&'static str, Value)> {
    let examples: Vec<_> = catalogue()
        .descriptors()
        // Its own tests run code; here it would only cost time.
        .filter(|descriptor| descriptor.node_type != "code")
        .map(|descriptor| {
            let names = descriptor.schema["properties"]
                .as_object()
                .into_iter()
                .flatten()
                .map(|(name, _)| name.clone());
            (descriptor.node_type, descriptor.example.fields.clone(), names.collect::<Vec<_>>())
        })
        .collect();
    let changes = prop::collection::vec((any::<prop::sample::Index>(), any_value()), 0..3);
    (prop::sample::select(examples), changes).prop_map(|((node_type, mut fields, names), changes)| {
        for (index, value) in changes.into_iter().filter(|_| !names.is_empty()) {
            fields[index.get(&names)] = value;
        }
        (node_type, fields)
    })
}

proptest! {
    #[test]
    fn any_node_with_any_fields_and_items_gives_an_outcome_or_an_error(
        (node_type, fields) in any_node(),
        items in prop::collection::vec(any_value().prop_map(|value| json!({ "a": value, "n": 1 })), 0..4),
        on_error in prop::sample::select(vec!["stop", "continue", "continueErrorOutput"]),
    ) {
        let trial = Trial::of(node_type, fields).option("onError", json!(on_error)).input(Value::Array(items));
        if let Some(Err(error)) = trial.run_if_valid() {
            prop_assert!(!error.message.is_empty());
            prop_assert!(!error.code.is_empty());
        }
    }
}
