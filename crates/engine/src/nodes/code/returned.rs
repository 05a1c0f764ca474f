//! What user code returns, as items.
//!
//! Bare objects become items; objects that have an item's keys (`json`, `binary`, ...) must have no others, since then
//! data was probably meant to be under `json`.

use std::sync::Arc;

use serde_json::Value;

use crate::item::{Item, JsonMap, Origin};
use crate::node::NodeError;
use crate::nodes::convert::{describe, kind_of};

/// The keys of an item.
const ITEM_KEYS: [&str; 5] = ["json", "binary", "pairedItem", "error", "index"];

/// What code that ran once returned: a list of items, or one.
pub(super) fn from_all_items(value: Value) -> Result<Vec<Item>, NodeError> {
    let list = match value {
        Value::Array(list) => list,
        one @ Value::Object(_) => vec![one],
        other => {
            let found = if other.is_null() { "nothing".to_owned() } else { describe(&other) };
            return Err(wrong(format!(
                "Code doesn't return items properly: it returned {found}. Return an array of objects, one for each item \
                 you would like to output; an empty array for none"
            )));
        }
    };
    let has_item_keys =
        list.iter().filter_map(Value::as_object).any(|map| map.keys().any(|key| is_item_key(key)));
    let read =
        |(index, value)| read_item(value, has_item_keys, &format!("element {index} of the returned array"));
    list.into_iter().enumerate().map(read).collect()
}

/// What code that ran for each item returned: a list with a result for each; null drops the item.
pub(super) fn from_each_item(value: Value) -> Result<Vec<Item>, NodeError> {
    let Value::Array(results) = value else {
        return Err(NodeError::fatal("code_crashed", "the code sandbox gave no list of results"));
    };
    let mut items = Vec::with_capacity(results.len());
    for (index, value) in results.into_iter().enumerate() {
        match &value {
            Value::Null => continue,
            Value::Object(map) => {
                let has_item_keys = map.keys().any(|key| is_item_key(key));
                let item = read_item(value, has_item_keys, "the returned object")
                    .map_err(|error| error.at_item(index))?;
                items.push(item.from_input(index));
            }
            Value::Array(_) => {
                let message = "Code doesn't return a single object: it returned an array. To output several items, run \
                               once for all items";
                return Err(wrong(message.to_owned()).at_item(index));
            }
            other => {
                let message =
                    format!("Code doesn't return an object: {} was returned instead", describe(other));
                return Err(wrong(message).at_item(index));
            }
        }
    }
    Ok(items)
}

fn is_item_key(key: &str) -> bool {
    ITEM_KEYS.contains(&key)
}

fn read_item(value: Value, has_item_keys: bool, place: &str) -> Result<Item, NodeError> {
    let Value::Object(map) = value else {
        return Err(wrong(format!(
            "Code doesn't return items properly: {place} is {}, not an object",
            describe(&value)
        )));
    };
    if !has_item_keys {
        return Ok(Item::new(map));
    }
    if let Some(key) = map.keys().find(|key| !is_item_key(key)) {
        return Err(wrong(format!(
            "Unknown top-level item key: {key} (in {place}). Put the properties of an item under `json`"
        )));
    }
    read_parts(map, place)
}

fn read_parts(mut map: JsonMap, place: &str) -> Result<Item, NodeError> {
    let json = match map.remove("json") {
        None => JsonMap::new(),
        Some(Value::Object(json)) => json,
        Some(other) => {
            let found = kind_of(&other);
            return Err(wrong(format!(
                "A 'json' property isn't an object (in {place}; it is of type {found})"
            )));
        }
    };
    let binary = match map.remove("binary") {
        None | Some(Value::Null) => None,
        Some(files @ Value::Object(_)) => {
            let files = serde_json::from_value(files);
            Some(files.map_err(|error| {
                wrong(format!("A 'binary' property is not made of files (in {place}): {error}"))
            })?)
        }
        Some(_) => return Err(wrong(format!("A 'binary' property isn't an object (in {place})"))),
    };
    let paired_item = match map.remove("pairedItem") {
        None | Some(Value::Null) => Origin::Unknown,
        Some(origin) => serde_json::from_value(origin).map_err(|_| {
            wrong(format!("A 'pairedItem' property is neither an index nor an object with one (in {place})"))
        })?,
    };
    Ok(Item { json: Arc::new(json), binary, paired_item })
}

fn wrong(message: String) -> NodeError {
    NodeError::fatal("code_result", message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::item::OriginItem;
    use serde_json::json;

    fn bare(items: Vec<Item>) -> Vec<Value> {
        items.into_iter().map(|item| Value::Object((*item.json).clone())).collect()
    }

    #[test]
    fn lists_objects_and_bare_data_become_items() {
        for (value, expected) in [
            (
                json!([{ "json": { "a": 1 } }, { "json": { "a": 2 } }]),
                vec![json!({ "a": 1 }), json!({ "a": 2 })],
            ),
            (json!([{ "a": 1 }]), vec![json!({ "a": 1 })]),
            (json!({ "a": 1 }), vec![json!({ "a": 1 })]),
            (json!({ "json": { "a": 1 } }), vec![json!({ "a": 1 })]),
            (json!([]), vec![]),
        ] {
            assert_eq!(bare(from_all_items(value.clone()).unwrap()), expected, "{value}");
        }
    }

    #[test]
    fn what_is_no_item_is_named() {
        for (value, part) in [
            (json!(null), "returned nothing"),
            (json!(17), "returned '17'"),
            (json!([17]), "element 0 of the returned array is '17'"),
            (json!([{ "json": 17 }]), "'json' property isn't an object"),
            (json!([{ "json": {} }, { "a": 1 }]), "Unknown top-level item key: a (in element 1"),
            (json!([{ "json": {}, "binary": [] }]), "'binary' property isn't an object"),
            (json!([{ "json": {}, "pairedItem": "x" }]), "'pairedItem'"),
        ] {
            let error = from_all_items(value.clone()).unwrap_err();
            assert!(error.message.contains(part), "{value}: {}", error.message);
        }
    }

    #[test]
    fn origins_may_be_given_in_every_form() {
        let items = from_all_items(json!([
            { "json": {}, "pairedItem": 3 },
            { "json": {}, "pairedItem": { "item": 4, "input": 1 } },
            { "json": {}, "pairedItem": [{ "item": 5 }] },
        ]))
        .unwrap();
        let origins: Vec<_> = items.iter().flat_map(|item| item.paired_item.items()).collect();
        let expected = [(3, 0), (4, 1), (5, 0)].map(|(item, input)| OriginItem { item, input });
        assert_eq!(origins, expected);
    }

    #[test]
    fn each_result_is_one_item_or_none() {
        let items = from_each_item(json!([{ "a": 1 }, null, { "json": { "a": 3 } }])).unwrap();
        assert_eq!(items[1].paired_item.items(), [OriginItem { item: 2, input: 0 }]);
        assert_eq!(bare(items), [json!({ "a": 1 }), json!({ "a": 3 })]);
        for (value, part) in
            [(json!([{}, []]), "single object"), (json!([{}, 5]), "doesn't return an object")]
        {
            let error = from_each_item(value).unwrap_err();
            assert!(error.message.contains(part), "{}", error.message);
            assert_eq!(error.item, Some(1));
        }
    }
}
