//! The fields of schedule and webhook nodes, as far as rows are derived from them.

use engine::definition::{NodeDefinition, Settings};
use engine::nodes::{ScheduleParameters, WebhookParameters};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::schedules::{self, MissedRunPolicy, OverlapPolicy, Timing};
use crate::webhooks::{Rules, WebhookPath};
use crate::{Error, Result};

/// The node type that starts executions by the clock.
pub(super) const SCHEDULE: &str = "schedule";

/// The node type that starts executions by a call.
pub(super) const WEBHOOK: &str = "webhook";

/// Most rules of one schedule node.
const MAX_RULES: usize = 100;

/// One rule of a schedule node.
#[derive(Clone, Debug)]
pub(super) struct ScheduleRule {
    /// The value of `schedules.node_id`.
    pub rule_id: String,
    /// The name to show.
    pub name: String,
    /// When it fires.
    pub timing: Timing,
    /// Whether the node takes part.
    pub is_enabled: bool,
    /// For occurrences that nobody fired.
    pub missed_run_policy: MissedRunPolicy,
    /// How many of them are caught up.
    pub max_catch_up: u32,
    /// When the last execution still runs.
    pub overlap_policy: OverlapPolicy,
    /// Up to how long an occurrence is put off.
    pub jitter_ms: u32,
}

/// A webhook node.
#[derive(Clone, Debug)]
pub(super) struct WebhookNode {
    /// The node.
    pub node_id: String,
    /// Its address.
    pub path: WebhookPath,
    /// What it asks and answers.
    pub rules: Rules,
    /// Whether the node takes part.
    pub is_enabled: bool,
}

/// The rules of a schedule node.
pub(super) fn schedule_rules(node: &NodeDefinition, settings: &Settings) -> Result<Vec<ScheduleRule>> {
    let parameters: ScheduleParameters = read(node)?;
    let name = name(node);
    if schedules::split_rule(&node.id).is_some() {
        return Err(wrong(node, "id", "ends in # and a number, which stands for a rule"));
    }
    if parameters.rules.len() > MAX_RULES {
        return Err(wrong(node, "fields.rules", format!("has more than {MAX_RULES} rules")));
    }
    let missed_run_policy = parameters.missed_run_policy.as_str().parse()?;
    let overlap_policy = parameters.overlap_policy.as_str().parse()?;
    let jitter_ms = whole(node, "fields.jitterMs", parameters.jitter_ms)?;
    let mut rules = Vec::new();
    for (index, time) in parameters.times().enumerate() {
        let zone = time.timezone.as_deref().or(settings.timezone.as_deref()).unwrap_or("UTC");
        let timing = Timing::new(&time.cron, zone);
        timing.check().map_err(|error| wrong(node, &format!("fields, cron {:?}", time.cron), error))?;
        rules.push(ScheduleRule {
            rule_id: schedules::rule_id(&node.id, index),
            name: if index == 0 { name.to_owned() } else { format!("{name} #{index}") },
            timing,
            is_enabled: !node.data.disabled,
            missed_run_policy,
            max_catch_up: parameters.max_catch_up,
            overlap_policy,
            jitter_ms,
        });
    }
    if rules.is_empty() {
        return Err(wrong(node, "fields.cron", "is missing: the schedule never fires"));
    }
    Ok(rules)
}

/// What a webhook node asks of its callers.
pub(super) fn webhook(node: &NodeDefinition) -> Result<WebhookNode> {
    let parameters: WebhookParameters = read(node)?;
    let path = WebhookPath::parse(&parameters.path).map_err(|error| wrong(node, "fields.path", error))?;
    let rules = Rules {
        method: parameters.method.as_str().parse()?,
        signature_scheme: parameters.signature.as_str().parse()?,
        tolerance_secs: whole(node, "fields.toleranceSecs", parameters.tolerance_secs)?,
        dedup_window_secs: whole(node, "fields.dedupWindowSecs", parameters.dedup_window_secs)?,
        dedup_header: parameters.dedup_header.filter(|header| !header.is_empty()),
        response_mode: parameters.response_mode.as_str().parse()?,
        max_body_bytes: parameters
            .max_body_bytes
            .map(|bytes| whole(node, "fields.maxBodyBytes", bytes))
            .transpose()?,
    };
    rules.check().map_err(|error| wrong(node, "fields", error))?;
    Ok(WebhookNode { node_id: node.id.clone(), path, is_enabled: !node.data.disabled, rules })
}

fn read<T: DeserializeOwned>(node: &NodeDefinition) -> Result<T> {
    let fields = serde_json::to_value(&node.data.fields).unwrap_or(Value::Null);
    serde_path_to_error::deserialize(&fields)
        .map_err(|error| wrong(node, &format!("fields.{}", error.path()), error.inner()))
}

fn whole(node: &NodeDefinition, place: &str, number: u64) -> Result<u32> {
    u32::try_from(number).map_err(|_| wrong(node, place, format!("{number} is too large")))
}

fn name(node: &NodeDefinition) -> &str {
    node.data.label.as_deref().unwrap_or(&node.id)
}

fn wrong(node: &NodeDefinition, place: &str, reason: impl std::fmt::Display) -> Error {
    Error::invalid("definition", format!("has a problem in node {:?}, {place}: {reason}", name(node)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::webhooks::{Method, ResponseMode, SignatureScheme};

    fn node(node_type: &str, fields: Value) -> NodeDefinition {
        serde_json::from_value(
            json!({"id": "n", "data": {"label": "N", "nodeType": node_type, "fields": fields}}),
        )
        .unwrap()
    }

    #[test]
    fn a_schedule_node_gives_a_schedule_for_each_rule() {
        let fields = json!({
            "rules": [{"cron": "0 9 * * 1-5"}, {"cron": "@hourly", "timezone": "Europe/Berlin"}],
            "timezone": "America/New_York", "missedRunPolicy": "catchUp", "overlapPolicy": "cancel_previous",
            "jitterMs": 500, "maxCatchUp": 3,
        });
        let rules = schedule_rules(&node(SCHEDULE, fields), &Settings::default()).unwrap();
        let ids: Vec<_> = rules.iter().map(|rule| rule.rule_id.as_str()).collect();
        assert_eq!(ids, ["n", "n#1"]);
        assert_eq!(rules[0].timing, Timing::new("0 9 * * 1-5", "America/New_York"));
        assert_eq!(rules[1].timing, Timing::new("@hourly", "Europe/Berlin"));
        assert_eq!(rules[1].missed_run_policy, MissedRunPolicy::CatchUp);
        assert_eq!(rules[1].overlap_policy, OverlapPolicy::CancelPrevious);
        assert_eq!((rules[1].jitter_ms, rules[1].max_catch_up), (500, 3));
    }

    #[test]
    fn the_workflow_s_time_zone_is_the_schedule_s_default() {
        let settings = Settings { timezone: Some("Asia/Tokyo".to_owned()), ..Settings::default() };
        let rules = schedule_rules(&node(SCHEDULE, json!({"cron": "@daily"})), &settings).unwrap();
        assert_eq!(rules[0].timing.timezone, "Asia/Tokyo");
    }

    #[test]
    fn a_trigger_that_cannot_be_read_is_named_with_node_and_field() {
        for (node_type, fields, place) in [
            (SCHEDULE, json!({}), "fields.cron"),
            (SCHEDULE, json!({"rules": [{"cron": "@daily"}, {"cron": "x"}]}), "cron \"x\""),
            (SCHEDULE, json!({"rules": [{"cron": 5}]}), "fields.rules[0].cron"),
            (SCHEDULE, json!({"cron": "@daily", "overlapPolicy": "maybe"}), "fields.overlapPolicy"),
            (WEBHOOK, json!({}), "path"),
            (WEBHOOK, json!({"path": "a b"}), "fields.path"),
            (WEBHOOK, json!({"path": "a", "method": "BREW"}), "fields.method"),
            (WEBHOOK, json!({"path": "a", "toleranceSecs": -1}), "fields.toleranceSecs"),
        ] {
            let node = node(node_type, fields.clone());
            let error = match node_type {
                SCHEDULE => schedule_rules(&node, &Settings::default()).unwrap_err(),
                _ => webhook(&node).unwrap_err(),
            };
            let message = error.to_string();
            assert!(message.contains("\"N\"") && message.contains(place), "{fields}: {message}");
        }
    }

    #[test]
    fn a_webhook_node_is_read_with_its_defaults() {
        let read = webhook(&node(WEBHOOK, json!({"path": "/orders/"}))).unwrap();
        assert_eq!(read.path.as_str(), "orders");
        assert_eq!(read.rules, Rules { signature_scheme: SignatureScheme::None, ..Rules::default() });
        let fields =
            json!({"path": "orders", "method": "ANY", "signature": "github", "responseMode": "lastNode"});
        let read = webhook(&node(WEBHOOK, fields)).unwrap();
        assert_eq!(read.rules.method, Method::Any);
        assert_eq!(read.rules.signature_scheme, SignatureScheme::Github);
        assert_eq!(read.rules.response_mode, ResponseMode::LastNode);
    }
}
