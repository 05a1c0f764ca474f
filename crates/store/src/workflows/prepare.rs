//! A definition read and judged, before anything of it is written.

use engine::definition::{Definition, ProblemCode, Severity};
use engine::node::{Catalogue, Group};
use serde_json::Value;

use super::Status;
use super::trigger_fields::{self, ScheduleRule, WebhookNode};
use crate::{Error, Result, text};

/// Problems that an error message lists; the caller who wants all of them validates the definition itself.
const LISTED_PROBLEMS: usize = 5;

/// A definition with all that a save derives from it.
pub(super) struct Prepared {
    /// As it is stored.
    pub value: Value,
    /// As it was read.
    pub definition: Definition,
    /// The value of `workflows.trigger_type`.
    pub trigger_type: &'static str,
    /// The parameters of the first trigger.
    pub trigger_config: Value,
    /// The rules of its schedule nodes.
    pub rules: Vec<ScheduleRule>,
    /// Its webhook nodes.
    pub webhooks: Vec<WebhookNode>,
}

impl Prepared {
    /// Reads a definition for a workflow with this status.
    pub(super) fn of(value: Value, status: Status, catalogue: &Catalogue) -> Result<Self> {
        text::refuse_nul_in("definition", &value)?;
        let is_graph = value.get("nodes").is_some();
        let definition = Definition::from_json(value.clone())
            .map_err(|problem| Error::invalid("definition", format!("cannot be read: {problem}")))?;
        // A list of steps is stored as the chain that it means, so that readers know one shape only.
        let value = if is_graph {
            value
        } else {
            serde_json::to_value(&definition)
                .map_err(|error| Error::invalid("definition", format!("cannot be written: {error}")))?
        };
        check(&definition, status, catalogue)?;

        let is_active = status == Status::Active;
        let mut rules = Vec::new();
        let mut webhooks = Vec::new();
        for node in &definition.nodes {
            match node.data.node_type.as_str() {
                trigger_fields::SCHEDULE => {
                    rules.extend(settled(
                        trigger_fields::schedule_rules(node, &definition.settings),
                        is_active,
                    )?);
                }
                trigger_fields::WEBHOOK => {
                    webhooks.extend(settled(trigger_fields::webhook(node).map(Some), is_active)?);
                }
                _ => {}
            }
        }
        let trigger = definition
            .nodes
            .iter()
            .filter(|node| !node.data.disabled)
            .filter(|node| {
                catalogue
                    .get(&node.data.node_type)
                    .is_some_and(|known| known.descriptor().group == Group::Trigger)
            })
            .min_by(|a, b| a.position.order(&b.position));
        Ok(Self {
            trigger_type: trigger.map_or("manual", |node| trigger_type(&node.data.node_type)),
            trigger_config: trigger.map_or_else(
                || Value::Object(serde_json::Map::new()),
                |node| serde_json::to_value(&node.data.fields).unwrap_or_default(),
            ),
            value,
            rules,
            webhooks,
            definition,
        })
    }
}

/// An active workflow must be runnable; a draft must only be small enough to look at.
fn check(definition: &Definition, status: Status, catalogue: &Catalogue) -> Result<()> {
    let checked = definition.validate(catalogue);
    let problems: Vec<String> = checked
        .problems
        .iter()
        .filter(|problem| problem.severity == Severity::Error)
        .filter(|problem| status == Status::Active || problem.code == ProblemCode::Limit)
        .map(ToString::to_string)
        .collect();
    if problems.is_empty() {
        return Ok(());
    }
    let more = problems.len().saturating_sub(LISTED_PROBLEMS);
    let mut reason = problems.into_iter().take(LISTED_PROBLEMS).collect::<Vec<_>>().join("; ");
    if more > 0 {
        reason += &format!("; and {more} more");
    }
    Err(Error::invalid("definition", format!("has problems: {reason}")))
}

/// What cannot be read yet counts as absent, unless the workflow is active.
fn settled<T: Default>(read: Result<T>, is_active: bool) -> Result<T> {
    match read {
        Err(Error::Invalid { .. }) if !is_active => Ok(T::default()),
        outcome => outcome,
    }
}

fn trigger_type(node_type: &str) -> &'static str {
    match node_type {
        trigger_fields::SCHEDULE => "scheduled",
        trigger_fields::WEBHOOK => "webhook",
        _ => "manual",
    }
}
