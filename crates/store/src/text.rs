//! Text and JSON that both databases can hold, and that can be read back.
//!
//! PostgreSQL refuses U+0000 in text and in `jsonb`, SQLite takes it. What a user gave is checked before it gets there,
//! so that the answer is the same on both and names the field.
//!
//! JSON is read with a limit of 127 levels. What is stored is bounded below that, with room for what is put around it
//! later: a row that could be written but never read again would hold up everything that has to read it.

use serde_json::Value;

use crate::{Error, Result};

/// Most levels of arrays and objects in a stored JSON value.
pub const MAX_DEPTH: usize = 100;

/// Refuses JSON that is nested deeper than [`MAX_DEPTH`] levels, as the queue and the journal do.
///
/// # Errors
/// [`Error::Invalid`].
pub fn check_depth(value: &Value) -> Result<()> {
    refuse_deep("value", value)
}

/// Refuses JSON that is nested deeper than [`MAX_DEPTH`] levels. It does not recurse, since any depth may come.
///
/// # Errors
/// [`Error::Invalid`] that names the field.
pub(crate) fn refuse_deep(field: &str, value: &Value) -> Result<()> {
    let mut open = vec![(value, 1)];
    while let Some((value, depth)) = open.pop() {
        if depth > MAX_DEPTH && (value.is_array() || value.is_object()) {
            return Err(Error::invalid(field, format!("is nested deeper than {MAX_DEPTH} levels")));
        }
        match value {
            Value::Array(values) => open.extend(values.iter().map(|value| (value, depth + 1))),
            Value::Object(values) => open.extend(values.values().map(|value| (value, depth + 1))),
            _ => {}
        }
    }
    Ok(())
}

/// Refuses text with U+0000.
///
/// # Errors
/// [`Error::Invalid`] that names the field.
pub(crate) fn refuse_nul(field: &str, text: &str) -> Result<()> {
    if text.contains('\0') {
        return Err(Error::invalid(field, "holds the character U+0000, which cannot be stored"));
    }
    Ok(())
}

/// Refuses JSON with U+0000 in any text or key.
///
/// # Errors
/// [`Error::Invalid`] that names the field.
pub(crate) fn refuse_nul_in(field: &str, value: &Value) -> Result<()> {
    match value {
        Value::String(text) => refuse_nul(field, text),
        Value::Array(values) => values.iter().try_for_each(|value| refuse_nul_in(field, value)),
        Value::Object(values) => values.iter().try_for_each(|(key, value)| {
            refuse_nul(field, key)?;
            refuse_nul_in(field, value)
        }),
        Value::Null | Value::Bool(_) | Value::Number(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_value_that_is_nested_too_deep_is_refused() {
        let nested = |levels: usize| {
            (0..levels).fold(
                json!(1),
                |inner, level| if level % 2 == 0 { json!([inner]) } else { json!({ "a": inner }) },
            )
        };
        assert!(check_depth(&nested(MAX_DEPTH)).is_ok());
        let error = refuse_deep("input_data", &nested(MAX_DEPTH + 1)).unwrap_err();
        assert_eq!(error.to_string(), "input_data is nested deeper than 100 levels");
    }

    #[test]
    fn a_nul_is_found_at_any_depth() {
        assert!(refuse_nul_in("x", &json!({"a": [1, {"b": "fine"}]})).is_ok());
        for value in [json!("\0"), json!(["a\0"]), json!({"\0": 1}), json!({"a": {"b": ["\0"]}})] {
            let error = refuse_nul_in("definition", &value).unwrap_err();
            assert!(error.to_string().contains("definition"), "{error}");
        }
    }
}
