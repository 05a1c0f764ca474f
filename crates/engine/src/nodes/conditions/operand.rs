//! The two values of a condition, read as the type that its operator asks for.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use serde_json::Value;

use super::Condition;
use super::operator::ValueType;
use crate::item::JsonMap;
use crate::nodes::convert;

/// A value of a condition.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Operand {
    /// Missing, null, or nothing that could be a number.
    Nothing,
    Text(String),
    Number(f64),
    Date(DateTime<Utc>),
    Boolean(bool),
    List(Vec<Value>),
    Object(JsonMap),
    Any(Value),
}

/// Reads both values; a right value that the operation does not look at may be anything.
pub(super) fn read_both(
    condition: &Condition,
    is_loose: bool,
    zone: Tz,
) -> Result<(Operand, Operand), String> {
    let operator = condition.operator;
    let (left_value, right_value) = (&condition.left_value, &condition.right_value);
    let left = read(left_value, operator.value_type, is_loose, zone);
    let right_type = operator.right_value_type();
    let right = if operator.has_right() {
        read(right_value, right_type, is_loose, zone)
    } else {
        Some(Operand::Nothing)
    };
    match (left, right) {
        (Some(left), Some(right)) => Ok((left, right)),
        (None, None) if type_of(left_value) == type_of(right_value) => Err(format!(
            "Comparison type expects {} but both fields are {}",
            operator.value_type.with_article(),
            type_of(left_value)
        )),
        (None, _) => Err(wrong_type(left_value, operator.value_type, is_loose)),
        (_, None) => Err(wrong_type(right_value, right_type, is_loose)),
    }
}

fn wrong_type(value: &Value, expected: ValueType, is_loose: bool) -> String {
    let (text, found, expected) = (plain_text(value), type_of(value), expected.with_article());
    if is_loose {
        let found = found.split_once(' ').map_or(found, |(_, word)| word);
        format!("Conversion error: the {found} '{text}' can't be converted to {expected}")
    } else {
        format!("Wrong type: '{text}' is {found} but was expecting {expected}")
    }
}

/// JavaScript's `typeof`, with its article.
const fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null | Value::Array(_) | Value::Object(_) => "an object",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
    }
}

/// The value as JavaScript puts it into text.
fn plain_text(value: &Value) -> String {
    match value {
        Value::Array(list) => list
            .iter()
            .map(|value| if value.is_null() { String::new() } else { plain_text(value) })
            .collect::<Vec<_>>()
            .join(","),
        Value::Object(_) => "[object Object]".to_owned(),
        other => convert::text(other),
    }
}

/// Reads a value as a type; `None` when it is not one.
fn read(value: &Value, wanted: ValueType, is_loose: bool, zone: Tz) -> Option<Operand> {
    if value.is_null() {
        return Some(Operand::Nothing);
    }
    match wanted {
        ValueType::Any => Some(Operand::Any(value.clone())),
        ValueType::String => match value {
            Value::String(text) => Some(Operand::Text(text.clone())),
            other if is_loose => Some(Operand::Text(convert::text(other))),
            _ => None,
        },
        ValueType::Number => match value {
            Value::Number(number) => number.as_f64().map(Operand::Number),
            // An empty text or list counts as no number rather than as 0.
            Value::String(text) if text.trim().is_empty() => Some(Operand::Nothing),
            Value::Array(list) if list.is_empty() => Some(Operand::Nothing),
            other if is_loose => convert::number(other).map(Operand::Number),
            _ => None,
        },
        ValueType::Boolean => match value {
            Value::Bool(flag) => Some(Operand::Boolean(*flag)),
            other if is_loose => {
                Some(Operand::Boolean(convert::boolean(other).unwrap_or_else(|| convert::is_truthy(other))))
            }
            _ => None,
        },
        ValueType::DateTime => convert::date(value, zone).map(Operand::Date),
        ValueType::Array => match value {
            Value::Array(list) => Some(Operand::List(list.clone())),
            other if is_loose => convert::array(other).map(Operand::List),
            _ => None,
        },
        ValueType::Object => match value {
            Value::Object(map) => Some(Operand::Object(map.clone())),
            other if is_loose => convert::object(other).map(Operand::Object),
            _ => None,
        },
    }
}
