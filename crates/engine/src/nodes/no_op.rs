//! No operation: a place to join lines or to stop.

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use super::{describe, each_item};
use crate::node::{Call, Descriptor, Example, Group, NodeError, Outcome, Typed};

/// The node type `no_op`.
pub struct NoOp;

/// It has no parameters.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NoOpParameters {}

#[async_trait]
impl Typed for NoOp {
    type Parameters = NoOpParameters;

    fn descriptor(&self) -> Descriptor {
        Descriptor {
            example: Example {
                title: "Items pass unchanged",
                fields: json!({}),
                input: json!([{ "a": 1 }, { "a": 2 }]),
                output: json!([[{ "a": 1 }, { "a": 2 }]]),
            },
            ..describe::node(
                Group::Flow,
                "no_op",
                "No operation",
                "Does nothing: its items pass. Makes the end of a branch, or the place where lines meet, visible.",
            )
        }
    }

    async fn run(&self, call: Call<'_>) -> Result<Outcome, NodeError> {
        Ok(Outcome::outputs(vec![each_item::pass_all(&call.shared_items())]))
    }
}
