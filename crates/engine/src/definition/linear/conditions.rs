//! The conditions of a step as those of a filter node.
//!
//! Read are a list of `{field, operator, value}`, one such object, `{"all": [...]}` and `{"any": [...]}`, fields with
//! the values they must have (`{"status": "paid"}`), and the shape of the filter node itself.

use serde_json::{Value, json};

use crate::definition::Problem;

/// The conditions of a filter node, or `None` where there are none.
pub(super) fn read(value: &Value, path: &str) -> Result<Option<Value>, Problem> {
    match value {
        Value::Null => Ok(None),
        Value::Array(list) => group("and", list, path),
        Value::Object(map) if map.is_empty() => Ok(None),
        Value::Object(map)
            if map.get("conditions").is_some_and(Value::is_array) && !map.contains_key("operator") =>
        {
            let is_ours = |condition: &Value| condition.get("leftValue").is_some();
            let list = map.get("conditions").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
            if list.iter().all(is_ours) {
                return Ok(Some(value.clone()));
            }
            let is_or = ["combinator", "logic", "operator", "match"]
                .iter()
                .filter_map(|key| map.get(*key).and_then(Value::as_str))
                .any(|word| matches!(word.to_lowercase().as_str(), "or" | "any"));
            group(if is_or { "or" } else { "and" }, list, path)
        }
        Value::Object(map) => {
            if let Some(Value::Array(list)) = map.get("all").or(map.get("and")) {
                return group("and", list, path);
            }
            if let Some(Value::Array(list)) = map.get("any").or(map.get("or")) {
                return group("or", list, path);
            }
            if map.contains_key("field") {
                return group("and", std::slice::from_ref(value), path);
            }
            let list: Vec<_> =
                map.iter().map(|(field, value)| json!({ "field": field, "value": value })).collect();
            group("and", &list, path)
        }
        _ => Err(Problem::shape(path, "conditions must be a list or an object")),
    }
}

fn group(combinator: &str, list: &[Value], path: &str) -> Result<Option<Value>, Problem> {
    if list.is_empty() {
        return Ok(None);
    }
    let conditions = list
        .iter()
        .enumerate()
        .map(|(index, condition)| one(condition, &format!("{path}[{index}]")))
        .collect::<Result<Vec<_>, _>>()?;
    Ok(Some(json!({ "combinator": combinator, "conditions": conditions, "looseTypeValidation": true })))
}

fn one(condition: &Value, path: &str) -> Result<Value, Problem> {
    let Some(field) = condition.get("field").and_then(Value::as_str) else {
        return Err(Problem::shape(&format!("{path}.field"), "a condition needs the name of a field"));
    };
    let operator =
        condition.get("operator").or(condition.get("op")).and_then(Value::as_str).unwrap_or("equals");
    let value = condition.get("value").cloned().unwrap_or(Value::Null);
    let Some((value_type, operation)) = operation(operator, &value) else {
        return Err(Problem::shape(&format!("{path}.operator"), format!("unknown operator {operator:?}")));
    };
    let left = if field.starts_with('=') {
        field.to_owned()
    } else {
        format!("={{{{ $json{} }}}}", accessor(field))
    };
    Ok(json!({
        "leftValue": left,
        "operator": { "type": value_type, "operation": operation },
        "rightValue": value,
    }))
}

/// `a.b` as `["a"]["b"]`: a field's name need not be an identifier.
fn accessor(field: &str) -> String {
    field.split('.').map(|part| format!("[{}]", Value::String(part.to_owned()))).collect()
}

/// The operation of a filter node that a word or sign means.
fn operation(word: &str, value: &Value) -> Option<(&'static str, &'static str)> {
    let by_value = |operation| {
        let value_type = match value {
            Value::Number(_) => "number",
            Value::Bool(_) => "boolean",
            _ => "string",
        };
        (value_type, operation)
    };
    let plain: String =
        word.chars().filter(|c| !matches!(c, '_' | ' ' | '-')).flat_map(char::to_lowercase).collect();
    Some(match plain.as_str() {
        "=" | "==" | "===" | "eq" | "equals" | "equal" | "is" => by_value("equals"),
        "!=" | "!==" | "<>" | "ne" | "neq" | "notequals" | "notequal" | "isnot" => by_value("notEquals"),
        ">" | "gt" | "greaterthan" | "larger" => ("number", "gt"),
        ">=" | "gte" | "greaterthanorequal" | "greaterthanorequals" => ("number", "gte"),
        "<" | "lt" | "lessthan" | "smaller" => ("number", "lt"),
        "<=" | "lte" | "lessthanorequal" | "lessthanorequals" => ("number", "lte"),
        "contains" | "includes" => ("string", "contains"),
        "notcontains" | "doesnotcontain" => ("string", "notContains"),
        "startswith" => ("string", "startsWith"),
        "endswith" => ("string", "endsWith"),
        "regex" | "matches" => ("string", "regex"),
        "exists" => ("string", "exists"),
        "notexists" | "doesnotexist" => ("string", "notExists"),
        "empty" | "isempty" => ("string", "empty"),
        "notempty" | "isnotempty" => ("string", "notEmpty"),
        "after" => ("dateTime", "after"),
        "before" => ("dateTime", "before"),
        _ => return None,
    })
}
