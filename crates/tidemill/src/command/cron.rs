//! `tidemill cron next`

use std::path::PathBuf;
use std::process::ExitCode;

use chrono::{DateTime, SecondsFormat, Utc};
use clap::{Args, Subcommand};
use engine::cron::{CronExpression, parse_timezone};
use serde::{Deserialize, Serialize};
use store::Clock as _;

use super::{batch, say};

/// Most occurrences that are listed at once.
const MAX_COUNT: usize = 100_000;

/// Ask about cron expressions
#[derive(Debug, Args)]
pub(crate) struct Cron {
    #[command(subcommand)]
    question: Question,
}

#[derive(Debug, Subcommand)]
enum Question {
    /// Print the next occurrences, one a line, in UTC
    Next(Next),
}

#[derive(Debug, Args)]
struct Next {
    /// Five fields (minute hour day-of-month month day-of-week), six with seconds first, or @daily and its like
    #[arg(required_unless_present = "batch")]
    expression: Option<String>,
    /// IANA time zone
    #[arg(long = "tz", value_name = "ZONE", default_value = "UTC")]
    timezone: String,
    /// Only later than this moment (RFC 3339); now when missing
    #[arg(long, value_name = "TIME")]
    after: Option<DateTime<Utc>>,
    /// How many
    #[arg(short = 'n', long, default_value_t = 5)]
    count: usize,
    /// Answer each line of a file, {"expression", "timezone", "after", "count"}, with {"next": [...]}; - is standard input
    #[arg(long, value_name = "FILE.jsonl", conflicts_with = "expression")]
    batch: Option<PathBuf>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    expression: String,
    timezone: Option<String>,
    after: Option<DateTime<Utc>>,
    count: Option<usize>,
}

#[derive(Serialize)]
struct Answer {
    next: Vec<String>,
}

impl Cron {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let Question::Next(next) = self.question;
        let now = store::SystemClock.now();
        if let Some(path) = &next.batch {
            let (timezone, after, count) = (&next.timezone, next.after.unwrap_or(now), next.count);
            batch::answer_lines(path, |line: Line| {
                let timezone = line.timezone.as_deref().unwrap_or(timezone);
                let next = occurrences(
                    &line.expression,
                    timezone,
                    line.after.unwrap_or(after),
                    line.count.unwrap_or(count),
                )?;
                Ok(Answer { next })
            })?;
        } else {
            let expression = next.expression.unwrap_or_default();
            let found = occurrences(&expression, &next.timezone, next.after.unwrap_or(now), next.count);
            for occurrence in found.map_err(anyhow::Error::msg)? {
                say(occurrence);
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn occurrences(
    expression: &str,
    timezone: &str,
    after: DateTime<Utc>,
    count: usize,
) -> Result<Vec<String>, String> {
    if count > MAX_COUNT {
        return Err(format!("count: at most {MAX_COUNT}"));
    }
    let expression = CronExpression::parse(expression).map_err(|error| error.to_string())?;
    let timezone = parse_timezone(timezone).map_err(|error| error.to_string())?;
    let next = expression.upcoming(after, timezone).take(count);
    Ok(next.map(|time| time.to_rfc3339_opts(SecondsFormat::AutoSi, true)).collect())
}
