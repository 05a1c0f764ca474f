//! Values as JavaScript writes them into text.

use serde_json::{Number, Value};

/// What a value contributes to a joined template: `v || v === 0 || v === false ? String(v) : ''`.
pub(super) fn joined_text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        other => string(other),
    }
}

/// `String(value)`.
fn string(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Number(number) => number_text(number),
        Value::String(text) => text.clone(),
        // `Array.prototype.join` leaves out null elements.
        Value::Array(elements) => elements.iter().map(joined_element).collect::<Vec<_>>().join(","),
        Value::Object(_) => "[object Object]".to_owned(),
    }
}

fn joined_element(value: &Value) -> String {
    if value.is_null() { String::new() } else { string(value) }
}

/// A number in the shortest form, as ECMAScript's `Number::toString` writes it.
fn number_text(number: &Number) -> String {
    if number.is_i64() || number.is_u64() {
        return number.to_string();
    }
    let Some(value) = number.as_f64() else { return number.to_string() };
    if value == 0.0 {
        return "0".to_owned();
    }
    // `{:e}` gives the shortest digits that read back: `-1.2345e-7`.
    let scientific = format!("{:e}", value.abs());
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let digits = mantissa.replace('.', "");
    let count = i32::try_from(digits.len()).unwrap_or(i32::MAX);
    let point = exponent.parse::<i32>().unwrap_or(0) + 1;
    let zeros = |n: i32| "0".repeat(usize::try_from(n).unwrap_or(0));
    let split = usize::try_from(point).unwrap_or(0);
    let body = if (count..=21).contains(&point) {
        format!("{digits}{}", zeros(point - count))
    } else if (1..count).contains(&point) {
        format!("{}.{}", &digits[..split], &digits[split..])
    } else if (-5..=0).contains(&point) {
        format!("0.{}{digits}", zeros(-point))
    } else {
        let sign = if point > 0 { '+' } else { '-' };
        let power = (point - 1).unsigned_abs();
        let (first, tail) = digits.split_at(1);
        let dot = if tail.is_empty() { "" } else { "." };
        format!("{first}{dot}{tail}e{sign}{power}")
    };
    if value < 0.0 { format!("-{body}") } else { body }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_are_joined_as_javascript_joins_them() {
        let cases = [
            (json!(null), ""),
            (json!(0), "0"),
            (json!(false), "false"),
            (json!(""), ""),
            (json!(1.0), "1"),
            (json!(0.1), "0.1"),
            (json!(-0.0), "0"),
            (json!(-2.5), "-2.5"),
            (json!(1e21), "1e+21"),
            (json!(123_456_789_012_345_680_000.0), "123456789012345680000"),
            (json!(1.5e-7), "1.5e-7"),
            (json!(0.000_001_5), "0.0000015"),
            (json!(5e-324), "5e-324"),
            (json!(1.797_693_134_862_315_7e308), "1.7976931348623157e+308"),
            (json!([1, [2, null, "x"], {"a": 1}]), "1,2,,x,[object Object]"),
            (json!({"a": 1}), "[object Object]"),
        ];
        for (value, expected) in cases {
            assert_eq!(joined_text(&value), expected, "{value}");
        }
    }
}
