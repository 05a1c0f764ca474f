//! The schedule trigger: a time has come.

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::describe;
use crate::cron::{CronExpression, parse_timezone};
use crate::node::{Call, Descriptor, Example, NodeError, Outcome, Typed};

/// Most rules of one trigger.
const MAX_RULES: usize = 100;

/// Longest random delay of an occurrence: a day, in milliseconds.
const MAX_JITTER_MS: u64 = 86_400_000;

/// Most missed occurrences that are made up for.
const MAX_CATCH_UP: u32 = 1_000;

/// The node type `schedule`.
pub struct Schedule;

/// Parameters of [`Schedule`]. Saving a workflow writes them into its row of `schedules`, so expressions have no
/// place here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct ScheduleParameters {
    /// When it fires: five fields of Unix cron, six with seconds first, or a nickname such as `@daily`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cron: Option<String>,
    /// IANA time zone of `cron`, and of rules without one; the workflow's when missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timezone: Option<String>,
    /// More times at which it fires.
    pub rules: Vec<ScheduleRule>,
    /// What happens to occurrences that nobody fired, because no scheduler ran.
    pub missed_run_policy: MissedRunPolicy,
    /// What happens when the execution of the last occurrence still runs.
    pub overlap_policy: OverlapPolicy,
    /// Each occurrence is put off by a random time up to this, in milliseconds, so that many do not fire at once.
    pub jitter_ms: u64,
    /// How many missed occurrences `catchUp` fires at most.
    pub max_catch_up: u32,
}

/// A time at which a schedule fires.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ScheduleRule {
    /// The cron expression.
    pub cron: String,
    /// Its IANA time zone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timezone: Option<String>,
}

/// What happens to occurrences that nobody fired.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum MissedRunPolicy {
    /// They are left out.
    Skip,
    /// One execution stands for all of them.
    #[default]
    #[serde(alias = "run_once")]
    RunOnce,
    /// Each is fired, the latest ones up to a bound.
    #[serde(alias = "catch_up")]
    CatchUp,
}

/// What happens when the last execution still runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum OverlapPolicy {
    /// Both run.
    #[default]
    Allow,
    /// The new occurrence is left out.
    Skip,
    /// The new one waits for the old one.
    Queue,
    /// The old one is cancelled.
    #[serde(alias = "cancel_previous")]
    CancelPrevious,
}

impl MissedRunPolicy {
    /// The word in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Skip => "skip",
            Self::RunOnce => "run_once",
            Self::CatchUp => "catch_up",
        }
    }
}

impl OverlapPolicy {
    /// The word in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Skip => "skip",
            Self::Queue => "queue",
            Self::CancelPrevious => "cancel_previous",
        }
    }
}

impl Default for ScheduleParameters {
    fn default() -> Self {
        Self {
            cron: None,
            timezone: None,
            rules: Vec::new(),
            missed_run_policy: MissedRunPolicy::default(),
            overlap_policy: OverlapPolicy::default(),
            jitter_ms: 0,
            max_catch_up: 10,
        }
    }
}

impl ScheduleParameters {
    /// Every time at which it fires, `cron` first; a zone is there wherever the fields name one.
    pub fn times(&self) -> impl Iterator<Item = ScheduleRule> + '_ {
        let own = self.cron.iter().map(|cron| ScheduleRule { cron: cron.clone(), timezone: None });
        own.chain(self.rules.iter().cloned())
            .map(|rule| ScheduleRule { timezone: rule.timezone.or_else(|| self.timezone.clone()), ..rule })
    }
}

#[async_trait]
impl Typed for Schedule {
    type Parameters = ScheduleParameters;

    fn descriptor(&self) -> Descriptor {
        let occurrence = json!({ "timestamp": "2030-01-07T08:00:00Z" });
        Descriptor {
            example: Example {
                title: "On working days at eight in Berlin",
                fields: json!({ "cron": "0 8 * * MON-FRI", "timezone": "Europe/Berlin", "overlapPolicy": "skip" }),
                input: json!([occurrence]),
                output: json!([[occurrence]]),
            },
            ..describe::trigger(
                "schedule",
                "Schedule trigger",
                "Starts the workflow at times given by cron expressions, in any time zone.",
            )
        }
    }

    fn check(&self, parameters: &ScheduleParameters) -> Vec<(String, String)> {
        let mut problems = Vec::new();
        let mut check_time = |prefix: &str, cron: Option<&String>, timezone: Option<&String>| {
            if let Some(Err(error)) = cron.map(|cron| CronExpression::parse(cron)) {
                problems.push((format!("{prefix}cron"), error.to_string()));
            }
            if let Some(Err(error)) = timezone.map(|timezone| parse_timezone(timezone)) {
                problems.push((format!("{prefix}timezone"), error.to_string()));
            }
        };
        check_time("", parameters.cron.as_ref(), parameters.timezone.as_ref());
        for (index, rule) in parameters.rules.iter().enumerate() {
            check_time(&format!("rules[{index}]."), Some(&rule.cron), rule.timezone.as_ref());
        }
        if parameters.times().next().is_none() {
            problems.push(("cron".to_owned(), "a schedule needs a cron expression".to_owned()));
        }
        if parameters.rules.len() > MAX_RULES {
            problems.push(("rules".to_owned(), format!("a schedule has at most {MAX_RULES} rules")));
        }
        if parameters.jitter_ms > MAX_JITTER_MS {
            problems.push(("jitterMs".to_owned(), format!("must be at most {MAX_JITTER_MS} (one day)")));
        }
        if parameters.max_catch_up > MAX_CATCH_UP {
            problems.push(("maxCatchUp".to_owned(), format!("must be at most {MAX_CATCH_UP}")));
        }
        problems
    }

    fn is_literal(&self, _path: &str) -> bool {
        true
    }

    async fn run(&self, call: Call<'_>) -> Result<Outcome, NodeError> {
        Ok(Outcome::outputs(vec![call.shared_items()]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    fn problems(fields: Value) -> Vec<(String, String)> {
        Schedule.check(&serde_json::from_value(fields).unwrap())
    }

    #[test]
    fn a_bad_time_is_named() {
        for (fields, expected) in [
            (json!({}), "cron"),
            (json!({ "cron": "61 * * * *" }), "cron"),
            (json!({ "cron": "@daily", "timezone": "Berlin" }), "timezone"),
            (json!({ "rules": [{ "cron": "@daily" }, { "cron": "x" }] }), "rules[1].cron"),
            (json!({ "rules": [{ "cron": "@daily", "timezone": "Mars/Base" }] }), "rules[0].timezone"),
            (json!({ "cron": "@daily", "jitterMs": 90_000_000 }), "jitterMs"),
            (json!({ "cron": "@daily", "maxCatchUp": 5_000 }), "maxCatchUp"),
        ] {
            let paths: Vec<_> = problems(fields.clone()).into_iter().map(|(path, _)| path).collect();
            assert_eq!(paths, [expected], "{fields}");
        }
        assert_eq!(problems(json!({ "cron": "*/5 * * * *" })), []);
    }

    #[test]
    fn every_time_has_the_zone_that_applies_to_it() {
        let parameters: ScheduleParameters = serde_json::from_value(json!({
            "cron": "@daily",
            "timezone": "Europe/Paris",
            "rules": [{ "cron": "@hourly" }, { "cron": "@weekly", "timezone": "UTC" }],
        }))
        .unwrap();
        let times: Vec<_> = parameters.times().map(|rule| (rule.cron, rule.timezone.unwrap())).collect();
        let expected = [("@daily", "Europe/Paris"), ("@hourly", "Europe/Paris"), ("@weekly", "UTC")];
        assert_eq!(times, expected.map(|(cron, zone)| (cron.to_owned(), zone.to_owned())));
    }
}
