//! What holds for every node.

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
