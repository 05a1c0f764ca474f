//! A slow second opinion: it walks real time step by step, as a cron daemon does, and asks of every value
//! whether the text admits it. It shares nothing with the code under test.

use chrono::{DateTime, Datelike, NaiveDateTime, TimeDelta, Timelike, Utc};
use chrono_tz::Tz;

const MONTHS: &[&str] = &["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
const WEEKDAYS: &[&str] = &["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

pub(crate) struct Oracle {
    /// For second, minute, hour, day of month, month and weekday: whether each value is admitted.
    admitted: Vec<Vec<bool>>,
    last_day: bool,
    needs_both_days: bool,
    is_fixed_time: bool,
    step: TimeDelta,
}

impl Oracle {
    pub(crate) fn new(text: &str) -> Self {
        let mut fields: Vec<&str> = text.split_whitespace().collect();
        let step = if fields.len() == 6 { TimeDelta::seconds(1) } else { TimeDelta::minutes(1) };
        if fields.len() == 5 {
            fields.insert(0, "0");
        }
        let stars: Vec<bool> = fields.iter().map(|field| field.starts_with(['*', '?'])).collect();
        let limits: [(i64, i64, &[&str]); 6] =
            [(0, 59, &[]), (0, 59, &[]), (0, 23, &[]), (1, 31, &[]), (1, 12, MONTHS), (0, 7, WEEKDAYS)];
        let mut admitted: Vec<Vec<bool>> = fields
            .iter()
            .zip(limits)
            .map(|(field, (least, greatest, names))| {
                (0..=greatest)
                    .map(|value| field.split(',').any(|term| admits(term, value, least, greatest, names)))
                    .collect()
            })
            .collect();
        admitted[5][0] |= admitted[5][7];
        Self {
            admitted,
            last_day: fields[3].split(',').any(|term| term.eq_ignore_ascii_case("L")),
            needs_both_days: stars[3] || stars[5],
            is_fixed_time: !stars[..3].contains(&true),
            step,
        }
    }

    pub(crate) fn admits(&self, wall: NaiveDateTime) -> bool {
        let is_last_day = (wall.date() + TimeDelta::days(1)).day() == 1;
        let by_month = self.admitted[3][wall.day() as usize] || (self.last_day && is_last_day);
        let by_week = self.admitted[5][wall.weekday().num_days_from_sunday() as usize];
        self.admitted[0][wall.second() as usize]
            && self.admitted[1][wall.minute() as usize]
            && self.admitted[2][wall.hour() as usize]
            && self.admitted[4][wall.month() as usize]
            && if self.needs_both_days { by_month && by_week } else { by_month || by_week }
    }

    /// All runs after `after`, up to and with `until`.
    ///
    /// A fixed-time job is due when the wall clock has come to or passed one of its times for the first
    /// time; `look_back` is how far to go back to learn how far the clock has been.
    pub(crate) fn runs(
        &self,
        after: DateTime<Utc>,
        until: DateTime<Utc>,
        tz: Tz,
        look_back: TimeDelta,
    ) -> Vec<DateTime<Utc>> {
        let start = after - look_back;
        let into_step = start.timestamp().rem_euclid(self.step.num_seconds());
        let mut instant = DateTime::from_timestamp(start.timestamp() - into_step, 0).unwrap();
        let mut seen = instant.with_timezone(&tz).naive_local();
        let mut runs = Vec::new();
        while instant < until {
            instant += self.step;
            let shown = instant.with_timezone(&tz).naive_local();
            let mut due = !self.is_fixed_time && self.admits(shown);
            while seen < shown {
                seen += self.step;
                due |= self.is_fixed_time && self.admits(seen);
            }
            if due && instant > after && instant <= until {
                runs.push(instant);
            }
        }
        runs
    }
}

fn admits(term: &str, value: i64, least: i64, greatest: i64, names: &[&str]) -> bool {
    let number = |text: &str| {
        let name = names.iter().position(|name| name.eq_ignore_ascii_case(text));
        name.map_or_else(|| text.parse().unwrap(), |index| index as i64 + least)
    };
    if value < least || term.eq_ignore_ascii_case("L") {
        return false;
    }
    let (range, step) = match term.split_once('/') {
        Some((range, step)) => (range, step.parse().unwrap()),
        None => (term, 1),
    };
    let (first, last) = match range.split_once('-') {
        Some((first, last)) => (number(first), number(last)),
        None if range == "*" || range == "?" => (least, greatest),
        None if term.contains('/') => (number(range), greatest),
        None => (number(range), number(range)),
    };
    if first <= last {
        return (first..=last).contains(&value) && (value - first) % step == 0;
    }
    // A wrapped range: count up from its start, over the end of the field.
    let cycle = if greatest == 7 { 7 } else { greatest - least + 1 };
    (0..=(last - first).rem_euclid(cycle))
        .step_by(step as usize)
        .any(|ahead| least + (first - least + ahead) % cycle == value)
}
