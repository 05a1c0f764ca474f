//! Wait: goes on later, or when somebody calls.

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{convert, describe, each_item};
use crate::node::{Call, Descriptor, Example, Group, NodeError, Outcome, Resume, Typed, Wait};

/// Longest wait: ten years. A date further away is a mistake.
const MAX_WAIT_DAYS: i64 = 3_660;

/// The node type `wait`.
pub struct WaitNode;

/// Parameters of [`WaitNode`].
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct WaitParameters {
    /// What is waited for.
    resume: ResumeOn,
    /// How long, for `duration`.
    amount: f64,
    /// The unit of `amount`.
    unit: Unit,
    /// The moment, for `until`; without an offset it is in the workflow's time zone.
    date_time: Value,
    /// For `request`, after how long to go on without one; for ever when missing.
    limit_amount: Option<f64>,
    /// The unit of `limitAmount`.
    limit_unit: Unit,
    /// For `request`, the moment at which to go on without one.
    limit_date_time: Value,
}

impl Default for WaitParameters {
    fn default() -> Self {
        Self {
            resume: ResumeOn::Duration,
            amount: 5.0,
            unit: Unit::Seconds,
            date_time: Value::Null,
            limit_amount: None,
            limit_unit: Unit::Hours,
            limit_date_time: Value::Null,
        }
    }
}

/// What is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
enum ResumeOn {
    /// Some time.
    Duration,
    /// A moment.
    Until,
    /// A request to `$execution.resumeUrl`, whose contents become the item that goes on.
    Request,
}

/// A unit of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
enum Unit {
    /// Milliseconds.
    Milliseconds,
    /// Seconds.
    Seconds,
    /// Minutes.
    Minutes,
    /// Hours.
    Hours,
    /// Days of 24 hours.
    Days,
}

impl Unit {
    const fn milliseconds(self) -> f64 {
        match self {
            Self::Milliseconds => 1.0,
            Self::Seconds => 1_000.0,
            Self::Minutes => 60_000.0,
            Self::Hours => 3_600_000.0,
            Self::Days => 86_400_000.0,
        }
    }
}

#[async_trait]
impl Typed for WaitNode {
    type Parameters = WaitParameters;

    fn descriptor(&self) -> Descriptor {
        Descriptor {
            example: Example {
                title: "Ten minutes",
                fields: json!({ "resume": "duration", "amount": 10, "unit": "minutes" }),
                input: json!([{ "a": 1 }]),
                output: json!([]),
            },
            ..describe::node(
                Group::Flow,
                "wait",
                "Wait",
                "Goes on after some time, at a moment, or when a request to the execution's resume URL comes in. \
                 A waiting execution holds no worker.",
            )
        }
    }

    fn check(&self, parameters: &WaitParameters) -> Vec<(String, String)> {
        let mut problems = Vec::new();
        let mut check = |field: &str, result: Result<(), String>| {
            if let Err(message) = result {
                problems.push((field.to_owned(), message));
            }
        };
        let is_date = |value: &Value| moment(value, Tz::UTC).map(|_| ());
        match parameters.resume {
            ResumeOn::Duration => check("amount", duration(parameters.amount, parameters.unit).map(|_| ())),
            ResumeOn::Until => check("dateTime", is_date(&parameters.date_time)),
            ResumeOn::Request => {
                if let Some(amount) = parameters.limit_amount {
                    check("limitAmount", duration(amount, parameters.limit_unit).map(|_| ()));
                }
                if !parameters.limit_date_time.is_null() {
                    check("limitDateTime", is_date(&parameters.limit_date_time));
                }
            }
        }
        problems
    }

    async fn run(&self, call: Call<'_>) -> Result<Outcome, NodeError> {
        let pass = || Ok(Outcome::outputs(vec![each_item::pass_all(&call.shared_items())]));
        match &call.resume {
            Some(Resume::Request(item)) => return Ok(Outcome::items(vec![(**item).clone().from_input(0)])),
            Some(_) => return pass(),
            None => {}
        }
        let parameters: WaitParameters = call.parameters(0)?;
        let now = call.host.now();
        let zone = call.execution.timezone.parse().unwrap_or(Tz::UTC);
        let wrong = |field: &'static str| move |message: String| NodeError::parameter(field, message);
        let (until, request) = match parameters.resume {
            ResumeOn::Duration => {
                (Some(now + duration(parameters.amount, parameters.unit).map_err(wrong("amount"))?), false)
            }
            ResumeOn::Until => (Some(moment(&parameters.date_time, zone).map_err(wrong("dateTime"))?), false),
            ResumeOn::Request => {
                let after =
                    parameters.limit_amount.map(|amount| duration(amount, parameters.limit_unit)).transpose();
                let after = after.map_err(wrong("limitAmount"))?.map(|length| now + length);
                let at = Some(&parameters.limit_date_time).filter(|value| !value.is_null());
                let at = at.map(|value| moment(value, zone)).transpose().map_err(wrong("limitDateTime"))?;
                (after.into_iter().chain(at).min(), true)
            }
        };
        match until {
            Some(until) if until > now + TimeDelta::days(MAX_WAIT_DAYS) => Err(NodeError::parameter(
                "dateTime",
                format!("{until} is more than {MAX_WAIT_DAYS} days away"),
            )),
            // A moment that has passed is no reason to give the worker's place back.
            Some(until) if until <= now => pass(),
            until => Ok(Outcome::Wait(Wait { until, request })),
        }
    }
}

fn duration(amount: f64, unit: Unit) -> Result<TimeDelta, String> {
    let milliseconds = amount * unit.milliseconds();
    #[expect(clippy::cast_precision_loss, reason = "a number of milliseconds far below 2^53")]
    let longest = TimeDelta::days(MAX_WAIT_DAYS).num_milliseconds() as f64;
    if !(0.0..=longest).contains(&milliseconds) {
        return Err(format!("must be between 0 and {MAX_WAIT_DAYS} days"));
    }
    #[expect(clippy::cast_possible_truncation, reason = "checked above")]
    Ok(TimeDelta::milliseconds(milliseconds as i64))
}

fn moment(value: &Value, zone: Tz) -> Result<DateTime<Utc>, String> {
    convert::date(value, zone)
        .ok_or_else(|| format!("{} is not a date such as 2030-01-31T09:00:00", convert::describe(value)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::item::Item;
    use crate::nodes::testing::{Trial, now};

    fn outcome(fields: Value) -> Outcome {
        Trial::of("wait", fields).input(json!([{ "a": 1 }])).run().unwrap()
    }

    #[test]
    fn it_waits_for_what_it_is_told() {
        let after = |milliseconds: i64| Some(now() + TimeDelta::milliseconds(milliseconds));
        for (fields, until, request) in [
            (json!({}), after(5_000), false),
            (json!({ "amount": 1.5, "unit": "minutes" }), after(90_000), false),
            (json!({ "amount": 2, "unit": "days" }), after(172_800_000), false),
            // The workflow's time zone is Berlin, one hour ahead of UTC in winter.
            (json!({ "resume": "until", "dateTime": "2030-01-07T10:00:00" }), after(3_600_000), false),
            (
                json!({ "resume": "until", "dateTime": "=2030-01-07T{{ 11 }}:00:00Z" }),
                after(10_800_000),
                false,
            ),
            (json!({ "resume": "request" }), None, true),
            (json!({ "resume": "request", "limitAmount": 1 }), after(3_600_000), true),
            (
                json!({ "resume": "request", "limitAmount": 3, "limitDateTime": "2030-01-07T10:00:00Z" }),
                after(7_200_000),
                true,
            ),
        ] {
            match outcome(fields.clone()) {
                Outcome::Wait(wait) => assert_eq!(wait, Wait { until, request }, "{fields}"),
                other => panic!("{fields}: {other:?}"),
            }
        }
    }

    #[test]
    fn a_moment_that_has_passed_is_no_wait() {
        for fields in [json!({ "amount": 0 }), json!({ "resume": "until", "dateTime": "2020-01-01" })] {
            assert!(matches!(outcome(fields), Outcome::Done { .. }));
        }
    }

    #[test]
    fn after_the_time_the_items_go_on() {
        let trial = Trial::of("wait", json!({})).input(json!([{ "a": 1 }, { "a": 2 }])).resume(Resume::Time);
        assert_eq!(trial.outputs(), Ok(json!([[{ "a": 1 }, { "a": 2 }]])));
        assert_eq!(trial.origins(), [vec![(0, 0)], vec![(0, 1)]]);
    }

    #[test]
    fn a_request_goes_on_in_place_of_the_items() {
        let request = Item::from_value(json!({ "body": { "approved": true } }));
        let trial = Trial::of("wait", json!({ "resume": "request" }))
            .input(json!([{ "a": 1 }]))
            .resume(Resume::Request(Box::new(request)));
        assert_eq!(trial.outputs(), Ok(json!([[{ "body": { "approved": true } }]])));
    }

    #[test]
    fn a_wait_that_cannot_be_is_named() {
        for (fields, field) in [
            (json!({ "amount": -1 }), "amount"),
            (json!({ "amount": 1e300, "unit": "days" }), "amount"),
            (json!({ "resume": "until", "dateTime": "soon" }), "dateTime"),
            (json!({ "resume": "until" }), "dateTime"),
            (json!({ "resume": "request", "limitAmount": -2 }), "limitAmount"),
        ] {
            let problems = WaitNode.check(&serde_json::from_value(fields).unwrap());
            assert_eq!(problems[0].0, field);
        }
        let far =
            Trial::of("wait", json!({ "resume": "until", "dateTime": "9999-01-01" })).run().unwrap_err();
        assert!(far.message.contains("more than 3660 days away"), "{}", far.message);
    }
}
