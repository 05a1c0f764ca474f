use super::*;
use crate::item::Binary;
use crate::nodes::testing::Trial;

fn edited(fields: Value, item: Value) -> Result<Value, String> {
    let trial = Trial::of("edit_fields", fields).input(json!([item]));
    trial.outputs().map(|outputs| outputs[0][0].clone()).map_err(|error| error.message)
}

#[test]
fn values_are_converted_to_their_type() {
    for (kind, value, expected) in [
        ("any", json!({ "a": 1 }), json!({ "a": 1 })),
        ("string", json!("x"), json!("x")),
        ("string", json!(1.5), json!("1.5")),
        ("string", json!(true), json!("true")),
        ("string", json!({ "a": [1] }), json!(r#"{"a":[1]}"#)),
        ("string", json!(null), json!(null)),
        ("number", json!("12"), json!(12)),
        ("number", json!("1.50"), json!(1.5)),
        ("number", json!(""), json!(0)),
        ("number", json!(true), json!(1)),
        ("number", json!(null), json!(null)),
        ("boolean", json!("TRUE"), json!(true)),
        ("boolean", json!(0), json!(false)),
        ("array", json!("[1, 'a']"), json!([1, "a"])),
        ("array", json!([1]), json!([1])),
        ("object", json!(r#"{"a": 1}"#), json!({ "a": 1 })),
    ] {
        let fields = json!({ "assignments": [{ "name": "v", "type": kind, "value": value }] });
        assert_eq!(edited(fields, json!({})), Ok(json!({ "v": expected })), "{kind} {value}");
    }
}

#[test]
fn a_value_that_cannot_be_converted_is_named_or_kept() {
    for (kind, value, message) in [
        ("number", json!("twelve"), "assignments[0].value: 'v' expects a number but we got 'twelve'"),
        ("boolean", json!("maybe"), "assignments[0].value: 'v' expects a boolean but we got 'maybe'"),
        ("array", json!({}), "assignments[0].value: 'v' expects a array but we got object"),
        ("object", json!("[1]"), "assignments[0].value: 'v' expects a object but we got '[1]'"),
    ] {
        let fields = json!({ "assignments": [{ "name": "v", "type": kind, "value": value }] });
        assert_eq!(edited(fields.clone(), json!({})), Err(message.to_owned()));
        let mut lenient = fields;
        lenient["ignoreConversionErrors"] = json!(true);
        assert_eq!(edited(lenient, json!({})), Ok(json!({ "v": value })));
    }
}

#[test]
fn other_fields_are_kept_as_wanted() {
    let item = json!({ "a": 1, "b": { "c": 2, "d": 3 }, "e": 4 });
    for (include, names, expected) in [
        ("all", json!([]), json!({ "a": 1, "b": { "c": 2, "d": 3 }, "e": 4, "new": 0 })),
        ("none", json!([]), json!({ "new": 0 })),
        ("selected", json!("a, b.c, missing"), json!({ "a": 1, "c": 2, "new": 0 })),
        ("except", json!(["e", "b.d"]), json!({ "a": 1, "b": { "c": 2 }, "new": 0 })),
    ] {
        let fields = json!({
            "includeOtherFields": include, "fields": names, "assignments": [{ "name": "new", "value": 0 }],
        });
        assert_eq!(edited(fields, item.clone()), Ok(expected), "{include}");
    }
}

#[test]
fn names_are_paths_unless_dots_are_switched_off() {
    let fields = |dots: bool| json!({ "includeOtherFields": "all", "dotNotation": dots, "assignments": [{ "name": "a.b[1]", "value": 9 }] });
    assert_eq!(edited(fields(true), json!({ "a": { "b": [1, 2] } })), Ok(json!({ "a": { "b": [1, 9] } })));
    assert_eq!(edited(fields(false), json!({ "a": 1 })), Ok(json!({ "a": 1, "a.b[1]": 9 })));
}

#[test]
fn fields_can_be_given_as_json() {
    for (given, expected) in [
        (json!({ "a": "={{ $json.n + 1 }}" }), Ok(json!({ "a": 2 }))),
        (json!(r#"{"a": 5}"#), Ok(json!({ "a": 5 }))),
        (json!("={\"a\": {{ $json.n }}}"), Ok(json!({ "a": 1 }))),
        (json!("={{ ({ a: { b: $json.n } }) }}"), Ok(json!({ "a": { "b": 1 } }))),
        (json!("={{ [1] }}"), Err("json: expected a JSON object, found array")),
        (json!("={{ '[1]' }}"), Err("json: expected a JSON object, but the text holds array")),
    ] {
        let fields = json!({ "mode": "json", "json": given });
        assert_eq!(edited(fields, json!({ "n": 1 })), expected.map_err(str::to_owned), "{given}");
    }
}

#[test]
fn later_assignments_see_the_input_and_not_each_other() {
    let fields = json!({ "assignments": [
        { "name": "n", "value": "={{ $json.n + 1 }}" },
        { "name": "m", "value": "={{ $json.n + 1 }}" },
    ] });
    assert_eq!(edited(fields, json!({ "n": 1 })), Ok(json!({ "n": 2, "m": 2 })));
}

#[test]
fn files_are_kept_unless_they_are_not_wanted() {
    let file = Binary { data: "x".into(), ..Binary::default() };
    let item = Item { binary: Some(Arc::new([("file".to_owned(), file)].into())), ..Item::default() };
    for (include, expected) in [(true, true), (false, false)] {
        let trial = Trial::of("edit_fields", json!({ "includeBinary": include })).items(vec![item.clone()]);
        assert_eq!(trial.first_output()[0].binary.is_some(), expected);
    }
}

#[test]
fn one_item_in_is_one_item_out() {
    let fields = json!({ "assignments": [{ "name": "i", "value": "={{ $itemIndex }}" }] });
    let trial = Trial::of("edit_fields", fields).input(json!([{}, {}, {}]));
    assert_eq!(trial.outputs(), Ok(json!([[{ "i": 0 }, { "i": 1 }, { "i": 2 }]])));
    assert_eq!(trial.origins(), [vec![(0, 0)], vec![(0, 1)], vec![(0, 2)]]);
}
