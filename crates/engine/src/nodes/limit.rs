//! Limit: keeps the first or the last items.

use std::sync::Arc;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use super::{describe, each_item};
use crate::node::{Call, Descriptor, Example, Group, NodeError, Outcome, Typed};

/// The node type `limit`.
pub struct Limit;

/// Parameters of [`Limit`].
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct LimitParameters {
    /// How many items are kept.
    max_items: usize,
    /// Which ones.
    keep: Keep,
}

impl Default for LimitParameters {
    fn default() -> Self {
        Self { max_items: 1, keep: Keep::First }
    }
}

/// Which items are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
enum Keep {
    /// The first ones.
    #[serde(alias = "firstItems")]
    First,
    /// The last ones.
    #[serde(alias = "lastItems")]
    Last,
}

#[async_trait]
impl Typed for Limit {
    type Parameters = LimitParameters;

    fn descriptor(&self) -> Descriptor {
        Descriptor {
            example: Example {
                title: "The two latest of a list in the order of time",
                fields: json!({ "maxItems": 2, "keep": "last" }),
                input: json!([{ "n": 1 }, { "n": 2 }, { "n": 3 }]),
                output: json!([[{ "n": 2 }, { "n": 3 }]]),
            },
            ..describe::node(
                Group::Transform,
                "limit",
                "Limit",
                "Keeps the first or the last items and drops the others.",
            )
        }
    }

    async fn run(&self, call: Call<'_>) -> Result<Outcome, NodeError> {
        let LimitParameters { max_items, keep } = call.parameters(0)?;
        let items = call.items();
        if items.len() <= max_items {
            return Ok(Outcome::outputs(vec![each_item::pass_all(&call.shared_items())]));
        }
        let start = if keep == Keep::First { 0 } else { items.len() - max_items };
        let kept = items.iter().enumerate().skip(start).take(max_items);
        let kept = kept.map(|(index, item)| item.clone().from_input(index)).collect();
        Ok(Outcome::outputs(vec![Arc::new(kept)]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nodes::testing::Trial;

    #[test]
    fn the_wanted_items_are_kept_in_their_order() {
        for (fields, expected, origins) in [
            (json!({}), json!([[{ "n": 1 }]]), vec![0]),
            (json!({ "maxItems": 2 }), json!([[{ "n": 1 }, { "n": 2 }]]), vec![0, 1]),
            (json!({ "maxItems": 2, "keep": "last" }), json!([[{ "n": 2 }, { "n": 3 }]]), vec![1, 2]),
            (json!({ "maxItems": 2, "keep": "lastItems" }), json!([[{ "n": 2 }, { "n": 3 }]]), vec![1, 2]),
            (json!({ "maxItems": 9 }), json!([[{ "n": 1 }, { "n": 2 }, { "n": 3 }]]), vec![0, 1, 2]),
            (json!({ "maxItems": 0 }), json!([[]]), vec![]),
        ] {
            let trial = Trial::of("limit", fields.clone()).input(json!([{ "n": 1 }, { "n": 2 }, { "n": 3 }]));
            assert_eq!(trial.outputs(), Ok(expected), "{fields}");
            assert_eq!(
                trial.origins(),
                origins.into_iter().map(|item| vec![(0, item)]).collect::<Vec<_>>(),
                "{fields}"
            );
        }
    }
}
