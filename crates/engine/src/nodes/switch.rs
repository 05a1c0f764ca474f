//! Switch: as many ways to go on as there are rules.

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::conditions::{Conditions, Judge};
use super::{EachItem, ParameterReader, convert, describe};
use crate::node::{Call, Descriptor, Example, Group, NodeError, Outcome, Ports, Typed};

/// Most outputs of one switch.
const MAX_OUTPUTS: usize = 100;

/// Outputs in `expression` mode when `numberOutputs` does not say.
const DEFAULT_OUTPUTS: usize = 4;

/// Name of the output for items that no rule took.
const FALLBACK: &str = "fallback";

/// The node type `switch`.
pub struct Switch;

/// Parameters of [`Switch`].
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SwitchParameters {
    /// Whether rules or a number say where an item goes.
    #[serde(default)]
    mode: Mode,
    /// In `rules` mode, a rule for each output.
    #[serde(default)]
    rules: Vec<Rule>,
    /// In `rules` mode, where items go that no rule takes: `none` (they are dropped), `extra` (an output of their
    /// own) or the number of another output.
    #[serde(default)]
    fallback_output: Fallback,
    /// Name of the extra output.
    #[serde(default)]
    #[expect(dead_code, reason = "read from the fields as written, to name the output")]
    fallback_name: Option<String>,
    /// In `rules` mode, whether an item goes to every output whose rule it meets, not only to the first.
    #[serde(default)]
    all_matching_outputs: bool,
    /// In `expression` mode, how many outputs there are: 4 when missing.
    #[serde(default)]
    number_outputs: Option<usize>,
    /// In `expression` mode, the number of the output, from 0; an expression such as `={{ $json.priority }}`.
    #[serde(default)]
    output: Value,
}

/// What says where an item goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
enum Mode {
    /// Rules.
    #[default]
    Rules,
    /// A number.
    Expression,
}

/// One output.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Rule {
    /// What an item must meet to go there.
    conditions: Conditions,
    /// Name of the output; its number when missing.
    #[serde(default)]
    #[expect(dead_code, reason = "read from the fields as written, to name the outputs")]
    output: Option<String>,
}

/// Where items go that no rule takes.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
enum Fallback {
    /// By name.
    Word(FallbackWord),
    /// To an output by number.
    Output(usize),
}

/// Where items go that no rule takes, by name.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
enum FallbackWord {
    /// Nowhere.
    None,
    /// To an output of their own.
    Extra,
}

impl Default for Fallback {
    fn default() -> Self {
        Self::Word(FallbackWord::None)
    }
}

impl SwitchParameters {
    fn output_count(&self) -> usize {
        match (self.mode, self.fallback_output) {
            (Mode::Expression, _) => self.number_outputs.unwrap_or(DEFAULT_OUTPUTS),
            (Mode::Rules, Fallback::Word(FallbackWord::Extra)) => self.rules.len() + 1,
            (Mode::Rules, _) => self.rules.len(),
        }
    }

    fn fallback(&self) -> Option<usize> {
        match self.fallback_output {
            Fallback::Word(FallbackWord::None) => None,
            Fallback::Word(FallbackWord::Extra) => Some(self.rules.len()),
            Fallback::Output(output) => Some(output),
        }
    }
}

#[async_trait]
impl Typed for Switch {
    type Parameters = SwitchParameters;

    fn descriptor(&self) -> Descriptor {
        let rule = |name: &str| {
            let operator = json!({ "type": "string", "operation": "equals" });
            let condition =
                json!({ "leftValue": "={{ $json.country }}", "operator": operator, "rightValue": name });
            json!({ "output": name, "conditions": { "conditions": [condition] } })
        };
        Descriptor {
            outputs: describe::ports(&["0"]),
            example: Example {
                title: "Orders by country, the others to an extra output",
                fields: json!({ "rules": [rule("FR"), rule("DE")], "fallbackOutput": "extra" }),
                input: json!([{ "country": "DE" }, { "country": "FR" }, { "country": "PL" }]),
                output: json!([[{ "country": "FR" }], [{ "country": "DE" }], [{ "country": "PL" }]]),
            },
            ..describe::node(
                Group::Flow,
                "switch",
                "Switch",
                "Sends each item to one of several outputs, by rules or by a number.",
            )
        }
    }

    fn outputs(&self, fields: &Value) -> Option<Ports> {
        let numbered =
            |count: usize| (0..count.min(MAX_OUTPUTS)).map(|index| index.to_string().into()).collect();
        if fields.get("mode").and_then(Value::as_str) == Some("expression") {
            let count = fields.get("numberOutputs").and_then(Value::as_u64);
            return Some(numbered(
                count.and_then(|count| usize::try_from(count).ok()).unwrap_or(DEFAULT_OUTPUTS),
            ));
        }
        let rules = fields.get("rules").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let plain = |name: Option<&Value>| {
            name.and_then(Value::as_str)
                .filter(|name| !name.is_empty() && !name.starts_with('='))
                .map(str::to_owned)
        };
        let mut ports: Ports = rules
            .iter()
            .take(MAX_OUTPUTS)
            .enumerate()
            .map(|(index, rule)| plain(rule.get("output")).unwrap_or_else(|| index.to_string()).into())
            .collect();
        if fields.get("fallbackOutput").and_then(Value::as_str) == Some("extra") {
            ports.push(plain(fields.get("fallbackName")).unwrap_or_else(|| FALLBACK.to_owned()).into());
        }
        Some(ports)
    }

    fn check(&self, parameters: &SwitchParameters) -> Vec<(String, String)> {
        let mut problems = Vec::new();
        if parameters.output_count() > MAX_OUTPUTS {
            let field = if parameters.mode == Mode::Rules { "rules" } else { "numberOutputs" };
            problems.push((field.to_owned(), format!("a switch has at most {MAX_OUTPUTS} outputs")));
        }
        match parameters.mode {
            Mode::Rules => {
                if parameters.rules.is_empty() {
                    problems.push(("rules".to_owned(), "a switch needs at least one rule".to_owned()));
                }
                for (index, rule) in parameters.rules.iter().enumerate() {
                    problems.extend(rule.conditions.problems(&format!("rules[{index}].conditions")));
                }
                if parameters.fallback().is_some_and(|output| output >= parameters.output_count()) {
                    problems.push((
                        "fallbackOutput".to_owned(),
                        "there is no output with this number".to_owned(),
                    ));
                }
            }
            Mode::Expression => {
                if let Err(message) = output_number(parameters) {
                    problems.push(("output".to_owned(), message));
                }
            }
        }
        problems
    }

    async fn run(&self, call: Call<'_>) -> Result<Outcome, NodeError> {
        let mut reader = ParameterReader::<SwitchParameters>::new(&call);
        let mut judge = Judge::new(&call);
        let own_outputs = self.outputs(&call.node.fields).map_or(0, |ports| ports.len());
        let mut results = EachItem::new(&call, own_outputs);
        for index in 0..call.items().len() {
            match reader.read(index).and_then(|parameters| choose(&parameters, &mut judge, index)) {
                Ok(chosen) => chosen.into_iter().for_each(|output| results.pass(output, index)),
                Err(error) => results.fail(index, error)?,
            }
        }
        Ok(results.finish())
    }
}

/// The outputs that an item goes to.
fn choose(parameters: &SwitchParameters, judge: &mut Judge, item: usize) -> Result<Vec<usize>, NodeError> {
    if parameters.mode == Mode::Expression {
        let output = output_number(parameters).map_err(|message| NodeError::parameter("output", message))?;
        return Ok(vec![output]);
    }
    let mut chosen = Vec::new();
    for (output, rule) in parameters.rules.iter().enumerate() {
        if judge.holds(&rule.conditions, item)? {
            chosen.push(output);
            if !parameters.all_matching_outputs {
                break;
            }
        }
    }
    if chosen.is_empty() {
        chosen.extend(parameters.fallback());
    }
    Ok(chosen)
}

fn output_number(parameters: &SwitchParameters) -> Result<usize, String> {
    let count = parameters.output_count();
    let last = count.saturating_sub(1);
    let number = convert::number(&parameters.output).filter(|_| !parameters.output.is_null());
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "checked to be a small whole number"
    )]
    #[expect(clippy::cast_precision_loss, reason = "there are at most 100 outputs")]
    match number {
        Some(number) if number.fract() == 0.0 && (0.0..count as f64).contains(&number) => Ok(number as usize),
        Some(_) => Err(format!(
            "The output {} is not allowed. It has to be between 0 and {last}.",
            convert::text(&parameters.output)
        )),
        None => Err(format!("{} is not the number of an output", convert::describe(&parameters.output))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nodes::testing::Trial;

    fn rule(at_least: i32) -> Value {
        let operator = json!({ "type": "number", "operation": "gte" });
        json!({ "conditions": { "conditions": [
            { "leftValue": "={{ $json.n }}", "operator": operator, "rightValue": at_least },
        ] } })
    }

    fn outputs(fields: Value) -> Result<Value, NodeError> {
        Trial::of("switch", fields).input(json!([{ "n": 1 }, { "n": 5 }, { "n": 9 }])).outputs()
    }

    #[test]
    fn the_first_rule_takes_an_item() {
        let fields = json!({ "rules": [rule(8), rule(4)] });
        assert_eq!(outputs(fields), Ok(json!([[{ "n": 9 }], [{ "n": 5 }]])));
    }

    #[test]
    fn every_rule_takes_an_item_where_that_is_wanted() {
        let fields = json!({ "rules": [rule(8), rule(4)], "allMatchingOutputs": true });
        assert_eq!(outputs(fields), Ok(json!([[{ "n": 9 }], [{ "n": 5 }, { "n": 9 }]])));
    }

    #[test]
    fn what_no_rule_takes_goes_to_the_fallback() {
        let fields = json!({ "rules": [rule(8), rule(4)], "fallbackOutput": "extra" });
        assert_eq!(outputs(fields), Ok(json!([[{ "n": 9 }], [{ "n": 5 }], [{ "n": 1 }]])));
        let fields = json!({ "rules": [rule(8), rule(4)], "fallbackOutput": 0 });
        assert_eq!(outputs(fields), Ok(json!([[{ "n": 1 }, { "n": 9 }], [{ "n": 5 }]])));
    }

    #[test]
    fn an_expression_gives_the_number_of_the_output() {
        let fields =
            json!({ "mode": "expression", "numberOutputs": 2, "output": "={{ $json.n > 4 ? 1 : 0 }}" });
        assert_eq!(outputs(fields), Ok(json!([[{ "n": 1 }], [{ "n": 5 }, { "n": 9 }]])));
        let fields = json!({ "mode": "expression", "numberOutputs": 2, "output": "={{ $json.n }}" });
        let error = outputs(fields).unwrap_err();
        assert_eq!(error.message, "output: The output 5 is not allowed. It has to be between 0 and 1.");
        assert_eq!(error.item, Some(1));
    }

    #[test]
    fn outputs_are_named_by_their_rules() {
        let ports = |fields: Value| Switch.outputs(&fields).unwrap();
        let mut named = rule(1);
        named["output"] = json!("large");
        assert_eq!(
            ports(json!({ "rules": [named, rule(2)], "fallbackOutput": "extra" })),
            ["large", "1", "fallback"]
        );
        assert_eq!(
            ports(json!({ "rules": [rule(2)], "fallbackOutput": "extra", "fallbackName": "rest" })),
            ["0", "rest"]
        );
        assert_eq!(ports(json!({ "mode": "expression" })), ["0", "1", "2", "3"]);
        assert_eq!(ports(json!({})), Vec::<String>::new());
    }

    #[test]
    fn parameters_that_do_not_fit_are_named() {
        for (fields, field) in [
            (json!({}), "rules"),
            (json!({ "rules": [{ "conditions": {} }], "fallbackOutput": 3 }), "fallbackOutput"),
            (json!({ "mode": "expression", "numberOutputs": 500, "output": 1 }), "numberOutputs"),
            (json!({ "mode": "expression", "output": "x" }), "output"),
            (
                json!({ "rules": [{ "conditions": { "conditions": [{ "operator": { "type": "object", "operation": "gt" } }] } }] }),
                "rules[0].conditions.conditions[0].operator.operation",
            ),
        ] {
            let problems = Switch.check(&serde_json::from_value(fields).unwrap());
            assert_eq!(problems[0].0, field);
        }
    }
}
