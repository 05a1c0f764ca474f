//! The values of a schedule's columns.

use std::str::FromStr;

use chrono::{DateTime, TimeDelta, Utc};
use engine::cron::{CronExpression, parse_timezone};
use serde::{Deserialize, Serialize};

use super::Schedule;
use crate::{Error, Result};

/// For occurrences that nobody fired.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MissedRunPolicy {
    /// They are left out.
    Skip,
    /// One execution stands for all of them.
    #[default]
    RunOnce,
    /// Each is fired, up to a bound.
    CatchUp,
}

impl MissedRunPolicy {
    /// The word in the database and the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Skip => "skip",
            Self::RunOnce => "run_once",
            Self::CatchUp => "catch_up",
        }
    }
}

impl FromStr for MissedRunPolicy {
    type Err = Error;

    fn from_str(word: &str) -> Result<Self> {
        [Self::Skip, Self::RunOnce, Self::CatchUp]
            .into_iter()
            .find(|policy| policy.as_str() == word)
            .ok_or_else(|| {
                Error::invalid("missed_run_policy", format!("{word:?} is not skip, run_once or catch_up"))
            })
    }
}

/// When the last execution still runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OverlapPolicy {
    /// Both run.
    #[default]
    Allow,
    /// The new one is left out.
    Skip,
    /// The new one waits for its turn.
    Queue,
    /// The old one is cancelled.
    CancelPrevious,
}

impl OverlapPolicy {
    /// The word in the database and the API.
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

impl FromStr for OverlapPolicy {
    type Err = Error;

    fn from_str(word: &str) -> Result<Self> {
        [Self::Allow, Self::Skip, Self::Queue, Self::CancelPrevious]
            .into_iter()
            .find(|policy| policy.as_str() == word)
            .ok_or_else(|| {
                Error::invalid(
                    "overlap_policy",
                    format!("{word:?} is not allow, skip, queue or cancel_previous"),
                )
            })
    }
}

/// When a schedule fires.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timing {
    /// Five Unix fields, or six with seconds first, or a nickname.
    pub cron_expression: String,
    /// The IANA time zone in which the expression is read.
    pub timezone: String,
    /// It does not fire before.
    pub starts_at: Option<DateTime<Utc>>,
    /// It does not fire from then on.
    pub ends_at: Option<DateTime<Utc>>,
}

impl Timing {
    /// An expression in a time zone, without bounds.
    pub fn new(cron_expression: impl Into<String>, timezone: impl Into<String>) -> Self {
        Self {
            cron_expression: cron_expression.into(),
            timezone: timezone.into(),
            starts_at: None,
            ends_at: None,
        }
    }

    /// That of a schedule.
    #[must_use]
    pub fn of(schedule: &Schedule) -> Self {
        Self {
            cron_expression: schedule.cron_expression.clone(),
            timezone: schedule.timezone.clone(),
            starts_at: schedule.starts_at.map(|at| at.to_utc()),
            ends_at: schedule.ends_at.map(|at| at.to_utc()),
        }
    }

    /// Whether it can be read.
    ///
    /// # Errors
    /// [`Error::Invalid`] that names the field.
    pub fn check(&self) -> Result<()> {
        self.next_after(DateTime::UNIX_EPOCH)?;
        if let (Some(starts_at), Some(ends_at)) = (self.starts_at, self.ends_at)
            && ends_at <= starts_at
        {
            return Err(Error::invalid("ends_at", "is not after starts_at"));
        }
        Ok(())
    }

    /// The first occurrence after a time and within the bounds; `None` when there is none.
    ///
    /// # Errors
    /// [`Error::Invalid`] that names the field which cannot be read.
    pub fn next_after(&self, after: DateTime<Utc>) -> Result<Option<DateTime<Utc>>> {
        let expression = CronExpression::parse(&self.cron_expression)
            .map_err(|error| Error::invalid("cron_expression", error.to_string()))?;
        let timezone =
            parse_timezone(&self.timezone).map_err(|error| Error::invalid("timezone", error.to_string()))?;
        // An occurrence at the very start counts, hence the moment before it.
        let first = self.starts_at.map(|at| at.checked_sub_signed(TimeDelta::microseconds(1)).unwrap_or(at));
        let next = expression.next_after(first.map_or(after, |first| after.max(first)), timezone);
        Ok(next.filter(|next| self.ends_at.is_none_or(|ends_at| *next < ends_at)))
    }
}

/// The trigger node that a schedule was derived from; `None` for one that was made by hand.
///
/// A node with several rules has a schedule for each; those after the first have `#1`, `#2`, ... behind the node's id.
#[must_use]
pub fn trigger_node_id(schedule: &Schedule) -> Option<&str> {
    let node_id = schedule.node_id.as_deref()?;
    Some(split_rule(node_id).map_or(node_id, |(node, _)| node))
}

/// The value of `node_id` for a rule of a node.
pub(crate) fn rule_id(node_id: &str, rule: usize) -> String {
    if rule == 0 { node_id.to_owned() } else { format!("{node_id}#{rule}") }
}

/// A node's id and the number of the rule, if the text ends in one.
pub(crate) fn split_rule(text: &str) -> Option<(&str, usize)> {
    let (node, rule) = text.rsplit_once('#')?;
    if rule.is_empty() || !rule.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    Some((node, rule.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn a_start_before_which_there_is_nothing_does_no_harm() {
        let timing = Timing { starts_at: Some(DateTime::<Utc>::MIN_UTC), ..Timing::new("0 0 * * *", "UTC") };
        assert_eq!(timing.next_after(at("2026-01-01T00:00:00Z")).unwrap(), Some(at("2026-01-02T00:00:00Z")));
    }

    #[test]
    fn bounds_hold_and_an_occurrence_at_the_start_counts() {
        let timing = Timing {
            starts_at: Some(at("2026-05-01T00:00:00Z")),
            ends_at: Some(at("2026-05-03T00:00:00Z")),
            ..Timing::new("0 0 * * *", "UTC")
        };
        let next = |after| timing.next_after(at(after)).unwrap();
        assert_eq!(next("2026-01-01T00:00:00Z"), Some(at("2026-05-01T00:00:00Z")));
        assert_eq!(next("2026-05-01T00:00:00Z"), Some(at("2026-05-02T00:00:00Z")));
        assert_eq!(next("2026-05-02T00:00:00Z"), None, "the end is not part of it");
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        let error = Timing::new("61 * * * *", "UTC").check().unwrap_err();
        assert!(error.to_string().contains("cron_expression"), "{error}");
        let error = Timing::new("* * * * *", "Mars/Olympus").check().unwrap_err();
        assert!(error.to_string().contains("timezone"), "{error}");
    }

    #[test]
    fn the_number_of_a_rule_comes_off_the_id_of_its_node() {
        assert_eq!(rule_id("n", 0), "n");
        assert_eq!(split_rule(&rule_id("n", 2)), Some(("n", 2)));
        for plain in ["n", "n#", "n#x", "#a"] {
            assert_eq!(split_rule(plain), None, "{plain}");
        }
    }
}
