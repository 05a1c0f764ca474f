//! The workflow trigger: another workflow calls this one.

use std::sync::Arc;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::edit_fields::Kind;
use super::{convert, describe};
use crate::item::{Item, JsonMap};
use crate::node::{Call, Descriptor, Example, NodeError, Outcome, Typed};

/// The node type `workflow_trigger`.
pub struct WorkflowTrigger;

/// Parameters of [`WorkflowTrigger`].
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct WorkflowTriggerParameters {
    /// The fields that the workflow takes. With none declared, items are taken as they come.
    #[serde(default)]
    inputs: Vec<WorkflowInput>,
}

/// A field that the workflow takes.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct WorkflowInput {
    /// Its name.
    name: String,
    /// Its type; values are converted to it.
    #[serde(default, rename = "type")]
    kind: Kind,
    /// Whether a caller must give it; otherwise it is null when missing.
    #[serde(default)]
    required: bool,
}

#[async_trait]
impl Typed for WorkflowTrigger {
    type Parameters = WorkflowTriggerParameters;

    fn descriptor(&self) -> Descriptor {
        Descriptor {
            example: Example {
                title: "Two declared fields; what else the caller gives is left out",
                fields: json!({ "inputs": [
                    { "name": "customer", "type": "number", "required": true },
                    { "name": "language", "type": "string" },
                ] }),
                input: json!([{ "customer": "17", "secret": true }]),
                output: json!([[{ "customer": 17, "language": null }]]),
            },
            ..describe::trigger(
                "workflow_trigger",
                "Called by a workflow",
                "Starts the workflow when another one runs it, and gives out the items it was given.",
            )
        }
    }

    fn check(&self, parameters: &WorkflowTriggerParameters) -> Vec<(String, String)> {
        let nameless = |(index, input): (usize, &WorkflowInput)| {
            input
                .name
                .trim()
                .is_empty()
                .then(|| (format!("inputs[{index}].name"), "an input needs a name".to_owned()))
        };
        parameters.inputs.iter().enumerate().filter_map(nameless).collect()
    }

    async fn run(&self, call: Call<'_>) -> Result<Outcome, NodeError> {
        let parameters: WorkflowTriggerParameters = call.parameters(0)?;
        if parameters.inputs.is_empty() {
            return Ok(Outcome::outputs(vec![call.shared_items()]));
        }
        let take = |(index, item): (usize, &Item)| {
            let json = declared_fields(item, &parameters.inputs).map_err(|error| error.at_item(index))?;
            Ok(Item { json: Arc::new(json), ..item.clone() })
        };
        let items = call.items().iter().enumerate().map(take).collect::<Result<Vec<_>, NodeError>>()?;
        Ok(Outcome::items(items))
    }
}

fn declared_fields(item: &Item, inputs: &[WorkflowInput]) -> Result<JsonMap, NodeError> {
    let mut json = JsonMap::new();
    for input in inputs {
        let value = item.json.get(&input.name).unwrap_or(&Value::Null);
        if input.required && value.is_null() {
            return Err(NodeError::fatal(
                "missing_input",
                format!("the caller did not give the input '{}'", input.name),
            ));
        }
        let value = input.kind.convert(value).ok_or_else(|| {
            let found = convert::describe(value);
            NodeError::fatal(
                "invalid_input",
                format!("the input '{}' expects a {}, not {found}", input.name, input.kind.word()),
            )
        })?;
        json.insert(input.name.clone(), value);
    }
    Ok(json)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nodes::testing::Trial;

    #[test]
    fn a_missing_or_wrong_input_is_named() {
        let fields = json!({ "inputs": [
            { "name": "id", "type": "number", "required": true },
            { "name": "on", "type": "boolean" },
        ] });
        for (input, message) in [
            (json!({}), "the caller did not give the input 'id'"),
            (json!({ "id": 1, "on": "maybe" }), "the input 'on' expects a boolean, not 'maybe'"),
        ] {
            let error =
                Trial::of("workflow_trigger", fields.clone()).input(json!([input])).run().unwrap_err();
            assert_eq!(error.message, message);
            assert_eq!(error.item, Some(0));
        }
    }

    #[test]
    fn undeclared_inputs_pass_as_they_are() {
        let trial = Trial::of("workflow_trigger", json!({})).input(json!([{ "a": { "b": 1 } }]));
        assert_eq!(trial.outputs(), Ok(json!([[{ "a": { "b": 1 } }]])));
    }
}
