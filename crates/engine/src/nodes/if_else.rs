//! If: two ways to go on.

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use super::conditions::{Conditions, Judge};
use super::{EachItem, ParameterReader, describe};
use crate::node::{Call, Descriptor, Example, Group, NodeError, Outcome, Typed};

/// The node type `if`.
pub struct If;

/// Parameters of [`If`].
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct IfParameters {
    /// What is asked of each item.
    conditions: Conditions,
}

#[async_trait]
impl Typed for If {
    type Parameters = IfParameters;

    fn descriptor(&self) -> Descriptor {
        let operator = json!({ "type": "number", "operation": "gte" });
        Descriptor {
            outputs: describe::ports(&["true", "false"]),
            example: Example {
                title: "Large orders one way, small ones the other",
                fields: json!({ "conditions": { "conditions": [
                    { "leftValue": "={{ $json.total }}", "operator": operator, "rightValue": 100 },
                ] } }),
                input: json!([{ "total": 250 }, { "total": 20 }]),
                output: json!([[{ "total": 250 }], [{ "total": 20 }]]),
            },
            ..describe::node(
                Group::Flow,
                "if",
                "If",
                "Sends each item to the output `true` or `false`, depending on conditions.",
            )
        }
    }

    fn check(&self, parameters: &IfParameters) -> Vec<(String, String)> {
        parameters.conditions.problems("conditions")
    }

    async fn run(&self, call: Call<'_>) -> Result<Outcome, NodeError> {
        let mut reader = ParameterReader::<IfParameters>::new(&call);
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
    use serde_json::{Value, json};

    use crate::nodes::testing::{Trial, bare};

    fn larger_than_one() -> Value {
        json!({ "conditions": { "conditions": [
            { "leftValue": "={{ $json.n }}", "operator": { "type": "number", "operation": "gt" }, "rightValue": 1 },
        ] } })
    }

    #[test]
    fn items_keep_their_data_and_origin_on_both_ways() {
        let trial = Trial::of("if", larger_than_one()).input(json!([{ "n": 1 }, { "n": 2 }, { "n": 3 }]));
        assert_eq!(trial.outputs(), Ok(json!([[{ "n": 2 }, { "n": 3 }], [{ "n": 1 }]])));
        assert_eq!(trial.origins(), [vec![(0, 1)], vec![(0, 2)]]);
    }

    #[test]
    fn a_wrong_type_stops_the_node_at_its_item() {
        let error =
            Trial::of("if", larger_than_one()).input(json!([{ "n": 1 }, { "n": "x" }])).run().unwrap_err();
        assert_eq!(error.item, Some(1));
        assert!(error.message.starts_with("Wrong type: 'x' is a string"), "{}", error.message);
    }

    #[test]
    fn only_the_item_that_failed_leaves_by_the_error_output() {
        let trial = Trial::of("if", larger_than_one())
            .option("onError", json!("continueErrorOutput"))
            .input(json!([{ "n": 1 }, { "n": "x" }, { "n": 2 }]));
        let outputs = trial.outputs().unwrap();
        assert_eq!(outputs[0], json!([{ "n": 2 }]));
        assert_eq!(outputs[1], json!([{ "n": 1 }]));
        assert_eq!(outputs[2][0]["n"], "x");
        assert_eq!(outputs[2][0]["error"]["code"], "invalid_condition");
    }

    #[test]
    fn an_item_that_failed_goes_on_with_its_error() {
        let trial = Trial::of("if", larger_than_one())
            .option("onError", json!("continue"))
            .input(json!([{ "n": "x" }]));
        let items = bare(&trial.first_output());
        assert_eq!(items[0]["n"], "x");
        assert!(items[0]["error"]["message"].as_str().unwrap().contains("Wrong type"));
    }

    #[test]
    fn passing_items_share_their_data() {
        let trial = Trial::of("if", larger_than_one()).input(json!([{ "n": 2 }]));
        let before = std::sync::Arc::as_ptr(&trial.given()[0].json);
        assert_eq!(std::sync::Arc::as_ptr(&trial.first_output()[0].json), before);
    }
}
