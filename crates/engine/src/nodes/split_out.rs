//! Split out: makes an item of each element of a list.

use std::sync::Arc;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::edit_fields::Names;
use super::path::Notation;
use super::{EachItem, ParameterReader, describe};
use crate::item::{Item, JsonMap};
use crate::node::{Call, Descriptor, Example, Group, NodeError, Outcome, Typed};

/// The node type `split_out`.
pub struct SplitOut;

/// Parameters of [`SplitOut`].
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SplitOutParameters {
    /// The fields that hold the lists: a list of names, or text with commas. An object is split into its values;
    /// `$binary` splits the attached files.
    field_to_split_out: Names,
    /// Which other fields go into the new items.
    #[serde(default)]
    include: Include,
    /// Names of the other fields, for `selected`.
    #[serde(default)]
    fields_to_include: Names,
    /// Fields that the elements are put into, one for each list; the lists' own names when missing.
    #[serde(default)]
    destination_field_name: Names,
    /// Whether `a.b` means `b` inside `a`; otherwise it is a field of that name.
    #[serde(default = "yes")]
    dot_notation: bool,
    /// Whether files attached to the item go into the new items.
    #[serde(default)]
    include_binary: bool,
}

const fn yes() -> bool {
    true
}

/// Which other fields go into the new items.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
enum Include {
    /// None.
    #[default]
    #[serde(alias = "noOtherFields")]
    None,
    /// All but the lists.
    #[serde(alias = "allOtherFields")]
    All,
    /// Those named in `fieldsToInclude`.
    #[serde(alias = "selectedOtherFields")]
    Selected,
}

/// The name that stands for the attached files.
const BINARY: &str = "$binary";

#[async_trait]
impl Typed for SplitOut {
    type Parameters = SplitOutParameters;

    fn descriptor(&self) -> Descriptor {
        Descriptor {
            example: Example {
                title: "An item for each line of an order, with the order's number",
                fields: json!({
                    "fieldToSplitOut": "lines",
                    "include": "selected",
                    "fieldsToInclude": "order",
                    "destinationFieldName": "line",
                }),
                input: json!([{ "order": 7, "lines": ["tea", "milk"], "paid": true }]),
                output: json!([[{ "line": "tea", "order": 7 }, { "line": "milk", "order": 7 }]]),
            },
            ..describe::node(
                Group::Transform,
                "split_out",
                "Split out",
                "Makes an item of each element of a list inside an item. The opposite of aggregate.",
            )
        }
    }

    fn check(&self, parameters: &SplitOutParameters) -> Vec<(String, String)> {
        problems(parameters).err().into_iter().map(|(field, message)| (field.to_owned(), message)).collect()
    }

    async fn run(&self, call: Call<'_>) -> Result<Outcome, NodeError> {
        let mut reader = ParameterReader::<SplitOutParameters>::new(&call);
        let mut results = EachItem::new(&call, 1);
        for (index, item) in call.items().iter().enumerate() {
            match reader.read(index).and_then(|parameters| split(item, &parameters)) {
                Ok(parts) => parts.into_iter().for_each(|part| results.push(0, part.from_input(index))),
                Err(error) => results.fail(index, error)?,
            }
        }
        Ok(results.finish())
    }
}

fn problems(parameters: &SplitOutParameters) -> Result<(), (&'static str, String)> {
    let lists = parameters.field_to_split_out.iter().count();
    let destinations = parameters.destination_field_name.iter().count();
    if lists == 0 {
        return Err(("fieldToSplitOut", "name at least one field".to_owned()));
    }
    // How many names an expression gives is known when it has been worked out.
    let is_open = |names: &Names| names.iter().any(|name| name.starts_with('='));
    let is_known = !is_open(&parameters.field_to_split_out) && !is_open(&parameters.destination_field_name);
    if is_known && destinations != 0 && destinations != lists {
        let message = format!("{lists} fields are split out but {destinations} destination fields are given");
        return Err(("destinationFieldName", message));
    }
    if parameters.include == Include::Selected && parameters.fields_to_include.iter().next().is_none() {
        return Err(("fieldsToInclude", "No fields specified".to_owned()));
    }
    Ok(())
}

fn split(item: &Item, parameters: &SplitOutParameters) -> Result<Vec<Item>, NodeError> {
    problems(parameters).map_err(|(field, message)| NodeError::parameter(field, message))?;
    let notation = Notation::dots(parameters.dot_notation);
    let names: Vec<&str> = parameters
        .field_to_split_out
        .iter()
        .map(|name| name.strip_prefix("$json.").unwrap_or(name))
        .collect();
    let destinations: Vec<&str> = parameters.destination_field_name.iter().collect();
    let mut parts: Vec<Item> = Vec::new();
    for (place, &name) in names.iter().enumerate() {
        if name == BINARY {
            split_files(item, &mut parts);
            continue;
        }
        let destination = destinations.get(place).copied();
        // A single list of objects without other fields: its elements become the items themselves.
        let is_whole = parameters.include == Include::None && destination.is_none() && names.len() == 1;
        for (index, element) in elements(notation.get(&item.json, name)).into_iter().enumerate() {
            if parts.len() <= index {
                parts.push(Item::default());
            }
            let json = Arc::make_mut(&mut parts[index].json);
            match element {
                Value::Object(map) if is_whole => json.extend(map.clone()),
                other => _ = json.insert(destination.unwrap_or(name).to_owned(), other.clone()),
            }
        }
    }
    let others = other_fields(item, parameters, &names, notation);
    for part in &mut parts {
        if parameters.include == Include::All {
            let own = std::mem::replace(&mut part.json, Arc::new(others.clone()));
            Arc::make_mut(&mut part.json).extend(Arc::unwrap_or_clone(own));
        } else if !others.is_empty() {
            Arc::make_mut(&mut part.json).extend(others.clone());
        }
        if parameters.include_binary && part.binary.is_none() {
            part.binary.clone_from(&item.binary);
        }
    }
    Ok(parts)
}

fn elements(value: Option<&Value>) -> Vec<&Value> {
    match value {
        None => Vec::new(),
        Some(Value::Array(list)) => list.iter().collect(),
        Some(Value::Object(map)) => map.values().collect(),
        Some(one) => vec![one],
    }
}

fn split_files(item: &Item, parts: &mut Vec<Item>) {
    let files = item.binary.iter().flat_map(|files| files.iter());
    for (index, (name, file)) in files.enumerate() {
        if parts.len() <= index {
            parts.push(Item::default());
        }
        let files = Arc::make_mut(parts[index].binary.get_or_insert_default());
        files.insert(name.clone(), file.clone());
    }
}

fn other_fields(item: &Item, parameters: &SplitOutParameters, split: &[&str], notation: Notation) -> JsonMap {
    match parameters.include {
        Include::None => JsonMap::new(),
        Include::All => {
            let mut others = (*item.json).clone();
            for name in split {
                notation.remove(&mut others, name);
            }
            others
        }
        Include::Selected => {
            let pick = |name: &str| Some((name.to_owned(), notation.get(&item.json, name)?.clone()));
            parameters.fields_to_include.iter().filter_map(pick).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::item::Binary;
    use crate::nodes::testing::Trial;

    #[test]
    fn lists_become_items() {
        for (fields, input, expected) in [
            (
                json!({ "fieldToSplitOut": "a" }),
                json!({ "a": [1, 2], "b": 0 }),
                json!([{ "a": 1 }, { "a": 2 }]),
            ),
            (
                json!({ "fieldToSplitOut": "a" }),
                json!({ "a": [{ "x": 1 }, { "x": 2 }] }),
                json!([{ "x": 1 }, { "x": 2 }]),
            ),
            (
                json!({ "fieldToSplitOut": "a" }),
                json!({ "a": { "k": 1, "l": 2 } }),
                json!([{ "a": 1 }, { "a": 2 }]),
            ),
            (json!({ "fieldToSplitOut": "a" }), json!({ "a": 5 }), json!([{ "a": 5 }])),
            (json!({ "fieldToSplitOut": "a" }), json!({ "a": null }), json!([{ "a": null }])),
            (json!({ "fieldToSplitOut": "a" }), json!({ "b": 5 }), json!([])),
            (json!({ "fieldToSplitOut": "a.b" }), json!({ "a": { "b": [1] } }), json!([{ "a.b": 1 }])),
            (
                json!({ "fieldToSplitOut": "a.b", "dotNotation": false }),
                json!({ "a": { "b": [1] } }),
                json!([]),
            ),
            (
                json!({ "fieldToSplitOut": "a, b" }),
                json!({ "a": [1, 2], "b": [{ "x": 3 }] }),
                json!([{ "a": 1, "b": { "x": 3 } }, { "a": 2 }]),
            ),
            (
                json!({ "fieldToSplitOut": ["a"], "include": "allOtherFields" }),
                json!({ "a": [{ "x": 1 }, 2], "b": 0 }),
                json!([{ "b": 0, "a": { "x": 1 } }, { "b": 0, "a": 2 }]),
            ),
            (
                json!({ "fieldToSplitOut": "a", "include": "selected", "fieldsToInclude": "b, none" }),
                json!({ "a": [1], "b": 0, "c": 9 }),
                json!([{ "a": 1, "b": 0 }]),
            ),
            (
                json!({ "fieldToSplitOut": "a, b", "destinationFieldName": "x, y" }),
                json!({ "a": [1], "b": [2] }),
                json!([{ "x": 1, "y": 2 }]),
            ),
        ] {
            let trial = Trial::of("split_out", fields.clone()).input(json!([input]));
            assert_eq!(trial.outputs(), Ok(json!([expected])), "{fields}");
        }
    }

    #[test]
    fn every_part_comes_from_its_item() {
        let trial = Trial::of("split_out", json!({ "fieldToSplitOut": "a" }))
            .input(json!([{ "a": [1, 2] }, { "a": [3] }]));
        assert_eq!(trial.origins(), [vec![(0, 0)], vec![(0, 0)], vec![(0, 1)]]);
    }

    #[test]
    fn attached_files_become_items() {
        let files = [("one", "1"), ("two", "2")]
            .map(|(name, data)| (name.to_owned(), Binary { data: data.into(), ..Binary::default() }));
        let item = Item { binary: Some(Arc::new(files.into())), ..Item::default() };
        let items =
            Trial::of("split_out", json!({ "fieldToSplitOut": "$binary" })).items(vec![item]).first_output();
        let names: Vec<_> = items
            .iter()
            .map(|item| item.binary.as_ref().unwrap().keys().cloned().collect::<Vec<_>>())
            .collect();
        assert_eq!(names, [["one"], ["two"]]);
    }

    #[test]
    fn parameters_that_do_not_fit_are_named() {
        for (fields, field) in [
            (json!({ "fieldToSplitOut": "" }), "fieldToSplitOut"),
            (json!({ "fieldToSplitOut": "a", "destinationFieldName": "x, y" }), "destinationFieldName"),
            (json!({ "fieldToSplitOut": "a", "include": "selected" }), "fieldsToInclude"),
        ] {
            let problems = SplitOut.check(&serde_json::from_value(fields).unwrap());
            assert_eq!(problems[0].0, field);
        }
    }
}
