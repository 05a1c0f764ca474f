use serde_json::{Value, json};

use crate::node::Typed;
use crate::nodes::Merge;
use crate::nodes::testing::Trial;

fn merged(fields: Value, inputs: Vec<Value>) -> Value {
    Trial::of("merge", fields).inputs(inputs).outputs().unwrap()[0].clone()
}

fn people() -> Value {
    json!([{ "id": 1, "name": "Ada" }, { "id": 2, "name": "Bob" }, { "name": "Nobody" }])
}

fn towns() -> Value {
    json!([{ "id": 1, "town": "Lyon" }, { "id": 1, "town": "Nice" }, { "id": 3, "town": "Bern" }])
}

#[test]
fn appended_items_follow_each_other() {
    let trial = Trial::of("merge", json!({ "numberInputs": 3 })).inputs(vec![
        json!([{ "a": 1 }]),
        Value::Null,
        json!([{ "a": 2 }, { "a": 3 }]),
    ]);
    assert_eq!(trial.outputs(), Ok(json!([[{ "a": 1 }, { "a": 2 }, { "a": 3 }]])));
    assert_eq!(trial.origins(), [vec![(0, 0)], vec![(2, 0)], vec![(2, 1)]]);
}

#[test]
fn every_join_gives_the_items_that_its_name_says() {
    let ada = || {
        [json!({ "id": 1, "name": "Ada", "town": "Lyon" }), json!({ "id": 1, "name": "Ada", "town": "Nice" })]
    };
    let bob = json!({ "id": 2, "name": "Bob" });
    let nobody = json!({ "name": "Nobody" });
    let bern = json!({ "id": 3, "town": "Bern" });
    let source = |item: &Value, name: &str| {
        let mut item = item.clone();
        item["_source"] = json!(name);
        item
    };
    let [lyon, nice] = ada();
    for (join, from, expected) in [
        ("keepMatches", "both", json!(ada())),
        ("keepMatches", "input1", json!([{ "id": 1, "name": "Ada" }])),
        ("keepMatches", "input2", json!([{ "id": 1, "town": "Lyon" }, { "id": 1, "town": "Nice" }])),
        ("keepNonMatches", "input1", json!([bob, nobody])),
        ("keepNonMatches", "input2", json!([bern])),
        (
            "keepNonMatches",
            "both",
            json!([source(&bob, "input1"), source(&nobody, "input1"), source(&bern, "input2")]),
        ),
        ("keepEverything", "both", json!([lyon, nice, bob, nobody, bern])),
        ("enrichInput1", "both", json!([lyon, nice, bob, nobody])),
        ("enrichInput2", "both", json!([lyon, nice, bern])),
    ] {
        let fields = json!({
            "mode": "combine", "combineBy": "matchingFields", "fieldsToMatch": "id", "joinMode": join, "outputDataFrom": from,
        });
        assert_eq!(merged(fields, vec![people(), towns()]), expected, "{join} {from}");
    }
}

#[test]
fn joined_items_come_from_both() {
    let fields = json!({ "mode": "combine", "fieldsToMatch": "id" });
    let trial = Trial::of("merge", fields).inputs(vec![people(), towns()]);
    assert_eq!(trial.origins(), [vec![(0, 0), (1, 0)], vec![(0, 0), (1, 1)]]);
}

#[test]
fn a_join_with_an_empty_side_gives_what_is_left() {
    let only = json!([{ "id": 1 }]);
    for (join, one, two) in [
        ("keepMatches", json!([]), json!([])),
        ("keepNonMatches", only.clone(), only.clone()),
        ("keepEverything", only.clone(), only.clone()),
        ("enrichInput1", only.clone(), json!([])),
        ("enrichInput2", json!([]), only.clone()),
    ] {
        let fields = json!({ "mode": "combine", "fieldsToMatch": "id", "joinMode": join });
        assert_eq!(merged(fields.clone(), vec![only.clone(), Value::Null]), one, "{join}");
        assert_eq!(merged(fields, vec![Value::Null, only.clone()]), two, "{join}");
    }
}

#[test]
fn fields_of_other_names_paths_and_loose_equality_match() {
    for (options, one, two, matches) in [
        (
            json!({ "fieldsToMatch": [{ "field1": "a", "field2": "b.c" }] }),
            json!({ "a": 1 }),
            json!({ "b": { "c": 1 } }),
            true,
        ),
        (
            json!({ "fieldsToMatch": [{ "field1": "a", "field2": "b.c" }], "dotNotation": false }),
            json!({ "a": 1 }),
            json!({ "b": { "c": 1 } }),
            false,
        ),
        (json!({ "fieldsToMatch": ["a", "b"] }), json!({ "a": 1, "b": 2 }), json!({ "a": 1, "b": 3 }), false),
        (json!({ "fieldsToMatch": "a" }), json!({ "a": 1 }), json!({ "a": 1.0 }), true),
        (json!({ "fieldsToMatch": "a" }), json!({ "a": 1 }), json!({ "a": "1" }), false),
        (json!({ "fieldsToMatch": "a", "fuzzyCompare": true }), json!({ "a": 1 }), json!({ "a": "1" }), true),
        (
            json!({ "fieldsToMatch": "a", "fuzzyCompare": true }),
            json!({ "a": null }),
            json!({ "a": "" }),
            true,
        ),
        (
            json!({ "fieldsToMatch": "a", "fuzzyCompare": true }),
            json!({ "a": true }),
            json!({ "a": "true" }),
            true,
        ),
        (
            json!({ "fieldsToMatch": "a" }),
            json!({ "a": { "x": 1, "y": [2] } }),
            json!({ "a": { "y": [2], "x": 1 } }),
            true,
        ),
        (json!({ "fieldsToMatch": "a" }), json!({}), json!({}), false),
    ] {
        let mut fields = options.clone();
        fields["mode"] = json!("combine");
        let found = merged(fields, vec![json!([one]), json!([two])]);
        assert_eq!(found != json!([]), matches, "{options} {one} {two}");
    }
}

#[test]
fn an_item_can_go_on_with_its_first_match_only() {
    let fields = json!({ "mode": "combine", "fieldsToMatch": "id", "multipleMatches": "first", "joinMode": "keepEverything" });
    let towns_left = json!([
        { "id": 1, "name": "Ada", "town": "Lyon" },
        { "id": 2, "name": "Bob" },
        { "name": "Nobody" },
        { "id": 1, "town": "Nice" },
        { "id": 3, "town": "Bern" },
    ]);
    assert_eq!(merged(fields, vec![people(), towns()]), towns_left);
}

#[test]
fn a_clash_is_settled_as_wanted() {
    let one = json!([{ "id": 1, "v": "one", "o": { "a": 1, "x": 1 } }]);
    let two = json!([{ "id": 1, "v": "", "o": { "a": 2, "y": 2 } }]);
    for (clash, expected) in [
        (json!({}), json!({ "id": 1, "v": "", "o": { "a": 2, "x": 1, "y": 2 } })),
        (json!({ "resolve": "preferLast" }), json!({ "id": 1, "v": "", "o": { "a": 2, "x": 1, "y": 2 } })),
        (
            json!({ "resolve": "preferInput1" }),
            json!({ "id": 1, "v": "one", "o": { "a": 1, "x": 1, "y": 2 } }),
        ),
        (json!({ "mergeMode": "shallow" }), json!({ "id": 1, "v": "", "o": { "a": 2, "y": 2 } })),
        (json!({ "overrideEmpty": true }), json!({ "id": 1, "v": "one", "o": { "a": 2, "x": 1, "y": 2 } })),
        (
            json!({ "resolve": "addSuffix" }),
            json!({
                "id_1": 1, "v_1": "one", "o_1": { "a": 1, "x": 1 },
                "id_2": 1, "v_2": "", "o_2": { "a": 2, "y": 2 },
            }),
        ),
    ] {
        for combine in [
            json!({ "combineBy": "matchingFields", "fieldsToMatch": "id" }),
            json!({ "combineBy": "position" }),
            json!({ "combineBy": "all" }),
        ] {
            let mut fields = combine;
            fields["mode"] = json!("combine");
            fields["clashHandling"] = clash.clone();
            assert_eq!(merged(fields.clone(), vec![one.clone(), two.clone()]), json!([expected]), "{fields}");
        }
    }
}

#[test]
fn items_at_the_same_place_are_combined() {
    let inputs =
        || vec![json!([{ "a": 1 }, { "a": 2 }]), json!([{ "b": 3 }]), json!([{ "c": 4 }, { "c": 5 }])];
    let mut fields = json!({ "mode": "combine", "combineBy": "position", "numberInputs": 3 });
    assert_eq!(merged(fields.clone(), inputs()), json!([{ "a": 1, "b": 3, "c": 4 }]));
    fields["includeUnpaired"] = json!(true);
    assert_eq!(merged(fields.clone(), inputs()), json!([{ "a": 1, "b": 3, "c": 4 }, { "a": 2, "c": 5 }]));
    let trial = Trial::of("merge", fields).inputs(inputs());
    assert_eq!(trial.origins(), [vec![(0, 0), (1, 0), (2, 0)], vec![(0, 1), (2, 1)]]);
}

#[test]
fn all_combinations_are_made() {
    let inputs = vec![json!([{ "a": 1 }, { "a": 2 }]), json!([{ "b": 3 }, { "b": 4 }])];
    let fields = json!({ "mode": "combine", "combineBy": "all" });
    let all = json!([{ "a": 1, "b": 3 }, { "a": 1, "b": 4 }, { "a": 2, "b": 3 }, { "a": 2, "b": 4 }]);
    assert_eq!(merged(fields.clone(), inputs), all);
    let long = Value::Array(vec![json!({}); 1_001]);
    let error = Trial::of("merge", fields).inputs(vec![long.clone(), long]).run().unwrap_err();
    assert_eq!(error.code, "too_many_items");
}

#[test]
fn one_branch_is_chosen() {
    let inputs = || vec![json!([{ "a": 1 }]), json!([{ "b": 2 }])];
    assert_eq!(merged(json!({ "mode": "chooseBranch", "useDataOfInput": 2 }), inputs()), json!([{ "b": 2 }]));
    let empty = Trial::of("merge", json!({ "mode": "chooseBranch", "output": "empty" })).inputs(inputs());
    assert_eq!(empty.outputs(), Ok(json!([[{}]])));
    assert_eq!(empty.origins(), [vec![(0, 0), (1, 0)]]);
}

#[test]
fn inputs_are_as_many_as_the_mode_takes() {
    for (fields, count) in [
        (json!({}), 2),
        (json!({ "numberInputs": 5 }), 5),
        (json!({ "numberInputs": 99 }), 10),
        (json!({ "mode": "combine", "numberInputs": 5 }), 2),
        (json!({ "mode": "combine", "combineBy": "position", "numberInputs": 5 }), 5),
    ] {
        assert_eq!(Merge.inputs(&fields).unwrap().len(), count, "{fields}");
    }
}

#[test]
fn parameters_that_do_not_fit_are_named() {
    for (fields, field) in [
        (json!({ "numberInputs": 11 }), "numberInputs"),
        (json!({ "mode": "combine" }), "fieldsToMatch"),
        (json!({ "mode": "combine", "fieldsToMatch": [{ "field1": "a", "field2": "" }] }), "fieldsToMatch"),
        (
            json!({ "mode": "combine", "fieldsToMatch": "a", "clashHandling": { "resolve": "best" } }),
            "clashHandling.resolve",
        ),
        (
            json!({ "mode": "combine", "fieldsToMatch": "a", "clashHandling": { "resolve": "preferInput3" } }),
            "clashHandling.resolve",
        ),
        (json!({ "mode": "chooseBranch", "useDataOfInput": 3 }), "useDataOfInput"),
    ] {
        let problems = Merge.check(&serde_json::from_value(fields).unwrap());
        assert_eq!(problems[0].0, field);
    }
}
