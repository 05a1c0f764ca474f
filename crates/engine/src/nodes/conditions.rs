//! Conditions: what *if*, *switch* and *filter* have in common.
//!
//! The operators are those of n8n's filter parameter (version 2), with its conversions: strict validation refuses
//! `"5"` where a number is expected, loose validation converts it.

mod compare;
mod operand;
mod operator;
mod pattern;

use chrono_tz::Tz;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::node::{Call, NodeError};

pub use operator::{Operation, Operator, ValueType};

/// A group of conditions.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Conditions {
    /// Whether all conditions must hold or one is enough.
    #[serde(default)]
    pub combinator: Combinator,
    /// The conditions; none at all hold for `and` and do not for `or`.
    #[serde(default)]
    pub conditions: Vec<Condition>,
    /// Whether upper and lower case differ; for patterns their flag `i` says it.
    #[serde(default = "yes")]
    pub case_sensitive: bool,
    /// Whether values of another type are converted; otherwise they are an error.
    #[serde(default)]
    pub loose_type_validation: bool,
}

impl Default for Conditions {
    fn default() -> Self {
        Self {
            combinator: Combinator::And,
            conditions: Vec::new(),
            case_sensitive: true,
            loose_type_validation: false,
        }
    }
}

const fn yes() -> bool {
    true
}

/// How the conditions of a group are joined.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Combinator {
    /// All must hold.
    #[default]
    And,
    /// One must hold.
    Or,
}

/// One comparison.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Condition {
    /// The editor's id; not read.
    #[serde(default)]
    pub id: Option<Value>,
    /// The value that is looked at; usually an expression such as `={{ $json.status }}`.
    #[serde(default)]
    pub left_value: Value,
    /// What is asked of it.
    pub operator: Operator,
    /// The value it is compared with; not needed by operations such as `exists`.
    #[serde(default)]
    pub right_value: Value,
}

impl Conditions {
    /// Names each operator that does not exist and each pattern that cannot be read, as `(path, message)`.
    #[must_use]
    pub fn problems(&self, path: &str) -> Vec<(String, String)> {
        let mut problems = Vec::new();
        for (index, condition) in self.conditions.iter().enumerate() {
            let path = format!("{path}.conditions[{index}]");
            if let Err(message) = condition.operator.check() {
                problems.push((format!("{path}.operator.operation"), message));
            } else if condition.operator.is_pattern()
                && let Value::String(pattern) = &condition.right_value
                && let Err(message) = pattern::Patterns::default().find(pattern)
            {
                problems.push((format!("{path}.rightValue"), message));
            }
        }
        problems
    }
}

/// Judges conditions for one item after the other, reading each pattern once.
pub struct Judge {
    zone: Tz,
    patterns: pattern::Patterns,
}

impl Judge {
    /// A judge for one run of a node: dates without a zone are in the execution's.
    #[must_use]
    pub fn new(call: &Call<'_>) -> Self {
        Self::in_zone(call.execution.timezone.parse().unwrap_or(Tz::UTC))
    }

    /// A judge that reads dates without a zone in this one.
    #[must_use]
    pub fn in_zone(zone: Tz) -> Self {
        Self { zone, patterns: pattern::Patterns::default() }
    }

    /// Whether the conditions hold; `item` is named in errors.
    ///
    /// # Errors
    /// When a value is of the wrong type, a pattern cannot be read, or an operator does not exist.
    pub fn holds(&mut self, conditions: &Conditions, item: usize) -> Result<bool, NodeError> {
        let is_and = conditions.combinator == Combinator::And;
        for (index, condition) in conditions.conditions.iter().enumerate() {
            let holds = self.condition_holds(condition, conditions).map_err(|message| {
                NodeError::fatal("invalid_condition", format!("{message} [condition {index}, item {item}]"))
                    .at_item(item)
            })?;
            if holds != is_and {
                return Ok(holds);
            }
        }
        Ok(is_and)
    }

    fn condition_holds(&mut self, condition: &Condition, options: &Conditions) -> Result<bool, String> {
        condition.operator.check()?;
        let (left, right) = operand::read_both(condition, options.loose_type_validation, self.zone)?;
        compare::holds(condition.operator, &left, &right, !options.case_sensitive, &mut self.patterns)
    }
}

#[cfg(test)]
mod tests;
