//! Items: the unit of data between nodes.
//!
//! A node receives a list of items and returns lists of items, in the shape that n8n's users know:
//! `{ "json": {...}, "binary": {...}, "pairedItem": {...} }`. The JSON part is shared, so passing an
//! item through a filter or into three branches copies a pointer and not the data.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A JSON object with its keys in the order in which they were written.
pub type JsonMap = serde_json::Map<String, Value>;

/// A list of items, shared between the steps that read it.
pub type Items = Arc<Vec<Item>>;

/// One item.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Item {
    /// The data.
    #[serde(default)]
    pub json: Arc<JsonMap>,
    /// Attached files by property name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub binary: Option<Arc<BTreeMap<String, Binary>>>,
    /// The input items that this item was made from; `None` until a node or the run says so.
    #[serde(default, skip_serializing_if = "Origin::is_unknown")]
    pub paired_item: Origin,
}

impl Item {
    /// An item with this JSON and nothing else.
    #[must_use]
    pub fn new(json: JsonMap) -> Self {
        Self { json: Arc::new(json), binary: None, paired_item: Origin::Unknown }
    }

    /// An item from any JSON value: an object becomes the item's JSON, anything else is put under `value`.
    #[must_use]
    pub fn from_value(value: Value) -> Self {
        match value {
            Value::Object(map) => Self::new(map),
            other => Self::new(JsonMap::from_iter([("value".to_owned(), other)])),
        }
    }

    /// The same item with its origin set to one item of the first input.
    #[must_use]
    pub fn from_input(mut self, item: usize) -> Self {
        self.paired_item = Origin::One(OriginItem { item, input: 0 });
        self
    }
}

/// Where an item comes from (`pairedItem` in n8n's words).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Origin {
    /// Nobody said; the run fills this in where it can be told from the counts.
    #[default]
    Unknown,
    /// Only the index was given: that item of the first input.
    Index(usize),
    /// One input item.
    One(OriginItem),
    /// Several input items (an aggregate, a merge).
    Many(Vec<OriginItem>),
}

impl Origin {
    /// Whether no origin is recorded.
    #[must_use]
    pub fn is_unknown(&self) -> bool {
        matches!(self, Self::Unknown)
    }

    /// Every input item that this one was made from.
    #[must_use]
    pub fn items(&self) -> Vec<OriginItem> {
        match self {
            Self::Unknown => Vec::new(),
            Self::Index(item) => vec![OriginItem { item: *item, input: 0 }],
            Self::One(one) => vec![*one],
            Self::Many(many) => many.clone(),
        }
    }
}

/// A reference to one input item of the step that made an item.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OriginItem {
    /// Index of the item in its input list.
    pub item: usize,
    /// Index of the input. An index past the node's last input counts back over its earlier runs: a loop with one
    /// input gives out, as `input: 2`, an item that arrived two runs ago.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub input: usize,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
fn is_zero(value: &usize) -> bool {
    *value == 0
}

/// A file attached to an item: small ones carry their bytes, large ones name a stored file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Binary {
    /// The bytes in base64, when they are kept in the item itself; empty when `id` is set.
    #[serde(default)]
    pub data: Arc<str>,
    /// The stored file that holds the bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Media type, for example `text/csv`.
    #[serde(default)]
    pub mime_type: String,
    /// File name without a path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file_name: Option<String>,
    /// File extension without the dot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file_extension: Option<String>,
    /// Length in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size_bytes: Option<u64>,
}

/// Deepest nesting of the data of an item, which itself is the first level.
///
/// JSON that nests deeper than 127 levels is not read back, and the tables wrap the data of an item in some levels.
pub const MAX_DEPTH: usize = 100;

/// Whether a value nests more than [`MAX_DEPTH`] levels of arrays and objects.
#[must_use]
pub fn is_too_deep(value: &Value) -> bool {
    is_deeper(vec![(value, 0)])
}

/// Whether the data of an item nests more than [`MAX_DEPTH`] levels.
#[must_use]
pub fn is_map_too_deep(map: &JsonMap) -> bool {
    is_deeper(map.values().map(|value| (value, 1)).collect())
}

/// Walks values, each inside of so many levels. Not by recursion, which a deep value could exhaust the stack with.
fn is_deeper(mut rest: Vec<(&Value, usize)>) -> bool {
    while let Some((value, depth)) = rest.pop() {
        let is_nested = match value {
            Value::Array(list) => {
                rest.extend(list.iter().filter(|value| is_container(value)).map(|value| (value, depth + 1)));
                true
            }
            Value::Object(map) => {
                rest.extend(map.values().filter(|value| is_container(value)).map(|value| (value, depth + 1)));
                true
            }
            _ => false,
        };
        if is_nested && depth >= MAX_DEPTH {
            return true;
        }
    }
    false
}

fn is_container(value: &Value) -> bool {
    value.is_array() || value.is_object()
}

/// Reads a list of items from JSON as a person would write it: a list or a single one, each either
/// `{"json": {...}}` or the bare data.
///
/// # Errors
/// Names the element that is not an item.
pub fn items_from_json(value: Value) -> Result<Vec<Item>, String> {
    let list = match value {
        Value::Null => return Ok(Vec::new()),
        Value::Array(list) => list,
        one => vec![one],
    };
    list.into_iter()
        .enumerate()
        .map(|(index, value)| match &value {
            Value::Object(map) if map.get("json").is_some_and(Value::is_object) => {
                serde_json::from_value(value).map_err(|error| format!("item {index}: {error}"))
            }
            Value::Object(_) => Ok(Item::from_value(value)),
            _ => Err(format!("item {index} is not an object")),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn nested(levels: usize) -> Value {
        (0..levels).fold(json!(1), |value, _| json!([value]))
    }

    #[test]
    fn a_value_may_nest_to_the_greatest_depth_and_not_deeper() {
        assert!(!is_too_deep(&json!(1)));
        assert!(!is_too_deep(&nested(MAX_DEPTH)));
        assert!(is_too_deep(&nested(MAX_DEPTH + 1)));
        let map = |levels| JsonMap::from_iter([("a".to_owned(), json!(1)), ("b".to_owned(), nested(levels))]);
        assert!(!is_map_too_deep(&map(MAX_DEPTH - 1)));
        assert!(is_map_too_deep(&map(MAX_DEPTH)));
    }

    #[test]
    fn a_number_is_read_back_as_it_was_written() {
        // Bit patterns from all over, by a linear congruence.
        let mut bits = 1u64;
        for _ in 0..20_000 {
            bits = bits.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let number = f64::from_bits(bits);
            if number.is_finite() {
                let text = serde_json::to_string(&number).unwrap();
                assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), json!(number), "{text}");
            }
        }
    }
}
