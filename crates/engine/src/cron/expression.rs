//! A cron expression: its parsing as a whole, and the way to its occurrences.

use std::fmt;
use std::iter::FusedIterator;
use std::str::FromStr;

use ::cron::{Schedule, TimeUnitSpec};
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::calendar::{DayPattern, Pattern, bit};
use super::field::{Field, ParsedField};
use super::{Error, search};

/// The longest accepted expression. All values of all fields written out are under 500 bytes.
const MAX_LENGTH_BYTES: usize = 1_000;

const NICKNAMES: &[(&str, &str)] = &[
    ("@yearly", "0 0 1 1 *"),
    ("@annually", "0 0 1 1 *"),
    ("@monthly", "0 0 1 * *"),
    ("@weekly", "0 0 * * 0"),
    ("@daily", "0 0 * * *"),
    ("@midnight", "0 0 * * *"),
    ("@hourly", "0 * * * *"),
];
const NICKNAMES_ALLOWED: &str = "@yearly, @annually, @monthly, @weekly, @daily, @midnight and @hourly";

/// A cron expression that has been understood. What it accepts and means is told in
/// [the module](super).
///
/// It is displayed and serialized as the text it was parsed from. Two are equal when their texts are.
#[derive(Clone)]
pub struct CronExpression {
    source: Box<str>,
    pattern: Pattern,
    is_fixed_time: bool,
}

impl CronExpression {
    /// Reads an expression of five or six fields, or a nickname such as `@daily`.
    ///
    /// # Errors
    ///
    /// An [`Error`] that names the field and the offending part and says what is allowed there; an
    /// expression whose day never comes, such as 31 February, is refused as well.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let source = text.trim();
        if source.len() > MAX_LENGTH_BYTES {
            return Err(Error::TooLong { length: source.len(), max: MAX_LENGTH_BYTES });
        }
        let expanded = expand_nickname(source)?;
        let texts: Vec<&str> = expanded.split_whitespace().collect();
        let [second, minute, hour, day, month, weekday] = match texts[..] {
            [minute, hour, day, month, weekday] => ["0", minute, hour, day, month, weekday],
            [second, minute, hour, day, month, weekday] => [second, minute, hour, day, month, weekday],
            _ => return Err(Error::FieldCount { text: source.to_owned(), found: texts.len() }),
        };
        let fields = [
            Field::Second.parse(second)?,
            Field::Minute.parse(minute)?,
            Field::Hour.parse(hour)?,
            Field::DayOfMonth.parse(day)?,
            Field::Month.parse(month)?,
            Field::DayOfWeek.parse(weekday)?,
        ];
        let pattern = read_pattern(&fields)?;
        if !pattern.days.is_possible() {
            return Err(Error::ImpossibleDate { days: day.to_owned(), months: month.to_owned() });
        }
        let is_fixed_time = !fields.iter().take(3).any(|field| field.starts_with_star);
        Ok(Self { source: source.into(), pattern, is_fixed_time })
    }

    /// The text it was parsed from.
    pub fn as_str(&self) -> &str {
        &self.source
    }

    /// The first occurrence strictly after `after`, with times understood in `tz`.
    ///
    /// `None` if there is none within fifty years, as for a job whose only time is always skipped by
    /// the clock, or before the end of chrono's calendar.
    pub fn next_after(&self, after: DateTime<Utc>, tz: Tz) -> Option<DateTime<Utc>> {
        let after = after.timestamp();
        let next = if self.is_fixed_time {
            search::next_fixed_time(&self.pattern, after, tz)?
        } else {
            search::next_shown_time(&self.pattern, after, tz)?
        };
        DateTime::from_timestamp(next, 0)
    }

    /// All occurrences strictly after `after`, in order.
    pub fn upcoming(&self, after: DateTime<Utc>, tz: Tz) -> Upcoming<'_> {
        Upcoming { expression: self, tz, after: Some(after) }
    }

    /// The occurrences strictly after `from` and not after `until`, in order, at most `limit` of them:
    /// what a schedule that last ran at `from` has missed at `until`.
    pub fn occurrences_between(
        &self,
        from: DateTime<Utc>,
        until: DateTime<Utc>,
        tz: Tz,
        limit: usize,
    ) -> Vec<DateTime<Utc>> {
        self.upcoming(from, tz).take_while(|occurrence| *occurrence <= until).take(limit).collect()
    }

    pub(super) fn pattern(&self) -> &Pattern {
        &self.pattern
    }
}

fn expand_nickname(source: &str) -> Result<&str, Error> {
    if !source.starts_with('@') {
        return Ok(source);
    }
    NICKNAMES
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case(source))
        .map(|(_, expression)| *expression)
        .ok_or_else(|| Error::UnknownNickname { text: source.to_owned(), allowed: NICKNAMES_ALLOWED })
}

/// Lets the `cron` crate work out the sets of the translated fields.
fn read_pattern(fields: &[ParsedField; 6]) -> Result<Pattern, Error> {
    let translated = fields.each_ref().map(|field| field.translated.as_deref().unwrap_or("*")).join(" ");
    let schedule = Schedule::from_str(&translated)
        .map_err(|error| Error::Unreadable { text: translated.clone(), reason: error.to_string() })?;
    let [_, _, _, day_of_month, _, day_of_week] = fields;
    let days_of_month =
        if day_of_month.translated.is_some() { read_set(schedule.days_of_month()) } else { 0 };
    Ok(Pattern {
        seconds: read_set(schedule.seconds()),
        minutes: read_set(schedule.minutes()),
        hours: read_set(schedule.hours()),
        days: DayPattern::new(
            days_of_month,
            day_of_month.last_day_of_month,
            read_set(schedule.months()),
            // The crate counts weekdays from Sunday = 1.
            read_set(schedule.days_of_week()) >> 1,
            day_of_month.starts_with_star || day_of_week.starts_with_star,
        ),
    })
}

fn read_set(values: &impl TimeUnitSpec) -> u64 {
    values.iter().fold(0, |set, value| set | bit(i64::from(value)))
}

/// The occurrences of a [`CronExpression`] in order; see [`CronExpression::upcoming`].
#[derive(Clone, Debug)]
pub struct Upcoming<'a> {
    expression: &'a CronExpression,
    tz: Tz,
    after: Option<DateTime<Utc>>,
}

impl Iterator for Upcoming<'_> {
    type Item = DateTime<Utc>;

    fn next(&mut self) -> Option<Self::Item> {
        self.after = self.expression.next_after(self.after?, self.tz);
        self.after
    }
}

impl FusedIterator for Upcoming<'_> {}

impl PartialEq for CronExpression {
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source
    }
}

impl Eq for CronExpression {}

impl std::hash::Hash for CronExpression {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.source.hash(state);
    }
}

impl fmt::Debug for CronExpression {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("CronExpression").field(&self.source).finish()
    }
}

impl fmt::Display for CronExpression {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.source)
    }
}

impl FromStr for CronExpression {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Self::parse(text)
    }
}

impl Serialize for CronExpression {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.source)
    }
}

impl<'de> Deserialize<'de> for CronExpression {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}
