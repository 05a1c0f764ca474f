//! Filter: keeps the items that meet conditions.

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use super::conditions::{Conditions, Judge};
use super::{EachItem, ParameterReader, describe};
use crate::node::{Call, Descriptor, Example, Group, NodeError, Outcome, Typed};

/// The node type `filter`.
pub struct Filter;

/// Parameters of [`Filter`].
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FilterParameters {
    /// What an item must meet to be kept.
    conditions: Conditions,
}

#[async_trait]
impl Typed for Filter {
    type Parameters = FilterParameters;

    fn descriptor(&self) -> Descriptor {
        let operator = json!({ "type": "string", "operation": "endsWith" });
        Descriptor {
            outputs: describe::ports(&["kept", "discarded"]),
            example: Example {
                title: "Only addresses of one company",
                fields: json!({ "conditions": { "caseSensitive": false, "conditions": [
                    { "leftValue": "={{ $json.email }}", "operator": operator, "rightValue": "@example.com" },
                ] } }),
                input: json!([{ "email": "ada@Example.com" }, { "email": "bob@else.org" }]),
                output: json!([[{ "email": "ada@Example.com" }], [{ "email": "bob@else.org" }]]),
            },
            ..describe::node(
                Group::Flow,
                "filter",
                "Filter",
                "Keeps the items that meet conditions. The others leave by the output `discarded`, which may stay unconnected.",
            )
        }
    }

    fn check(&self, parameters: &FilterParameters) -> Vec<(String, String)> {
        parameters.conditions.problems("conditions")
    }

    async fn run(&self, call: Call<'_>) -> Result<Outcome, NodeError> {
        let mut reader = ParameterReader::<FilterParameters>::new(&call);
        let mut judge = Judge::new(&call);
        let mut results = EachItem::new(&call, 2);
        for index in 0..call.items().len() {
            match reader.read(index).and_then(|parameters| judge.holds(&parameters.conditions, index)) {
                Ok(holds) => results.pass(usize::from(!holds), index),
                Err(error) => results.fail(index, error)?,
            }
        }
        Ok(results.finish())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::nodes::testing::Trial;

    #[test]
    fn one_of_several_conditions_is_enough_with_or() {
        let fields = json!({ "conditions": { "combinator": "or", "conditions": [
            { "leftValue": "={{ $json.a }}", "operator": { "type": "string", "operation": "exists" } },
            { "leftValue": "={{ $json.n }}", "operator": { "type": "number", "operation": "lt" }, "rightValue": "={{ $json.max }}" },
        ] } });
        let trial = Trial::of("filter", fields)
            .input(json!([{ "a": "x" }, { "n": 1, "max": 2 }, { "n": 3, "max": 2 }]));
        assert_eq!(
            trial.outputs(),
            Ok(json!([[{ "a": "x" }, { "n": 1, "max": 2 }], [{ "n": 3, "max": 2 }]]))
        );
        assert_eq!(trial.origins(), [vec![(0, 0)], vec![(0, 1)]]);
    }
}
