//! Aggregate: makes one item of many.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::describe;
use super::edit_fields::Names;
use super::path::Notation;
use crate::item::{Item, JsonMap, Origin, OriginItem};
use crate::node::{Call, Descriptor, Example, Group, NodeError, Outcome, Typed};

/// The node type `aggregate`.
pub struct Aggregate;

/// Parameters of [`Aggregate`].
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct AggregateParameters {
    /// Single fields into a list each, or whole items into one list.
    aggregate: Mode,
    /// The fields, in `individualFields` mode.
    fields_to_aggregate: Vec<AggregatedField>,
    /// In `allItemData` mode, the field that the list is put into.
    destination_field_name: String,
    /// In `allItemData` mode, which fields of the items go into the list.
    include: Include,
    /// Names of the fields for `selected` and `except`: a list, or text with commas.
    fields: Names,
    /// In `individualFields` mode, whether lists are joined into one, where a field holds a list.
    merge_lists: bool,
    /// In `individualFields` mode, whether a missing value becomes a null in the list.
    keep_missing: bool,
    /// Whether `a.b` means `b` inside `a`; otherwise it is a field of that name.
    dot_notation: bool,
    /// Whether the files attached to the items are attached to the new one.
    include_binaries: bool,
}

impl Default for AggregateParameters {
    fn default() -> Self {
        Self {
            aggregate: Mode::IndividualFields,
            fields_to_aggregate: Vec::new(),
            destination_field_name: "data".to_owned(),
            include: Include::All,
            fields: Names::default(),
            merge_lists: false,
            keep_missing: false,
            dot_notation: true,
            include_binaries: false,
        }
    }
}

/// What is put into lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
enum Mode {
    /// Single fields, into a list each.
    #[serde(alias = "aggregateIndividualFields")]
    IndividualFields,
    /// Whole items, into one list.
    #[serde(alias = "aggregateAllItemData")]
    AllItemData,
}

/// Which fields of the items go into the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
enum Include {
    /// All of them.
    #[serde(alias = "allFields")]
    All,
    /// Those named in `fields`.
    #[serde(alias = "specifiedFields")]
    Selected,
    /// All but those named in `fields`.
    #[serde(alias = "allFieldsExcept")]
    Except,
}

/// A field that becomes a list.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct AggregatedField {
    /// Its name in the items, for example `customer.name`.
    field_to_aggregate: String,
    /// Its name in the new item; the last part of its own name when missing.
    #[serde(default)]
    output_field_name: Option<String>,
}

impl AggregatedField {
    fn output_name(&self, notation: Notation) -> String {
        match self.output_field_name.as_deref() {
            Some(name) if !name.is_empty() => name.to_owned(),
            _ => notation.last_part(&self.field_to_aggregate),
        }
    }
}

#[async_trait]
impl Typed for Aggregate {
    type Parameters = AggregateParameters;

    fn descriptor(&self) -> Descriptor {
        Descriptor {
            example: Example {
                title: "The names of all items as one list",
                fields: json!({ "fieldsToAggregate": [
                    { "fieldToAggregate": "customer.name", "outputFieldName": "names" },
                ] }),
                input: json!([{ "customer": { "name": "Ada" } }, { "customer": {} }, { "customer": { "name": "Bob" } }]),
                output: json!([[{ "names": ["Ada", "Bob"] }]]),
            },
            ..describe::node(
                Group::Transform,
                "aggregate",
                "Aggregate",
                "Makes one item of many: fields become lists, or whole items become one list. The opposite of split out.",
            )
        }
    }

    fn check(&self, parameters: &AggregateParameters) -> Vec<(String, String)> {
        match parameters.aggregate {
            Mode::IndividualFields => output_names(parameters).err().into_iter().collect(),
            Mode::AllItemData if parameters.destination_field_name.trim().is_empty() => {
                vec![("destinationFieldName".to_owned(), "a field needs a name".to_owned())]
            }
            Mode::AllItemData => Vec::new(),
        }
    }

    async fn run(&self, call: Call<'_>) -> Result<Outcome, NodeError> {
        let parameters: AggregateParameters = call.parameters(0)?;
        let items = call.items();
        let (json, used) = match parameters.aggregate {
            Mode::IndividualFields => (lists_of_fields(items, &parameters)?, (0..items.len()).collect()),
            Mode::AllItemData => list_of_items(items, &parameters),
        };
        let binary = parameters.include_binaries.then(|| files_of(items)).filter(|files| !files.is_empty());
        let origins = used.into_iter().map(|item| OriginItem { item, input: 0 }).collect();
        let item =
            Item { json: Arc::new(json), binary: binary.map(Arc::new), paired_item: Origin::Many(origins) };
        Ok(Outcome::items(vec![item]))
    }
}

/// The names of the lists, each used once.
fn output_names(parameters: &AggregateParameters) -> Result<Vec<String>, (String, String)> {
    let notation = Notation::dots(parameters.dot_notation);
    if parameters.fields_to_aggregate.is_empty() {
        return Err(("fieldsToAggregate".to_owned(), "No fields specified".to_owned()));
    }
    let mut names: Vec<String> = Vec::new();
    for (index, field) in parameters.fields_to_aggregate.iter().enumerate() {
        let path = format!("fieldsToAggregate[{index}]");
        if field.field_to_aggregate.trim().is_empty() {
            return Err((format!("{path}.fieldToAggregate"), "a field needs a name".to_owned()));
        }
        let name = field.output_name(notation);
        // What an expression gives is known when it has been worked out.
        if !name.contains("}}") && names.contains(&name) {
            return Err((
                format!("{path}.outputFieldName"),
                format!("The '{name}' output field is used more than once"),
            ));
        }
        names.push(name);
    }
    Ok(names)
}

fn lists_of_fields(items: &[Item], parameters: &AggregateParameters) -> Result<JsonMap, NodeError> {
    let notation = Notation::dots(parameters.dot_notation);
    let names = output_names(parameters).map_err(|(path, message)| NodeError::parameter(&path, message))?;
    let mut json = JsonMap::new();
    for (field, name) in parameters.fields_to_aggregate.iter().zip(names) {
        let mut list = Vec::new();
        for item in items {
            match notation.get(&item.json, &field.field_to_aggregate) {
                None | Some(Value::Null) if !parameters.keep_missing => {}
                None => list.push(Value::Null),
                Some(Value::Array(elements)) => {
                    let kept =
                        elements.iter().filter(|value| parameters.keep_missing || !value.is_null()).cloned();
                    if parameters.merge_lists {
                        list.extend(kept);
                    } else {
                        list.push(kept.collect());
                    }
                }
                Some(value) => list.push(value.clone()),
            }
        }
        notation
            .set(&mut json, &name, Value::Array(list))
            .map_err(|message| NodeError::parameter("fieldsToAggregate", message))?;
    }
    Ok(json)
}

/// The list of whole items, and which items are in it: one that has none of the wanted fields is left out.
fn list_of_items(items: &[Item], parameters: &AggregateParameters) -> (JsonMap, Vec<usize>) {
    let named: Vec<&str> = parameters.fields.iter().collect();
    let keeps = |name: &str| match parameters.include {
        Include::All => true,
        Include::Selected => named.contains(&name),
        Include::Except => !named.contains(&name),
    };
    let mut list = Vec::new();
    let mut used = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let json: JsonMap = item
            .json
            .iter()
            .filter(|(name, _)| keeps(name))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        if parameters.include == Include::All || !json.is_empty() {
            list.push(Value::Object(json));
            used.push(index);
        }
    }
    (JsonMap::from_iter([(parameters.destination_field_name.clone(), Value::Array(list))]), used)
}

/// The files of all items; one whose name is taken gets a number.
fn files_of(items: &[Item]) -> BTreeMap<String, crate::item::Binary> {
    let mut all = BTreeMap::new();
    for (name, file) in items.iter().filter_map(|item| item.binary.as_ref()).flat_map(|files| files.iter()) {
        let mut candidate = name.clone();
        let mut number = 0u32;
        while all.contains_key(&candidate) {
            candidate = format!("{name}_{number}");
            number += 1;
        }
        all.insert(candidate, file.clone());
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::item::Binary;
    use crate::nodes::testing::Trial;

    #[test]
    fn fields_become_lists() {
        let input =
            json!([{ "a": 1, "b": { "c": "x" }, "l": [1, null] }, { "a": null, "l": [2] }, { "a": 3 }]);
        for (fields, expected) in [
            (json!({ "fieldsToAggregate": [{ "fieldToAggregate": "a" }] }), json!({ "a": [1, 3] })),
            (
                json!({ "fieldsToAggregate": [{ "fieldToAggregate": "a" }], "keepMissing": true }),
                json!({ "a": [1, null, 3] }),
            ),
            (json!({ "fieldsToAggregate": [{ "fieldToAggregate": "b.c" }] }), json!({ "c": ["x"] })),
            (
                json!({ "fieldsToAggregate": [{ "fieldToAggregate": "b.c", "outputFieldName": "all.c" }] }),
                json!({ "all": { "c": ["x"] } }),
            ),
            (json!({ "fieldsToAggregate": [{ "fieldToAggregate": "l" }] }), json!({ "l": [[1], [2]] })),
            (
                json!({ "fieldsToAggregate": [{ "fieldToAggregate": "l" }], "mergeLists": true }),
                json!({ "l": [1, 2] }),
            ),
            (
                json!({ "fieldsToAggregate": [{ "fieldToAggregate": "a" }, { "fieldToAggregate": "none" }] }),
                json!({ "a": [1, 3], "none": [] }),
            ),
        ] {
            let trial = Trial::of("aggregate", fields.clone()).input(input.clone());
            assert_eq!(trial.outputs(), Ok(json!([[expected]])), "{fields}");
            assert_eq!(trial.origins(), [vec![(0, 0), (0, 1), (0, 2)]]);
        }
    }

    #[test]
    fn whole_items_become_one_list() {
        let input = json!([{ "a": 1, "b": 2 }, { "b": 3 }]);
        for (fields, expected, origins) in [
            (json!({}), json!({ "data": [{ "a": 1, "b": 2 }, { "b": 3 }] }), vec![(0, 0), (0, 1)]),
            (
                json!({ "destinationFieldName": "all", "include": "specifiedFields", "fields": "a" }),
                json!({ "all": [{ "a": 1 }] }),
                vec![(0, 0)],
            ),
            (
                json!({ "include": "allFieldsExcept", "fields": ["a"] }),
                json!({ "data": [{ "b": 2 }, { "b": 3 }] }),
                vec![(0, 0), (0, 1)],
            ),
        ] {
            let mut fields = fields;
            fields["aggregate"] = json!("allItemData");
            let trial = Trial::of("aggregate", fields.clone()).input(input.clone());
            assert_eq!(trial.outputs(), Ok(json!([[expected]])), "{fields}");
            assert_eq!(trial.origins(), [origins]);
        }
    }

    #[test]
    fn files_of_one_name_are_told_apart() {
        let with_file = |data: &str| Item {
            binary: Some(Arc::new(
                [("file".to_owned(), Binary { data: data.into(), ..Binary::default() })].into(),
            )),
            ..Item::default()
        };
        let fields = json!({ "aggregate": "allItemData", "includeBinaries": true });
        let items = Trial::of("aggregate", fields).items(vec![with_file("1"), with_file("2")]).first_output();
        let names: Vec<_> = items[0].binary.as_ref().unwrap().keys().cloned().collect();
        assert_eq!(names, ["file", "file_0"]);
    }

    #[test]
    fn a_name_that_is_used_twice_is_refused() {
        let fields =
            json!({ "fieldsToAggregate": [{ "fieldToAggregate": "a.x" }, { "fieldToAggregate": "b.x" }] });
        let problems = Aggregate.check(&serde_json::from_value(fields).unwrap());
        assert_eq!(problems[0].0, "fieldsToAggregate[1].outputFieldName");
        assert!(problems[0].1.contains("'x'"), "{}", problems[0].1);
    }
}
