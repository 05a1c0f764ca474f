//! Settings of the workflow as a whole.

use std::ops::RangeInclusive;

use crate::definition::{Problem, ProblemCode, Settings};

/// Longest time that an execution, or one attempt of a node, may run: 30 days, in milliseconds.
pub(super) const TIMEOUT_MS: RangeInclusive<u64> = 1..=30 * 86_400_000;

const CONCURRENCY: RangeInclusive<u32> = 1..=10_000;
const PRIORITY: RangeInclusive<i32> = -100..=100;
const MAX_STEPS: RangeInclusive<u32> = 1..=10_000_000;

pub(super) fn check(settings: &Settings, problems: &mut Vec<Problem>) {
    let mut wrong = |field: &str, message: String| {
        let field = format!("settings.{field}");
        problems.push(Problem::error(ProblemCode::InvalidSetting, None, Some(&field), message));
    };
    if let Some(zone) = &settings.timezone
        && zone.parse::<chrono_tz::Tz>().is_err()
    {
        wrong("timezone", format!("{zone:?} is not an IANA time zone such as \"Europe/Berlin\" or \"UTC\""));
    }
    if let Some(message) = settings.timeout_ms.and_then(|value| outside(value, &TIMEOUT_MS)) {
        wrong("timeoutMs", message);
    }
    if let Some(message) = settings.concurrency.and_then(|value| outside(value, &CONCURRENCY)) {
        wrong("concurrency", message);
    }
    if let Some(message) = settings.priority.and_then(|value| outside(value, &PRIORITY)) {
        wrong("priority", message);
    }
    if let Some(message) = settings.max_steps.and_then(|value| outside(value, &MAX_STEPS)) {
        wrong("maxSteps", message);
    }
}

/// What to say of a number that is outside its range.
pub(super) fn outside<N: PartialOrd + std::fmt::Display>(
    value: N,
    range: &RangeInclusive<N>,
) -> Option<String> {
    (!range.contains(&value))
        .then(|| format!("{value} is out of range; it must be between {} and {}", range.start(), range.end()))
}
