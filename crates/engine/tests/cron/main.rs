//! Tests of `engine::cron`: tables of facts, properties against a brute-force oracle, and thousands of
//! cases whose answers come from another implementation.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "clippy counts only the test functions themselves as tests"
)]

mod accepted;
mod cronsim;
mod daylight_saving;
mod describing;
mod jitter;
mod occurrences;
mod oracle;
mod properties;
mod refused;
mod timezones;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use engine::cron::CronExpression;

fn cron(text: &str) -> CronExpression {
    CronExpression::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn utc(text: &str) -> DateTime<Utc> {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// The next occurrences as people in the zone read them, with the offset that tells overlaps apart.
fn upcoming(text: &str, tz: Tz, after: &str, count: usize) -> Vec<String> {
    cron(text)
        .upcoming(utc(after), tz)
        .take(count)
        .map(|at| at.with_timezone(&tz).format("%Y-%m-%d %H:%M:%S %:z").to_string())
        .collect()
}
