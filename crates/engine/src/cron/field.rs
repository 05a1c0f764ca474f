//! One field: its limits, its names, and its translation into the `cron` crate's dialect.

use std::fmt;

use super::Error;

/// A field of a cron expression.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Field {
    /// 0-59, the optional first field.
    Second,
    /// 0-59.
    Minute,
    /// 0-23.
    Hour,
    /// 1-31, and `L`.
    DayOfMonth,
    /// 1-12, or names.
    Month,
    /// 0-7, or names; 0 and 7 are Sunday.
    DayOfWeek,
}

/// A field's text, understood.
pub(super) struct ParsedField {
    /// It begins with `*` or `?`; cron's rules for days and for daylight saving turn on that.
    pub(super) starts_with_star: bool,
    /// It contains `L`.
    pub(super) last_day_of_month: bool,
    /// The same set as the `cron` crate writes it, or nothing if `L` was all there was.
    pub(super) translated: Option<String>,
}

const MONTH_NAMES: &[&str] = &[
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];
const WEEKDAY_NAMES: &[&str] =
    &["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"];

impl Field {
    /// What may stand in the field, for error messages.
    pub fn allowed(self) -> &'static str {
        match self {
            Self::Second | Self::Minute => "0-59, *, lists (0,30), ranges (0-15) and steps (*/5)",
            Self::Hour => "0-23, *, lists (9,17), ranges (9-17) and steps (*/2)",
            Self::DayOfMonth => {
                "1-31, * or ?, L for the last day, lists (1,15), ranges (1-7) and steps (*/2)"
            }
            Self::Month => "1-12 or JAN-DEC, *, lists (JAN,JUL), ranges (3-5) and steps (*/3)",
            Self::DayOfWeek => {
                "0-7 or SUN-SAT (0 and 7 are Sunday), * or ?, lists (MON,FRI), ranges (MON-FRI) and steps (*/2)"
            }
        }
    }

    /// The least and the greatest number that may be written.
    fn limits(self) -> (u32, u32) {
        match self {
            Self::Second | Self::Minute => (0, 59),
            Self::Hour => (0, 23),
            Self::DayOfMonth => (1, 31),
            Self::Month => (1, 12),
            Self::DayOfWeek => (0, 7),
        }
    }

    /// How many different values there are; one fewer than numbers for weekdays, where 7 is 0.
    fn cycle(self) -> u32 {
        match self {
            Self::DayOfWeek => 7,
            _ => self.limits().1 - self.limits().0 + 1,
        }
    }

    /// Full names, in order from the least number. A name may be cut to its first three letters.
    fn names(self) -> &'static [&'static str] {
        match self {
            Self::Month => MONTH_NAMES,
            Self::DayOfWeek => WEEKDAY_NAMES,
            _ => &[],
        }
    }

    fn is_day(self) -> bool {
        matches!(self, Self::DayOfMonth | Self::DayOfWeek)
    }

    /// A value in the `cron` crate's numbering, where weekdays count from Sunday = 1.
    fn translate_value(self, value: u32) -> u32 {
        match self {
            Self::DayOfWeek => value + 1,
            _ => value,
        }
    }

    fn problem(self, text: &str, problem: &'static str) -> Error {
        Error::Field { field: self, text: text.to_owned(), problem }
    }

    /// Reads the field and translates it.
    pub(super) fn parse(self, text: &str) -> Result<ParsedField, Error> {
        let mut last_day_of_month = false;
        let mut translated = String::new();
        for term in text.split(',') {
            if self == Self::DayOfMonth && term.eq_ignore_ascii_case("L") {
                last_day_of_month = true;
                continue;
            }
            if !translated.is_empty() {
                translated.push(',');
            }
            translated.push_str(&self.translate_term(text, term)?);
        }
        Ok(ParsedField {
            starts_with_star: text.starts_with(['*', '?']),
            last_day_of_month,
            translated: (!translated.is_empty()).then_some(translated),
        })
    }

    fn translate_term(self, text: &str, term: &str) -> Result<String, Error> {
        if term.is_empty() {
            return Err(self.problem(text, "has an empty part"));
        }
        let (range, step) = match term.split_once('/') {
            Some((range, step)) => (range, Some(self.parse_step(term, step)?)),
            None => (term, None),
        };
        let (first, last) = match range {
            "?" if self.is_day() && step.is_none() => return Ok("*".to_owned()),
            "?" => return Err(self.problem(term, "may not use ? here")),
            "*" if step.is_none() => return Ok("*".to_owned()),
            "*" => self.limits(),
            _ => match range.split_once('-') {
                Some((first, last)) => (self.parse_value(term, first)?, self.parse_value(term, last)?),
                None => {
                    let value = self.parse_value(term, range)?;
                    (value, if step.is_some() { self.limits().1 } else { value })
                }
            },
        };
        Ok(self.translate_range(first, last, step.unwrap_or(1)))
    }

    /// The values of `first-last/step`, as a range where the `cron` crate can say it, else as a list:
    /// it has no ranges that wrap, no second Sunday, and no step beyond a field's greatest value.
    fn translate_range(self, first: u32, last: u32, step: u32) -> String {
        let (least, _) = self.limits();
        let cycle = self.cycle();
        let span = if last >= first { last - first } else { last + cycle - first };
        let wrap = |value: u32| self.translate_value(least + (value - least) % cycle);
        if span == 0 {
            return wrap(first).to_string();
        }
        let wraps = first + span >= least + cycle;
        if !wraps && step == 1 {
            return format!("{}-{}", wrap(first), wrap(last));
        }
        if !wraps && step <= span {
            return format!("{}-{}/{step}", wrap(first), wrap(last));
        }
        let values: Vec<String> =
            (0..=span).step_by(step as usize).map(|ahead| wrap(first + ahead).to_string()).collect();
        values.join(",")
    }

    fn parse_step(self, term: &str, step: &str) -> Result<u32, Error> {
        match parse_digits(step) {
            Some(0) => Err(self.problem(term, "has a step of zero")),
            Some(step) => Ok(step),
            None => Err(self.problem(term, "has a step that is not a number")),
        }
    }

    fn parse_value(self, term: &str, value: &str) -> Result<u32, Error> {
        let (least, greatest) = self.limits();
        if let Some(number) = parse_digits(value) {
            return if (least..=greatest).contains(&number) {
                Ok(number)
            } else {
                Err(self.problem(term, "is out of range"))
            };
        }
        let name = value.to_ascii_lowercase();
        let found = self.names().iter().position(|full| *full == name || full[..3] == name);
        match found.and_then(|index| u32::try_from(index).ok()) {
            Some(index) => Ok(least + index),
            None => Err(self.problem(term, "is not understood")),
        }
    }
}

/// A number of at most nine digits, without sign: anything longer is out of every range.
fn parse_digits(text: &str) -> Option<u32> {
    if text.is_empty() || text.len() > 9 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    text.parse().ok()
}

impl fmt::Display for Field {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Second => "second",
            Self::Minute => "minute",
            Self::Hour => "hour",
            Self::DayOfMonth => "day-of-month",
            Self::Month => "month",
            Self::DayOfWeek => "day-of-week",
        })
    }
}
