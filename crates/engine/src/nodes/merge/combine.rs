//! Making one object of two.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use super::{ClashHandling, MergeDepth, origins};
use crate::item::{Binary, Item, JsonMap};

/// One item of several, where the fields of later ones replace those of earlier ones.
pub(super) fn merge_items(items: &[&Item], clash: &ClashHandling) -> Item {
    let mut json = JsonMap::new();
    let mut files: BTreeMap<String, Binary> = BTreeMap::new();
    for item in items {
        merge_into(&mut json, &item.json, clash);
        files.extend(
            item.binary
                .iter()
                .flat_map(|files| files.iter())
                .map(|(name, file)| (name.clone(), file.clone())),
        );
    }
    let binary = (!files.is_empty()).then(|| Arc::new(files));
    Item { json: Arc::new(json), binary, paired_item: origins(items.iter().copied()) }
}

fn merge_into(target: &mut JsonMap, source: &JsonMap, clash: &ClashHandling) {
    for (name, value) in source {
        match target.get_mut(name) {
            None => _ = target.insert(name.clone(), value.clone()),
            Some(_) if clash.override_empty && is_empty(value) => {}
            Some(place) if clash.merge_mode == MergeDepth::Deep => merge_value(place, value, clash),
            Some(place) => *place = value.clone(),
        }
    }
}

fn merge_value(place: &mut Value, value: &Value, clash: &ClashHandling) {
    match (place, value) {
        (Value::Object(target), Value::Object(source)) => merge_into(target, source, clash),
        // Lists are merged place by place.
        (Value::Array(target), Value::Array(source)) => {
            for (index, element) in source.iter().enumerate() {
                match target.get_mut(index) {
                    None => target.push(element.clone()),
                    Some(_) if clash.override_empty && is_empty(element) => {}
                    Some(place) => merge_value(place, element, clash),
                }
            }
        }
        (place, value) => *place = value.clone(),
    }
}

fn is_empty(value: &Value) -> bool {
    matches!(value, Value::Null) || value.as_str().is_some_and(str::is_empty)
}

/// The item with the number of its input (from 1) behind the name of each field.
pub(super) fn with_suffix(item: &Item, input: usize) -> Item {
    let json = item.json.iter().map(|(name, value)| (format!("{name}_{input}"), value.clone())).collect();
    Item { json: Arc::new(json), ..item.clone() }
}
