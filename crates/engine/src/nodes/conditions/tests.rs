use super::*;
use proptest::prelude::*;
use serde_json::json;

fn judge(condition: Value, options: Value) -> Result<bool, String> {
    let mut group = json!({ "conditions": [condition] });
    for (key, value) in options.as_object().unwrap() {
        group[key] = value.clone();
    }
    let conditions: Conditions = serde_json::from_value(group).unwrap();
    Judge::in_zone(chrono_tz::Europe::Berlin).holds(&conditions, 3).map_err(|error| error.message)
}

fn ask(value_type: &str, left: Value, operation: &str, right: Value, options: Value) -> Result<bool, String> {
    let operator = json!({ "type": value_type, "operation": operation });
    judge(json!({ "leftValue": left, "operator": operator, "rightValue": right }), options)
}

/// Rows of left value, operation, right value and answer, with strict types and case.
fn table(value_type: &str, rows: &[(Value, &str, Value, bool)]) {
    for (left, operation, right, expected) in rows {
        let answer = ask(value_type, left.clone(), operation, right.clone(), json!({}));
        assert_eq!(answer, Ok(*expected), "{value_type}: {left} {operation} {right}");
    }
}

#[test]
fn text_operations_ask_what_their_names_say() {
    let none = Value::Null;
    table(
        "string",
        &[
            (json!("a"), "exists", none.clone(), true),
            (json!(""), "exists", none.clone(), true),
            (none.clone(), "exists", none.clone(), false),
            (none.clone(), "notExists", none.clone(), true),
            (json!(""), "empty", none.clone(), true),
            (none.clone(), "empty", none.clone(), true),
            (json!(" "), "empty", none.clone(), false),
            (json!("a"), "notEmpty", none.clone(), true),
            (json!("a"), "equals", json!("a"), true),
            (json!("a"), "equals", json!("A"), false),
            (none.clone(), "equals", json!(""), true),
            (json!("a"), "notEquals", json!("b"), true),
            (json!("abc"), "contains", json!("b"), true),
            (json!("abc"), "contains", json!(""), true),
            (json!("abc"), "notContains", json!("d"), true),
            (json!("abc"), "startsWith", json!("ab"), true),
            (json!("abc"), "notStartsWith", json!("ab"), false),
            (json!("abc"), "endsWith", json!("bc"), true),
            (json!("abc"), "notEndsWith", json!("bc"), false),
            (json!("order-17"), "regex", json!(r"^order-\d+$"), true),
            (json!("ORDER-17"), "regex", json!(r"/^order-\d+$/i"), true),
            (json!("x"), "notRegex", json!("y"), true),
        ],
    );
}

#[test]
fn number_operations_ask_what_their_names_say() {
    let none = Value::Null;
    table(
        "number",
        &[
            (json!(0), "exists", none.clone(), true),
            (none.clone(), "exists", none.clone(), false),
            (json!(""), "exists", none.clone(), false),
            (none.clone(), "empty", none.clone(), true),
            (json!(0), "notEmpty", none.clone(), true),
            (json!(1), "equals", json!(1.0), true),
            (json!(1), "notEquals", json!(2), true),
            (json!(2), "gt", json!(1), true),
            (json!(1), "gt", json!(1), false),
            (json!(1), "gte", json!(1), true),
            (json!(0.1), "lt", json!(0.2), true),
            (json!(2), "lte", json!(1), false),
            (none.clone(), "lt", json!(1), false),
            (none.clone(), "gte", json!(0), false),
        ],
    );
}

#[test]
fn date_operations_compare_moments_and_not_texts() {
    let none = Value::Null;
    let noon = json!("2024-03-01T12:00:00Z");
    table(
        "dateTime",
        &[
            (noon.clone(), "equals", json!("2024-03-01T13:00:00+01:00"), true),
            (noon.clone(), "equals", json!("2024-03-01T13:00:00"), true),
            (noon.clone(), "notEquals", json!("2024-03-01"), true),
            (noon.clone(), "after", json!("2024-03-01"), true),
            (noon.clone(), "before", json!("2024-03-01"), false),
            (noon.clone(), "afterOrEquals", noon.clone(), true),
            (noon.clone(), "beforeOrEquals", noon.clone(), true),
            (none.clone(), "after", noon.clone(), false),
            (none.clone(), "before", noon.clone(), false),
            (none.clone(), "empty", none.clone(), true),
            (noon.clone(), "exists", none.clone(), true),
        ],
    );
}

#[test]
fn boolean_operations_ask_what_their_names_say() {
    let none = Value::Null;
    table(
        "boolean",
        &[
            (json!(true), "true", none.clone(), true),
            (json!(false), "true", none.clone(), false),
            (none.clone(), "true", none.clone(), false),
            (json!(false), "false", none.clone(), true),
            (none.clone(), "false", none.clone(), true),
            (json!(true), "equals", json!(true), true),
            (json!(true), "notEquals", json!(true), false),
            (none.clone(), "empty", none.clone(), true),
            (json!(false), "notEmpty", none.clone(), true),
        ],
    );
}

#[test]
fn list_and_object_operations_ask_what_their_names_say() {
    let none = Value::Null;
    table(
        "array",
        &[
            (json!([1, "a"]), "contains", json!("a"), true),
            (json!([1, "a"]), "contains", json!("A"), false),
            (json!([1.0]), "contains", json!(1), true),
            (json!(["1"]), "contains", json!(1), false),
            (json!([{ "a": 1 }]), "contains", json!({ "a": 1 }), false),
            (json!([1]), "notContains", json!(2), true),
            (json!([1, 2]), "lengthEquals", json!(2), true),
            (json!([1, 2]), "lengthNotEquals", json!(2), false),
            (json!([1, 2]), "lengthGt", json!(1), true),
            (json!([1, 2]), "lengthLt", json!(2), false),
            (json!([1, 2]), "lengthGte", json!(2), true),
            (json!([1, 2]), "lengthLte", json!(1), false),
            (json!([]), "empty", none.clone(), true),
            (none.clone(), "empty", none.clone(), true),
            (json!([0]), "notEmpty", none.clone(), true),
            (none.clone(), "notExists", none.clone(), true),
        ],
    );
    table(
        "object",
        &[
            (json!({}), "empty", none.clone(), true),
            (json!({ "a": 1 }), "empty", none.clone(), false),
            (json!({ "a": 1 }), "notEmpty", none.clone(), true),
            (none.clone(), "empty", none.clone(), true),
            (none.clone(), "notEmpty", none.clone(), false),
            (json!({}), "exists", none.clone(), true),
        ],
    );
}

#[test]
fn without_case_letters_are_the_same() {
    let options = json!({ "caseSensitive": false });
    for (value_type, left, operation, right) in [
        ("string", json!("ABC"), "equals", json!("abc")),
        ("string", json!("ABC"), "contains", json!("b")),
        ("string", json!("ABC"), "startsWith", json!("ab")),
        ("string", json!("ABC"), "notRegex", json!("^abc$")),
        ("string", json!("ABC"), "regex", json!("/^abc$/i")),
        ("array", json!(["A"]), "contains", json!("a")),
    ] {
        let answer = ask(value_type, left.clone(), operation, right.clone(), options.clone());
        assert_eq!(answer, Ok(true), "{left} {operation} {right}");
    }
}

#[test]
fn loose_validation_converts() {
    let options = json!({ "looseTypeValidation": true });
    for (value_type, left, operation, right, expected) in [
        ("string", json!(17), "equals", json!("17"), true),
        ("string", json!({ "a": 1 }), "contains", json!("\"a\""), true),
        ("number", json!("17"), "gt", json!("9"), true),
        ("number", json!(true), "equals", json!(1), true),
        ("boolean", json!("true"), "true", Value::Null, true),
        ("boolean", json!("0"), "true", Value::Null, false),
        ("boolean", json!("yes"), "true", Value::Null, true),
        ("boolean", json!(""), "true", Value::Null, false),
        ("array", json!("[1, 2]"), "lengthEquals", json!("2"), true),
        ("object", json!("{}"), "empty", Value::Null, true),
        ("object", json!("{a: 1}"), "notEmpty", Value::Null, true),
    ] {
        let answer = ask(value_type, left.clone(), operation, right.clone(), options.clone());
        assert_eq!(answer, Ok(expected), "{left} {operation} {right}");
    }
}

#[test]
fn a_wrong_type_is_an_error_that_names_condition_and_item() {
    for (value_type, left, operation, right, loose, expected) in [
        (
            "number",
            json!("a"),
            "gt",
            json!(1),
            false,
            "Wrong type: 'a' is a string but was expecting a number [condition 0, item 3]",
        ),
        (
            "number",
            json!(1),
            "gt",
            json!("a"),
            false,
            "Wrong type: 'a' is a string but was expecting a number [condition 0, item 3]",
        ),
        (
            "number",
            json!("a"),
            "gt",
            json!(1),
            true,
            "Conversion error: the string 'a' can't be converted to a number [condition 0, item 3]",
        ),
        (
            "string",
            json!([1, 2]),
            "equals",
            json!("a"),
            false,
            "Wrong type: '1,2' is an object but was expecting a string [condition 0, item 3]",
        ),
        (
            "array",
            json!("a"),
            "empty",
            Value::Null,
            false,
            "Wrong type: 'a' is a string but was expecting an array [condition 0, item 3]",
        ),
        (
            "boolean",
            json!(1),
            "true",
            Value::Null,
            false,
            "Wrong type: '1' is a number but was expecting a boolean [condition 0, item 3]",
        ),
        (
            "number",
            json!("a"),
            "gt",
            json!("b"),
            false,
            "Comparison type expects a number but both fields are a string [condition 0, item 3]",
        ),
        (
            "dateTime",
            json!("soon"),
            "after",
            json!("2024"),
            true,
            "Conversion error: the string 'soon' can't be converted to a dateTime [condition 0, item 3]",
        ),
    ] {
        let answer = ask(value_type, left, operation, right, json!({ "looseTypeValidation": loose }));
        assert_eq!(answer, Err(expected.to_owned()));
    }
}

#[test]
fn an_operation_of_another_type_is_refused() {
    let error = ask("object", json!({}), "gt", json!(1), json!({})).unwrap_err();
    assert!(error.contains("has no operation"), "{error}");
    let conditions: Conditions = serde_json::from_value(json!({ "conditions": [
        { "leftValue": 1, "operator": { "type": "number", "operation": "startsWith" }, "rightValue": 1 },
        { "leftValue": "a", "operator": { "type": "string", "operation": "regex" }, "rightValue": "(" },
    ] }))
    .unwrap();
    let paths: Vec<_> = conditions.problems("conditions").into_iter().map(|(path, _)| path).collect();
    assert_eq!(paths, ["conditions.conditions[0].operator.operation", "conditions.conditions[1].rightValue"]);
}

#[test]
fn conditions_are_joined_by_and_or_or() {
    let condition =
        |holds: bool| json!({ "leftValue": holds, "operator": { "type": "boolean", "operation": "true" } });
    for (combinator, values, expected) in [
        ("and", vec![true, true], true),
        ("and", vec![true, false], false),
        ("or", vec![false, true], true),
        ("or", vec![false, false], false),
        ("and", vec![], true),
        ("or", vec![], false),
    ] {
        let group = json!({ "combinator": combinator, "conditions": values.iter().map(|&v| condition(v)).collect::<Vec<_>>() });
        let conditions: Conditions = serde_json::from_value(group).unwrap();
        assert_eq!(Judge::in_zone(Tz::UTC).holds(&conditions, 0), Ok(expected), "{combinator} {values:?}");
    }
}

proptest! {
    #[test]
    fn an_opposite_is_always_the_opposite(
        left in "[a-c]{0,3}",
        right in "[a-c]{0,2}",
        pair in prop::sample::select(vec![
            ("equals", "notEquals"), ("contains", "notContains"), ("startsWith", "notStartsWith"),
            ("endsWith", "notEndsWith"), ("regex", "notRegex"), ("empty", "notEmpty"), ("exists", "notExists"),
        ]),
    ) {
        let yes = ask("string", json!(left), pair.0, json!(right), json!({})).unwrap();
        let no = ask("string", json!(left), pair.1, json!(right), json!({})).unwrap();
        prop_assert_ne!(yes, no);
    }
}
