//! Edit fields: sets, renames by copying, keeps or drops the fields of each item.

use std::sync::Arc;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::path::Notation;
use super::{EachItem, ParameterReader, convert, describe};
use crate::item::{Item, JsonMap};
use crate::node::{Call, Descriptor, Example, Group, NodeError, Outcome, Typed};

/// The node type `edit_fields`.
pub struct EditFields;

/// Parameters of [`EditFields`].
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct EditFieldsParameters {
    /// Whether the fields are given one by one or as JSON.
    mode: Mode,
    /// The fields to set, in `fields` mode.
    assignments: Vec<Assignment>,
    /// An object whose fields are set, in `json` mode; text is parsed as JSON.
    json: Value,
    /// Which fields of the input item are kept besides.
    include_other_fields: Include,
    /// Names of the fields for `selected` and `except`: a list, or text with commas.
    fields: Names,
    /// Whether `a.b` means `b` inside `a`; otherwise it is a field of that name.
    dot_notation: bool,
    /// A value that cannot be converted to its type is kept as it is, where it would be an error.
    ignore_conversion_errors: bool,
    /// Whether files attached to the item are kept.
    include_binary: bool,
}

impl Default for EditFieldsParameters {
    fn default() -> Self {
        Self {
            mode: Mode::Fields,
            assignments: Vec::new(),
            json: Value::Null,
            include_other_fields: Include::None,
            fields: Names::List(Vec::new()),
            dot_notation: true,
            ignore_conversion_errors: false,
            include_binary: true,
        }
    }
}

/// How the new fields are given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
enum Mode {
    /// One by one.
    Fields,
    /// As one JSON object.
    Json,
}

/// Which other fields of the input item are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
enum Include {
    /// All of them.
    All,
    /// None.
    None,
    /// Those named in `fields`.
    Selected,
    /// All but those named in `fields`.
    Except,
}

/// A field to set.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Assignment {
    /// The editor's id; not read.
    #[serde(default)]
    #[expect(dead_code, reason = "accepted so that an editor can keep its rows apart")]
    id: Option<Value>,
    /// Name of the field, for example `address.city`.
    name: String,
    /// The type the value is converted to; as it is when missing.
    #[serde(default, rename = "type")]
    kind: Kind,
    /// The value; usually an expression such as `={{ $json.town }}`.
    #[serde(default)]
    value: Value,
}

/// The type of a field.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) enum Kind {
    /// Whatever the value is.
    #[default]
    Any,
    /// Text.
    String,
    /// A number.
    Number,
    /// True or false.
    Boolean,
    /// A list.
    Array,
    /// An object.
    Object,
}

/// Names of fields.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(super) enum Names {
    /// As a list.
    List(Vec<String>),
    /// As text with commas.
    Text(String),
}

impl Default for Names {
    fn default() -> Self {
        Self::List(Vec::new())
    }
}

impl Names {
    /// The names, without blanks around them and without empty ones.
    pub(super) fn iter(&self) -> impl Iterator<Item = &str> {
        let (list, text) = match self {
            Self::List(list) => (list.as_slice(), ""),
            Self::Text(text) => (&[][..], text.as_str()),
        };
        list.iter().map(String::as_str).chain(text.split(',')).map(str::trim).filter(|name| !name.is_empty())
    }
}

impl Kind {
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Any => "any",
            Self::String => "string",
            Self::Number => "number",
            Self::Boolean => "boolean",
            Self::Array => "array",
            Self::Object => "object",
        }
    }

    /// The value as this type; null stays null.
    pub(super) fn convert(self, value: &Value) -> Option<Value> {
        if value.is_null() {
            return Some(Value::Null);
        }
        match self {
            Self::Any => Some(value.clone()),
            Self::String => Some(Value::String(convert::text(value))),
            Self::Number => match value {
                Value::Number(_) => Some(value.clone()),
                _ => convert::number(value).map(convert::number_value),
            },
            Self::Boolean => convert::boolean(value).map(Value::Bool),
            Self::Array => convert::array(value).map(Value::Array),
            Self::Object => convert::object(value).map(Value::Object),
        }
    }
}

#[async_trait]
impl Typed for EditFields {
    type Parameters = EditFieldsParameters;

    fn descriptor(&self) -> Descriptor {
        Descriptor {
            example: Example {
                title: "One new field and one converted, the rest kept",
                fields: json!({
                    "assignments": [
                        { "name": "address.city", "type": "string", "value": "Lyon" },
                        { "name": "amount", "type": "number", "value": "12.50" },
                    ],
                    "includeOtherFields": "all",
                }),
                input: json!([{ "name": "Ada", "amount": "12.50" }]),
                output: json!([[{ "name": "Ada", "amount": 12.5, "address": { "city": "Lyon" } }]]),
            },
            ..describe::node(
                Group::Transform,
                "edit_fields",
                "Edit fields",
                "Sets fields of each item, converts their types, and keeps all, none or some of the other fields.",
            )
        }
    }

    fn check(&self, parameters: &EditFieldsParameters) -> Vec<(String, String)> {
        let mut problems = Vec::new();
        for (index, assignment) in parameters.assignments.iter().enumerate() {
            if assignment.name.trim().is_empty() {
                problems.push((format!("assignments[{index}].name"), "a field needs a name".to_owned()));
            }
        }
        if parameters.mode == Mode::Json
            && let Err(error) = read_object(&parameters.json)
        {
            problems.push(("json".to_owned(), error));
        }
        problems
    }

    async fn run(&self, call: Call<'_>) -> Result<Outcome, NodeError> {
        let mut reader = ParameterReader::<EditFieldsParameters>::new(&call);
        let mut results = EachItem::new(&call, 1);
        for (index, item) in call.items().iter().enumerate() {
            match reader.read(index).and_then(|parameters| edit(item, &parameters)) {
                Ok(edited) => results.push(0, edited.from_input(index)),
                Err(error) => results.fail(index, error)?,
            }
        }
        Ok(results.finish())
    }
}

fn edit(item: &Item, parameters: &EditFieldsParameters) -> Result<Item, NodeError> {
    let notation = Notation::dots(parameters.dot_notation);
    let mut json = kept_fields(item, parameters, notation)?;
    match parameters.mode {
        Mode::Fields => {
            for (index, assignment) in parameters.assignments.iter().enumerate() {
                let value = convert_value(assignment, index, parameters.ignore_conversion_errors)?;
                notation.set(&mut json, &assignment.name, value).map_err(|message| {
                    NodeError::parameter(&format!("assignments[{index}].name"), message)
                })?;
            }
        }
        Mode::Json => {
            let object =
                read_object(&parameters.json).map_err(|message| NodeError::parameter("json", message))?;
            for (name, value) in object {
                notation
                    .set(&mut json, &name, value)
                    .map_err(|message| NodeError::parameter("json", message))?;
            }
        }
    }
    let binary = item.binary.as_ref().filter(|_| parameters.include_binary).map(Arc::clone);
    Ok(Item { json: Arc::new(json), binary, ..Item::default() })
}

fn kept_fields(
    item: &Item,
    parameters: &EditFieldsParameters,
    notation: Notation,
) -> Result<JsonMap, NodeError> {
    match parameters.include_other_fields {
        Include::All => Ok((*item.json).clone()),
        Include::None => Ok(JsonMap::new()),
        Include::Except => {
            let mut json = (*item.json).clone();
            for name in parameters.fields.iter() {
                notation.remove(&mut json, name);
            }
            Ok(json)
        }
        Include::Selected => {
            let mut json = JsonMap::new();
            for name in parameters.fields.iter() {
                if let Some(value) = notation.get(&item.json, name) {
                    notation
                        .set(&mut json, &notation.last_part(name), value.clone())
                        .map_err(|message| NodeError::parameter("fields", message))?;
                }
            }
            Ok(json)
        }
    }
}

fn convert_value(assignment: &Assignment, index: usize, ignore_errors: bool) -> Result<Value, NodeError> {
    let Assignment { name, kind, value, .. } = assignment;
    match kind.convert(value) {
        Some(converted) => Ok(converted),
        None if ignore_errors => Ok(value.clone()),
        None => Err(NodeError::parameter(
            &format!("assignments[{index}].value"),
            format!("'{name}' expects a {} but we got {}", kind.word(), convert::describe(value)),
        )),
    }
}

fn read_object(value: &Value) -> Result<JsonMap, String> {
    match value {
        Value::Object(map) => Ok(map.clone()),
        Value::String(text) => match serde_json::from_str(text) {
            Ok(Value::Object(map)) => Ok(map),
            Ok(other) => {
                Err(format!("expected a JSON object, but the text holds {}", convert::kind_of(&other)))
            }
            Err(error) => Err(format!("the text is not valid JSON: {error}")),
        },
        other => Err(format!("expected a JSON object, found {}", convert::kind_of(other))),
    }
}

#[cfg(test)]
mod tests;
