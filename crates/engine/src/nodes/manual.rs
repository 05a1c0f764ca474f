//! The manual trigger: a person starts the workflow.

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use super::describe;
use crate::node::{Call, Descriptor, Example, NodeError, Outcome, Typed};

/// The node type `manual`.
pub struct Manual;

/// It has no parameters.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ManualParameters {}

#[async_trait]
impl Typed for Manual {
    type Parameters = ManualParameters;

    fn descriptor(&self) -> Descriptor {
        Descriptor {
            example: Example {
                title: "The items given by hand go on as they are",
                fields: json!({}),
                input: json!([{ "order": 17 }]),
                output: json!([[{ "order": 17 }]]),
            },
            ..describe::trigger(
                "manual",
                "Manual trigger",
                "Starts the workflow when a person or an API call runs it, and gives out the items they passed.",
            )
        }
    }

    async fn run(&self, call: Call<'_>) -> Result<Outcome, NodeError> {
        Ok(Outcome::outputs(vec![call.shared_items()]))
    }
}
