//! Named values: query parameters, headers, form fields.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

/// Named values, in order. A null is left out; a list gives the name several times.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "expected an object of names and values, or a list of { name, value }")]
pub enum Fields {
    /// An object: `{ "name": value }`.
    Map(Map<String, Value>),
    /// A list, where a name is wanted more than once or the order matters: `[{ "name": "a", "value": 1 }]`.
    List(Vec<NamedValue>),
}

/// A name and its value.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NamedValue {
    /// The name.
    pub name: String,
    /// A text, number or boolean; an object is written as JSON.
    #[serde(default)]
    pub value: Value,
}

/// How a list is written into a query.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum ArrayFormat {
    /// `a=1&a=2`
    #[default]
    Repeat,
    /// `a[]=1&a[]=2`
    Brackets,
    /// `a[0]=1&a[1]=2`
    Indices,
}

impl Default for Fields {
    fn default() -> Self {
        Self::Map(Map::new())
    }
}

impl Fields {
    /// Names and texts; a list under one name is written as `format` says.
    pub(super) fn pairs(&self, format: ArrayFormat) -> Vec<(String, String)> {
        let mut pairs = Vec::new();
        let mut add = |name: &str, value: &Value| match value {
            Value::Null => {}
            Value::Array(list) => pairs.extend(list.iter().enumerate().map(|(index, value)| {
                let name = match format {
                    ArrayFormat::Repeat => name.to_owned(),
                    ArrayFormat::Brackets => format!("{name}[]"),
                    ArrayFormat::Indices => format!("{name}[{index}]"),
                };
                (name, as_text(value))
            })),
            value => pairs.push((name.to_owned(), as_text(value))),
        };
        match self {
            Self::Map(map) => map.iter().for_each(|(name, value)| add(name, value)),
            Self::List(list) => list.iter().for_each(|field| add(&field.name, &field.value)),
        }
        pairs
    }

    /// Sets the value of a name, in the place of all that were there.
    pub(super) fn set(&mut self, name: &str, value: Value) {
        match self {
            Self::Map(map) => drop(map.insert(name.to_owned(), value)),
            Self::List(list) => {
                list.retain(|field| field.name != name);
                list.push(NamedValue { name: name.to_owned(), value });
            }
        }
    }
}

/// A value as it is written into a query or a form.
pub(super) fn as_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_list_is_written_as_the_format_says() {
        let fields: Fields =
            serde_json::from_value(json!({ "a": [1, "x"], "b": null, "c": true, "d": { "e": 1 } })).unwrap();
        let text = |format| {
            fields
                .pairs(format)
                .iter()
                .map(|(name, value)| format!("{name}={value}"))
                .collect::<Vec<_>>()
                .join("&")
        };
        assert_eq!(text(ArrayFormat::Repeat), "a=1&a=x&c=true&d={\"e\":1}");
        assert_eq!(text(ArrayFormat::Brackets), "a[]=1&a[]=x&c=true&d={\"e\":1}");
        assert_eq!(text(ArrayFormat::Indices), "a[0]=1&a[1]=x&c=true&d={\"e\":1}");
    }

    #[test]
    fn a_list_of_fields_may_repeat_a_name() {
        let mut fields: Fields =
            serde_json::from_value(json!([{ "name": "a", "value": 1 }, { "name": "a", "value": 2 }]))
                .unwrap();
        assert_eq!(fields.pairs(ArrayFormat::Repeat).len(), 2);
        fields.set("a", json!(3));
        assert_eq!(fields.pairs(ArrayFormat::Repeat), [("a".to_owned(), "3".to_owned())]);
    }

    #[test]
    fn anything_else_is_refused_with_what_was_expected() {
        let error = serde_json::from_value::<Fields>(json!("a=1")).unwrap_err();
        assert!(error.to_string().contains("a list of { name, value }"), "{error}");
    }
}
