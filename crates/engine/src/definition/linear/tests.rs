use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::nodes::testing::catalogue;

fn types(definition: &Definition) -> Vec<&str> {
    definition.nodes.iter().map(|node| node.data.node_type.as_str()).collect()
}

#[test]
fn rows_of_workflow_steps_become_a_chain_in_their_order() {
    let definition = chain_from_steps(&json!([
        {
            "id": "0001", "step_order": 3, "step_type": "action", "service_name": "gmail", "action_name": "Send Email",
            "configuration": { "to": "a@example.com" }, "conditions": {},
            "error_handling": { "retry": true, "max_retries": 5 }, "is_enabled": false, "created_at": "2024-01-01",
        },
        { "step_order": 1, "step_type": "trigger", "service_name": "schedule", "action_name": "cron",
          "configuration": { "cron": "@daily" } },
        { "step_order": 2, "step_type": "delay", "service_name": "core", "action_name": "delay",
          "configuration": { "minutes": 5 } },
    ]))
    .unwrap();
    assert_eq!(types(&definition), ["schedule", "wait", "gmail"]);
    let [_, wait, gmail] = definition.nodes.as_slice() else { panic!() };
    assert_eq!(Value::Object(wait.data.fields.clone()), json!({ "amount": 5, "unit": "minutes" }));
    assert_eq!(gmail.id, "0001");
    assert_eq!(gmail.data.label.as_deref(), Some("gmail: Send Email"));
    assert_eq!(
        Value::Object(gmail.data.fields.clone()),
        json!({ "to": "a@example.com", "operation": "send_email" })
    );
    assert_eq!(gmail.data.retry.as_ref().unwrap().max_attempts, 6);
    assert!(gmail.data.disabled);
    assert_eq!(gmail.data.other.get("created_at"), Some(&json!("2024-01-01")));
    let xs: Vec<_> = definition.nodes.iter().map(|node| node.position.x).collect();
    assert_eq!(xs, [0.0, 240.0, 480.0]);
    let edges: Vec<_> =
        definition.edges.iter().map(|edge| (edge.source.as_str(), edge.target.as_str())).collect();
    assert_eq!(edges, [("step-2", "step-3"), ("step-3", "0001")]);
}

#[test]
fn steps_without_a_trigger_get_a_manual_one() {
    let definition = Definition::from_json(json!({
        "name": "Two steps",
        "settings": { "timezone": "UTC" },
        "steps": [
            { "type": "setFields", "name": "Same" , "config": {} },
            { "nodeType": "limit", "name": "Same", "fields": { "maxItems": 3 }, "onError": "continue" },
        ],
    }))
    .unwrap();
    assert_eq!(types(&definition), ["manual", "set_fields", "limit"]);
    let names: Vec<_> = definition.nodes.iter().filter_map(|node| node.data.label.as_deref()).collect();
    assert_eq!(names, ["Manual trigger", "Same", "Same 2"]);
    assert_eq!(definition.settings.timezone.as_deref(), Some("UTC"));
    assert_eq!(definition.other.get("name"), Some(&json!("Two steps")));
    assert_eq!(definition.nodes[2].data.on_error, crate::definition::OnError::Continue);
}

#[test]
fn a_chain_of_known_steps_can_run() {
    let definition = chain_from_steps(&json!([
        { "step_order": 1, "step_type": "trigger", "service_name": "webhook", "action_name": "receive",
          "configuration": { "path": "in" } },
        { "step_order": 2, "step_type": "condition", "service_name": "core", "action_name": "check", "configuration": {},
          "conditions": { "body.amount": 5 } },
        { "step_order": 3, "step_type": "action", "service_name": "tools", "action_name": "limit", "configuration": {},
          "conditions": [{ "field": "body.kind", "operator": "not_equals", "value": "spam" }] },
        { "type": "delay", "name": "Later", "config": { "duration": 2, "unit": "hours" } },
    ]))
    .unwrap();
    assert_eq!(types(&definition), ["webhook", "filter", "filter", "limit", "wait"]);
    let checked = definition.validate(&catalogue());
    assert!(checked.is_runnable(), "{:#?}", checked.problems);
    assert_eq!(
        definition.nodes[1].data.fields["conditions"]["conditions"][0]["leftValue"],
        json!(r#"={{ $json["body"]["amount"] }}"#)
    );
}

#[test]
fn every_shape_of_conditions_is_read() {
    for (conditions, combinator, count) in [
        (
            json!([{ "field": "a", "operator": ">", "value": 1 }, { "field": "b", "op": "contains", "value": "x" }]),
            "and",
            2,
        ),
        (json!({ "field": "a", "operator": "exists" }), "and", 1),
        (json!({ "any": [{ "field": "a", "value": 1 }] }), "or", 1),
        (json!({ "all": [{ "field": "a", "value": true }] }), "and", 1),
        (json!({ "logic": "or", "conditions": [{ "field": "a", "value": 1 }] }), "or", 1),
        (json!({ "status": "paid", "country": "FR" }), "and", 2),
    ] {
        let row = json!([{ "step_type": "condition", "service_name": "core", "action_name": "if", "conditions": conditions }]);
        let definition = chain_from_steps(&row).unwrap();
        let read = &definition.nodes[1].data.fields["conditions"];
        assert_eq!(read["combinator"], json!(combinator), "{conditions}");
        assert_eq!(read["conditions"].as_array().unwrap().len(), count, "{conditions}");
        let checked = definition.validate(&catalogue());
        assert!(checked.is_runnable(), "{:#?}", checked.problems);
    }
}

#[test]
fn what_cannot_be_read_is_named() {
    for (steps, field) in [
        (json!(["x"]), "steps[0]"),
        (json!([{}]), "steps[0].type"),
        (json!([{ "type": 5 }]), "steps[0].type"),
        (json!([{ "type": "wait", "fields": [] }]), "steps[0].fields"),
        (json!([{ "step_type": "dance", "service_name": "x", "action_name": "y" }]), "steps[0].step_type"),
        (json!([{ "step_type": "action", "service_name": "", "action_name": "" }]), "steps[0].service_name"),
        (json!([{ "type": "limit", "step_order": "first" }]), "steps[0].step_order"),
        (json!([{ "type": "limit" }, { "type": "webhook" }]), "steps[1]"),
        (json!([{ "type": "limit", "retry": { "maxAttempts": "x" } }]), "steps[0].retry"),
        (
            json!([{ "step_type": "action", "service_name": "x", "action_name": "y", "error_handling": { "max_retries": -1 } }]),
            "steps[0].error_handling.max_retries",
        ),
        (
            json!([{ "type": "filter", "conditions": [{ "field": "a", "operator": "sounds like" }] }]),
            "steps[0].conditions[0].operator",
        ),
    ] {
        let problem = chain_from_steps(&steps).unwrap_err();
        assert_eq!(problem.field.as_deref(), Some(field), "{steps}: {problem}");
    }
    assert!(chain_from_steps(&json!("steps")).is_err());
    assert_eq!(chain_from_steps(&json!({ "steps": 1 })).unwrap_err().field.as_deref(), Some("steps"));
}

proptest! {
    #[test]
    fn a_chain_has_an_edge_between_each_two_nodes(names in prop::collection::vec("[a-zA-Z ]{1,6}", 1..12)) {
        let steps: Vec<_> = names.iter().map(|name| json!({ "type": "no_op", "name": name })).collect();
        let definition = chain_from_steps(&Value::Array(steps)).unwrap();
        prop_assert_eq!(definition.edges.len(), names.len());
        prop_assert!(definition.validate(&catalogue()).is_runnable());
    }
}
