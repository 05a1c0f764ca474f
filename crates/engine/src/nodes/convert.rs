//! Conversions between JSON types as n8n's users know them from JavaScript: `"12"` is a number, `1` is true,
//! `"[1, 2]"` is a list.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use serde_json::{Number, Value};

mod date;
mod literal;

/// A word for the kind of a value, for messages.
#[must_use]
pub const fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// A value in a message: short values as they are, lists and objects by their kind.
#[must_use]
pub fn describe(value: &Value) -> String {
    match value {
        Value::Array(_) => "array".to_owned(),
        Value::Object(_) => "object".to_owned(),
        other => format!("'{}'", text(other)),
    }
}

/// The value as text; lists and objects as JSON.
#[must_use]
pub fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number_text(number),
        other => other.to_string(),
    }
}

/// A number as JavaScript writes it: no `.0`.
fn number_text(number: &Number) -> String {
    match number.as_f64() {
        Some(float) if number.is_f64() && float.fract() == 0.0 && float.abs() < 1e21 => format!("{float:.0}"),
        _ => number.to_string(),
    }
}

/// The value as a number (`Number(value)` of JavaScript): `""` and `null` are 0, `true` is 1.
#[must_use]
pub fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Null => Some(0.0),
        Value::Bool(flag) => Some(f64::from(u8::from(*flag))),
        Value::Number(number) => number.as_f64(),
        Value::String(text) => number_from_text(text),
        Value::Array(list) => match list.as_slice() {
            [] => Some(0.0),
            [one @ (Value::Number(_) | Value::String(_) | Value::Null)] => number(one),
            _ => None,
        },
        Value::Object(_) => None,
    }
}

fn number_from_text(text: &str) -> Option<f64> {
    let text = text.trim();
    let radix = |digits: &str, radix| u64::from_str_radix(digits, radix).ok();
    let lower = text.to_ascii_lowercase();
    if let Some(digits) = lower.strip_prefix("0x") {
        #[expect(clippy::cast_precision_loss, reason = "JavaScript's numbers are doubles")]
        return radix(digits, 16).map(|number| number as f64);
    }
    if let Some(digits) = lower.strip_prefix("0b") {
        #[expect(clippy::cast_precision_loss, reason = "JavaScript's numbers are doubles")]
        return radix(digits, 2).map(|number| number as f64);
    }
    match text {
        "" => Some(0.0),
        "Infinity" | "+Infinity" => Some(f64::INFINITY),
        "-Infinity" => Some(f64::NEG_INFINITY),
        // Rust also reads "inf" and "nan", which are no numbers in JavaScript.
        _ if text.contains(|c: char| c.is_ascii_alphabetic() && c != 'e' && c != 'E') => None,
        _ => text.parse().ok(),
    }
}

/// A number as JSON: whole numbers without a fraction; infinite ones, which JSON has not, as null.
#[must_use]
pub fn number_value(number: f64) -> Value {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if number.fract() == 0.0 && number.abs() < EXACT {
        #[expect(clippy::cast_possible_truncation, reason = "a whole number below 2^53")]
        return Value::from(number as i64);
    }
    Number::from_f64(number).map_or(Value::Null, Value::Number)
}

/// The value as a boolean: `true`, `"TRUE"`, `1` and `"1"` are true.
#[must_use]
pub fn boolean(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(flag) => return Some(*flag),
        Value::String(text) if text.eq_ignore_ascii_case("true") => return Some(true),
        Value::String(text) if text.eq_ignore_ascii_case("false") => return Some(false),
        Value::String(text) if text.trim().is_empty() => return None,
        _ => {}
    }
    match number(value) {
        Some(0.0) => Some(false),
        Some(1.0) => Some(true),
        _ => None,
    }
}

/// Whether JavaScript takes the value for true.
#[must_use]
pub fn is_truthy(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(flag) => *flag,
        Value::Number(number) => number.as_f64().is_some_and(|number| number != 0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(_) | Value::Object(_) => true,
    }
}

/// The value as a list: a list, or JSON text of one (with single quotes too).
#[must_use]
pub fn array(value: &Value) -> Option<Vec<Value>> {
    match value {
        Value::Array(list) => Some(list.clone()),
        Value::String(text) => {
            serde_json::from_str(text).or_else(|_| serde_json::from_str(&text.replace('\'', "\""))).ok()
        }
        _ => None,
    }
}

/// The value as an object: an object, or text of one as JSON or JavaScript writes it.
#[must_use]
pub fn object(value: &Value) -> Option<crate::item::JsonMap> {
    match value {
        Value::Object(map) => Some(map.clone()),
        Value::String(text) => serde_json::from_str(text).ok().or_else(|| literal::parse_object(text)),
        _ => None,
    }
}

/// The value as a moment; text without a zone is read in `zone`.
#[must_use]
pub fn date(value: &Value, zone: Tz) -> Option<DateTime<Utc>> {
    match value {
        Value::String(text) => date::parse(text.trim(), zone),
        // A year, as in "2024": what reading the number as text gives.
        Value::Number(number) => date::parse(&number_text(number), zone),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn numbers_are_read_as_javascript_reads_them() {
        for (value, expected) in [
            (json!("12"), Some(12.0)),
            (json!(" 1.5e3 "), Some(1500.0)),
            (json!(""), Some(0.0)),
            (json!("0x1F"), Some(31.0)),
            (json!("12a"), None),
            (json!("inf"), None),
            (json!("nan"), None),
            (json!(true), Some(1.0)),
            (json!(null), Some(0.0)),
            (json!([]), Some(0.0)),
            (json!([7]), Some(7.0)),
            (json!([1, 2]), None),
            (json!({}), None),
        ] {
            assert_eq!(number(&value), expected, "{value}");
        }
    }

    #[test]
    fn booleans_are_words_and_the_numbers_0_and_1() {
        for (value, expected) in [
            (json!("True"), Some(true)),
            (json!("false"), Some(false)),
            (json!(1), Some(true)),
            (json!("0"), Some(false)),
            (json!(2), None),
            (json!(""), None),
            (json!("yes"), None),
        ] {
            assert_eq!(boolean(&value), expected, "{value}");
        }
    }

    #[test]
    fn text_has_no_needless_fraction() {
        assert_eq!(text(&json!(5.0)), "5");
        assert_eq!(text(&json!(5.5)), "5.5");
        assert_eq!(text(&json!({ "a": [1] })), r#"{"a":[1]}"#);
        assert_eq!(number_value(5.0), json!(5));
        assert_eq!(number_value(0.5), json!(0.5));
        assert_eq!(number_value(f64::INFINITY), Value::Null);
    }

    #[test]
    fn lists_and_objects_are_read_from_text() {
        assert_eq!(array(&json!("['a', 'b']")), Some(vec![json!("a"), json!("b")]));
        assert_eq!(array(&json!("{}")), None);
        assert_eq!(object(&json!(r#"{"a": 1}"#)).map(Value::Object), Some(json!({ "a": 1 })));
        assert_eq!(object(&json!("[1]")), None);
    }
}
