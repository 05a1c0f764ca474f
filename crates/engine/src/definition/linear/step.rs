//! One step as a node.

use serde_json::{Map, Value, json};

use super::conditions;
use crate::definition::{NodeData, NodeDefinition, OnError, Problem};
use crate::item::JsonMap;
use crate::retry::RetryPolicy;

/// A step that was read.
pub(super) struct Step {
    /// Where it stands in the list, for problems.
    pub(super) path: String,
    /// A filter before it, where the step has conditions of its own.
    pub(super) guard: Option<NodeDefinition>,
    /// The node.
    pub(super) node: NodeDefinition,
    /// Whether it starts executions.
    pub(super) is_trigger: bool,
}

/// Services that stand for "built in": their action is the node type.
const BUILT_IN_SERVICES: [&str; 7] = ["core", "built_in", "builtin", "flow", "logic", "tidemill", "tools"];

/// Other words for node types.
const SYNONYMS: [(&str, &str); 21] = [
    ("api", "http_request"),
    ("cron", "schedule"),
    ("delay", "wait"),
    ("email", "send_email"),
    ("smtp", "send_email"),
    ("http", "http_request"),
    ("https", "http_request"),
    ("javascript", "code"),
    ("loop_over_items", "loop"),
    ("manual_trigger", "manual"),
    ("noop", "no_op"),
    ("schedule_trigger", "schedule"),
    ("scheduler", "schedule"),
    ("script", "code"),
    ("set", "edit_fields"),
    ("sleep", "wait"),
    ("split_in_batches", "loop"),
    ("sub_workflow", "execute_workflow"),
    ("timer", "schedule"),
    ("transform", "edit_fields"),
    ("webhook_trigger", "webhook"),
];

const TRIGGERS: [&str; 3] = ["manual", "schedule", "webhook"];

/// Node types that need no `operation`: the service alone says what they do.
const PLAIN_TYPES: [&str; 14] = [
    "code",
    "edit_fields",
    "execute_workflow",
    "filter",
    "http_request",
    "if",
    "limit",
    "loop",
    "manual",
    "merge",
    "schedule",
    "send_email",
    "wait",
    "webhook",
];

/// Reads every step, in their order.
pub(super) fn read_all(rows: &[Value]) -> Result<Vec<Step>, Problem> {
    let mut ordered = Vec::with_capacity(rows.len());
    for (index, row) in rows.iter().enumerate() {
        let path = format!("steps[{index}]");
        let Value::Object(row) = row else { return Err(Problem::shape(&path, "a step must be an object")) };
        let order = match row.get("step_order") {
            None | Some(Value::Null) => None,
            Some(order) => Some(order.as_f64().ok_or_else(|| {
                Problem::shape(&format!("{path}.step_order"), "the order of a step must be a number")
            })?),
        };
        ordered.push((order, index, path, row.clone()));
    }
    // Steps without an order keep their place among equals.
    if ordered.iter().all(|(order, ..)| order.is_some()) {
        ordered.sort_by(|a, b| a.0.unwrap_or_default().total_cmp(&b.0.unwrap_or_default()));
    }
    ordered.into_iter().map(|(_, index, path, row)| read(row, index, path)).collect()
}

fn read(mut row: JsonMap, index: usize, path: String) -> Result<Step, Problem> {
    let mut reader = Reader { row: &mut row, path: &path };
    reader.take(&["step_order"]);
    let id = match reader.take(&["id"]) {
        Some(Value::String(id)) if !id.trim().is_empty() => id,
        Some(Value::Number(id)) => id.to_string(),
        _ => format!("step-{}", index + 1),
    };
    let is_row = reader.row.contains_key("service_name") || reader.row.contains_key("step_type");
    let mut data = if is_row { autofy(&mut reader)? } else { agent_flow(&mut reader)? };
    data.disabled |= reader.flag(&["is_enabled", "isEnabled", "enabled"])? == Some(false);
    data.disabled |= reader.flag(&["disabled"])? == Some(true);
    data.notes = reader.text(&["notes", "description"])?;
    data.integration = reader.text(&["integration", "integration_id", "integrationId"])?;
    read_errors(&mut reader, is_row, &mut data)?;
    let own_conditions = reader.take(&["conditions"]).unwrap_or(Value::Null);
    let is_condition = data.node_type == "filter" && !data.fields.contains_key("conditions");
    let mut guard = None;
    if let Some(found) = conditions::read(&own_conditions, &format!("{path}.conditions"))? {
        if is_condition {
            data.fields.insert("conditions".to_owned(), found);
        } else {
            guard = Some(guard_before(&id, &data, found));
        }
    }
    let is_trigger = TRIGGERS.contains(&data.node_type.as_str()) || data.node_type.ends_with("_trigger");
    data.other = row;
    Ok(Step { path, guard, node: NodeDefinition { id, data, ..NodeDefinition::default() }, is_trigger })
}

/// A row of Autofy's `workflow_steps`.
fn autofy(reader: &mut Reader<'_>) -> Result<NodeData, Problem> {
    let kind = reader.text(&["step_type"])?.unwrap_or_else(|| "action".to_owned());
    let service = reader.text(&["service_name"])?.unwrap_or_default();
    let action = reader.text(&["action_name"])?.unwrap_or_default();
    let mut fields = reader.object(&["configuration"])?;
    let (service_word, action_word) = (word(&service), word(&action));
    let node_type = match kind.as_str() {
        "delay" => {
            fields = duration(fields);
            "wait".to_owned()
        }
        "condition" => {
            if !fields.contains_key("conditions")
                && let Some(found) = conditions::read(
                    &Value::Object(fields.clone()),
                    &format!("{}.configuration", reader.path),
                )?
            {
                fields = Map::from_iter([("conditions".to_owned(), found)]);
            }
            "filter".to_owned()
        }
        "trigger" | "action" => {
            if BUILT_IN_SERVICES.contains(&service_word.as_str()) || service_word.is_empty() {
                synonym(&action_word)
            } else {
                let node_type = synonym(&service_word);
                if !PLAIN_TYPES.contains(&node_type.as_str()) && !action_word.is_empty() {
                    fields.entry("operation").or_insert_with(|| Value::String(action_word.clone()));
                }
                if kind == "trigger" && !TRIGGERS.contains(&node_type.as_str()) {
                    format!("{}_trigger", node_type.trim_end_matches("_trigger"))
                } else {
                    node_type
                }
            }
        }
        other => {
            let message =
                format!("unknown step type {other:?}; expected trigger, action, condition or delay");
            return Err(Problem::shape(&format!("{}.step_type", reader.path), message));
        }
    };
    if node_type.is_empty() {
        let message = "a step needs a service and an action";
        return Err(Problem::shape(&format!("{}.service_name", reader.path), message));
    }
    let title =
        [service.as_str(), action.as_str()].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>();
    let label = reader
        .text(&["name", "step_name", "label"])?
        .or_else(|| (!title.is_empty()).then(|| title.join(": ")));
    Ok(NodeData { label, node_type, fields, ..NodeData::default() })
}

/// A step of AgentFlow.
fn agent_flow(reader: &mut Reader<'_>) -> Result<NodeData, Problem> {
    let written = reader.text(&["nodeType", "node_type", "type", "action", "tool"])?.unwrap_or_default();
    if written.trim().is_empty() {
        return Err(Problem::shape(&format!("{}.type", reader.path), "a step needs a type"));
    }
    let node_type = synonym(&word(&written));
    let label = reader.text(&["name", "label", "title"])?.or(Some(written));
    let mut fields = reader.object(&["fields", "config", "configuration", "parameters", "params"])?;
    if node_type == "wait" {
        fields = duration(fields);
    }
    let timeout_ms = match reader.take(&["timeoutMs", "timeout_ms"]) {
        None => None,
        Some(value) => {
            Some(value.as_u64().ok_or_else(|| reader.wrong("timeoutMs", "a number of milliseconds"))?)
        }
    };
    Ok(NodeData { label, node_type, fields, timeout_ms, ..NodeData::default() })
}

/// What happens when the step fails.
fn read_errors(reader: &mut Reader<'_>, is_row: bool, data: &mut NodeData) -> Result<(), Problem> {
    if let Some(policy) = reader.take(&["retry"]) {
        data.retry =
            Some(serde_json::from_value(policy).map_err(|error| reader.wrong("retry", &error.to_string()))?);
    }
    if let Some(on_error) = reader.take(&["onError"]) {
        data.on_error =
            serde_json::from_value(on_error).map_err(|error| reader.wrong("onError", &error.to_string()))?;
    }
    let has_handling = reader.row.get("error_handling").is_some_and(|value| !value.is_null());
    let handling = reader.object(&["error_handling", "errorHandling"])?;
    let is_action = is_row && data.node_type != "wait" && data.node_type != "filter";
    if has_handling || is_action {
        // The columns' default: {"retry": true, "max_retries": 3}.
        let retries =
            handling.get("max_retries").or(handling.get("maxRetries")).map_or(Some(3), Value::as_u64);
        let retries = retries.and_then(|retries| u32::try_from(retries).ok());
        let retries = retries.ok_or_else(|| reader.wrong("error_handling.max_retries", "a whole number"))?;
        if handling.get("retry").is_none_or(|retry| retry == &Value::Bool(true)) {
            data.retry =
                Some(RetryPolicy { max_attempts: retries.saturating_add(1), ..RetryPolicy::default() });
        }
    }
    let goes_on = ["continue_on_error", "continueOnError"]
        .into_iter()
        .any(|key| handling.get(key) == Some(&Value::Bool(true)));
    if goes_on {
        data.on_error = OnError::Continue;
    }
    Ok(())
}

fn guard_before(id: &str, data: &NodeData, conditions: Value) -> NodeDefinition {
    let name = data.label.clone().unwrap_or_else(|| id.to_owned());
    NodeDefinition {
        id: format!("{id}-conditions"),
        data: NodeData {
            label: Some(format!("{name} (conditions)")),
            node_type: "filter".to_owned(),
            fields: Map::from_iter([("conditions".to_owned(), conditions)]),
            disabled: data.disabled,
            ..NodeData::default()
        },
        ..NodeDefinition::default()
    }
}

/// `{"minutes": 5}`, `{"duration": 5, "unit": "minutes"}` as the fields of a wait node.
fn duration(mut fields: JsonMap) -> JsonMap {
    for unit in ["seconds", "minutes", "hours", "days"] {
        let amount = fields.remove(unit).or_else(|| fields.remove(&format!("delay_{unit}")));
        if let Some(amount) = amount {
            fields.insert("amount".to_owned(), amount);
            fields.insert("unit".to_owned(), json!(unit));
        }
    }
    if let Some(amount) = fields.remove("duration").or_else(|| fields.remove("delay")) {
        fields.insert("amount".to_owned(), amount);
    }
    fields
}

/// A name as a node type is written: `HTTP Request` and `httpRequest` are `http_request`.
fn word(text: &str) -> String {
    let mut out = String::new();
    let mut was_lower = false;
    for c in text.trim().chars() {
        if c.is_alphanumeric() {
            if c.is_uppercase() && was_lower {
                out.push('_');
            }
            out.extend(c.to_lowercase());
        } else if !out.ends_with('_') && !out.is_empty() {
            out.push('_');
        }
        was_lower = c.is_lowercase() || c.is_numeric();
    }
    out.trim_end_matches('_').to_owned()
}

fn synonym(word: &str) -> String {
    SYNONYMS.iter().find(|(other, _)| *other == word).map_or(word, |(_, node_type)| node_type).to_owned()
}

/// Takes properties out of a step, so that what is left was not understood.
struct Reader<'a> {
    row: &'a mut JsonMap,
    path: &'a str,
}

impl Reader<'_> {
    fn take(&mut self, names: &[&str]) -> Option<Value> {
        names.iter().find_map(|name| self.row.shift_remove(*name)).filter(|value| !value.is_null())
    }

    fn text(&mut self, names: &[&str]) -> Result<Option<String>, Problem> {
        let Some(name) = names.iter().find(|name| self.row.contains_key(**name)) else { return Ok(None) };
        match self.take(&[name]) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(self.wrong(name, "text")),
        }
    }

    fn flag(&mut self, names: &[&str]) -> Result<Option<bool>, Problem> {
        let Some(name) = names.iter().find(|name| self.row.contains_key(**name)) else { return Ok(None) };
        match self.take(&[name]) {
            None => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(flag)),
            Some(_) => Err(self.wrong(name, "true or false")),
        }
    }

    fn object(&mut self, names: &[&str]) -> Result<JsonMap, Problem> {
        let Some(name) = names.iter().find(|name| self.row.contains_key(**name)) else {
            return Ok(JsonMap::new());
        };
        match self.take(&[name]) {
            None => Ok(JsonMap::new()),
            Some(Value::Object(map)) => Ok(map),
            Some(_) => Err(self.wrong(name, "an object")),
        }
    }

    fn wrong(&self, name: &str, expected: &str) -> Problem {
        Problem::shape(&format!("{}.{name}", self.path), format!("expected {expected}"))
    }
}
