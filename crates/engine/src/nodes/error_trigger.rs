//! The error trigger: another workflow's execution failed.

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use super::describe;
use crate::node::{Call, Descriptor, Example, NodeError, Outcome, Typed};

/// The node type `error_trigger`.
pub struct ErrorTrigger;

/// It has no parameters.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ErrorTriggerParameters {}

#[async_trait]
impl Typed for ErrorTrigger {
    type Parameters = ErrorTriggerParameters;

    fn descriptor(&self) -> Descriptor {
        let failure = json!({
            "execution": {
                "id": "0198c1f2-7d5e-7c3a-9b1f-2f6a4f0f5a11",
                "lastNodeExecuted": "Post the result",
                "error": { "code": "http_status", "message": "the server answered 503" },
            },
            "workflow": { "id": "0198c1f2-0000-7c3a-9b1f-2f6a4f0f5a12", "name": "Nightly report" },
        });
        Descriptor {
            example: Example {
                title: "What a failed execution gives",
                fields: json!({}),
                input: json!([failure]),
                output: json!([[failure]]),
            },
            ..describe::trigger(
                "error_trigger",
                "Error trigger",
                "Starts the workflow when an execution of a workflow fails whose settings name this one as its error workflow.",
            )
        }
    }

    async fn run(&self, call: Call<'_>) -> Result<Outcome, NodeError> {
        Ok(Outcome::outputs(vec![call.shared_items()]))
    }
}
