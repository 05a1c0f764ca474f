//! Which times of the wall clock match, as bit sets, and the search for the next one.
//!
//! A wall-clock time is counted here as seconds since 1970-01-01 00:00 on that clock, a day as days
//! since that date: plain integers, which know nothing of time zones.

use chrono::{Datelike, NaiveDate};

pub(super) const SECONDS_PER_DAY: i64 = 86_400;

/// How far ahead a day is looked for. The rarest day that exists, 29 February on a given weekday, can
/// be forty years off (28, or 40 across a century without a leap day); a job whose only time always
/// falls into a gap has no next occurrence and must not be looked for forever.
const HORIZON_DAYS: i64 = 50 * 366;

/// The wall-clock times that match an expression.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Pattern {
    /// Bits 0-59.
    pub(super) seconds: u64,
    /// Bits 0-59.
    pub(super) minutes: u64,
    /// Bits 0-23.
    pub(super) hours: u64,
    /// The dates.
    pub(super) days: DayPattern,
}

/// The dates that match an expression.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct DayPattern {
    /// Bits 1-31.
    pub(super) days_of_month: u64,
    /// `L` is among them.
    pub(super) last_day_of_month: bool,
    /// Bits 1-12.
    pub(super) months: u64,
    /// Bits 0-6, Sunday first.
    pub(super) weekdays: u64,
    /// Both day fields must match, not either.
    pub(super) needs_both: bool,
    /// For each weekday on which a month can begin, the days of the month (bits 1-31) that fall on
    /// `weekdays`: a month's matching days are then one `and` or `or` away.
    on_weekdays: [u64; 7],
}

impl Pattern {
    /// The first matching time at `from` or later.
    pub(super) fn next_from(&self, from: i64) -> Option<i64> {
        let day = from.div_euclid(SECONDS_PER_DAY);
        let matching_day = self.days.next_from(day)?;
        if matching_day == day
            && let Some(second) = self.next_second_of_day(from.rem_euclid(SECONDS_PER_DAY))
        {
            return Some(day * SECONDS_PER_DAY + second);
        }
        let day = if matching_day == day { self.days.next_from(day + 1)? } else { matching_day };
        Some(day * SECONDS_PER_DAY + self.next_second_of_day(0)?)
    }

    fn next_second_of_day(&self, from: i64) -> Option<i64> {
        let (hour, minute, second) = (from / 3_600, from / 60 % 60, from % 60);
        if self.hours & bit(hour) != 0 {
            if self.minutes & bit(minute) != 0
                && let Some(second) = next_bit(self.seconds, second)
            {
                return Some(hour * 3_600 + minute * 60 + second);
            }
            if let Some(minute) = next_bit(self.minutes, minute + 1) {
                return Some(hour * 3_600 + minute * 60 + next_bit(self.seconds, 0)?);
            }
        }
        let hour = next_bit(self.hours, hour + 1)?;
        Some(hour * 3_600 + next_bit(self.minutes, 0)? * 60 + next_bit(self.seconds, 0)?)
    }
}

impl DayPattern {
    pub(super) fn new(
        days_of_month: u64,
        last_day_of_month: bool,
        months: u64,
        weekdays: u64,
        needs_both: bool,
    ) -> Self {
        let mut on_weekdays = [0; 7];
        for (first_weekday, days) in (0..).zip(&mut on_weekdays) {
            *days = (1..=31).filter(|day| weekdays & bit((first_weekday + day - 1) % 7) != 0).map(bit).sum();
        }
        Self { days_of_month, last_day_of_month, months, weekdays, needs_both, on_weekdays }
    }

    /// Whether any year has a matching date. Only a day of the month that no wanted month has can
    /// prevent that, and only when the weekday does not count by itself.
    pub(super) fn is_possible(&self) -> bool {
        !self.needs_both
            || (1..=12)
                .filter(|month| self.months & bit(*month) != 0)
                .any(|month| self.matching_days(month_length(2024, month), 0, true) != 0)
    }

    /// The first matching day at `from` or later, within [`HORIZON_DAYS`] and chrono's calendar.
    pub(super) fn next_from(&self, from: i64) -> Option<i64> {
        let date = NaiveDate::from_epoch_days(i32::try_from(from).ok()?)?;
        let mut year = i64::from(date.year());
        let mut month = i64::from(date.month());
        let mut first_day = from - i64::from(date.day0());
        let mut first_weekday =
            (i64::from(date.weekday().num_days_from_sunday()) - i64::from(date.day0())).rem_euclid(7);
        let mut not_before = i64::from(date.day());
        while first_day <= from + HORIZON_DAYS {
            let length = month_length(year, month);
            if self.months & bit(month) != 0
                && let Some(day) = next_bit(self.matching_days(length, first_weekday, false), not_before)
            {
                return Some(first_day + day - 1);
            }
            first_day += length;
            first_weekday = (first_weekday + length) % 7;
            not_before = 1;
            (year, month) = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
        }
        None
    }

    fn matching_days(&self, length: i64, first_weekday: i64, any_weekday: bool) -> u64 {
        let exists = bit(length + 1) - bit(1);
        let last_day = if self.last_day_of_month { bit(length) } else { 0 };
        let by_month = self.days_of_month | last_day;
        let by_week = match usize::try_from(first_weekday) {
            Ok(index) if !any_weekday => self.on_weekdays.get(index).copied().unwrap_or(0),
            _ => exists,
        };
        exists & if self.needs_both { by_month & by_week } else { by_month | by_week }
    }
}

pub(super) fn bit(index: i64) -> u64 {
    1 << index
}

/// The lowest bit at `from` or above.
fn next_bit(set: u64, from: i64) -> Option<i64> {
    let rest = set.checked_shr(u32::try_from(from).ok()?)?;
    (rest != 0).then(|| from + i64::from(rest.trailing_zeros()))
}

fn month_length(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}
