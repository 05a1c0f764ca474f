//! Text that both databases can hold.
//!
//! PostgreSQL refuses U+0000 in text and in `jsonb`, SQLite takes it. What a user gave is checked before it gets there,
//! so that the answer is the same on both and names the field.

use serde_json::Value;

use crate::{Error, Result};

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
    fn a_nul_is_found_at_any_depth() {
        assert!(refuse_nul_in("x", &json!({"a": [1, {"b": "fine"}]})).is_ok());
        for value in [json!("\0"), json!(["a\0"]), json!({"\0": 1}), json!({"a": {"b": ["\0"]}})] {
            let error = refuse_nul_in("definition", &value).unwrap_err();
            assert!(error.to_string().contains("definition"), "{error}");
        }
    }
}
