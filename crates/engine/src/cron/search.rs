//! From the wall clock to instants: the search that knows time zones.
//!
//! Instants are seconds since 1970-01-01T00:00Z here. `None` means that the horizon or the end of
//! chrono's calendar came first. At most one change of a zone's offset in 24 hours is assumed; the zone
//! data has none closer than three days.

use chrono::{DateTime, MappedLocalTime, NaiveDateTime, Offset, TimeZone};
use chrono_tz::{GapInfo, Tz, TzOffset};

use super::calendar::{Pattern, SECONDS_PER_DAY};

/// As far as a search may go; see `calendar` for why fifty years are enough.
const HORIZON_SECONDS: i64 = 50 * 366 * SECONDS_PER_DAY;

/// The next run of a job for which each time of the wall clock counts once.
///
/// A wall-clock time stands for the first instant at which the clock shows it or a later one. That
/// puts a skipped time right after the gap and a repeated one at its first coming, and never lets the
/// order of runs differ from the order of times.
pub(super) fn next_fixed_time(pattern: &Pattern, after: i64, tz: Tz) -> Option<i64> {
    let shown = after + offset_at(after, tz)?;
    let mut from = shown + 1;
    if let MappedLocalTime::Ambiguous(a, b) = tz.offset_from_local_datetime(&naive(shown)?) {
        let first_coming = shown - seconds_of(&a).max(seconds_of(&b));
        if first_coming < after {
            // In the second pass of an overlap: all that the first pass showed has had its turn.
            from = offset_change_between(first_coming, after, tz)? + (shown - first_coming);
        }
    }
    first_instant_showing(pattern.next_from(from)?, tz)
}

/// The next instant at which the wall clock shows a matching time.
///
/// It goes ahead in stretches of at most a day in which the offset does not change, so that within
/// one the wall clock is a plain count, and leaps over the months in which nothing matches.
pub(super) fn next_shown_time(pattern: &Pattern, after: i64, tz: Tz) -> Option<i64> {
    let mut from = after + 1;
    while from <= after + HORIZON_SECONDS {
        let offset = offset_at(from, tz)?;
        let matching_wall = pattern.next_from(from + offset)?;
        let matching = matching_wall - offset;
        let until = matching.min(from + SECONDS_PER_DAY);
        from = if offset_at(until, tz)? != offset {
            offset_change_between(from, until, tz)?
        } else if until == matching {
            return Some(matching);
        } else {
            // Nothing the clock showed since `from` matches, and no overlap is longer than a day, so
            // nothing does until the matching date begins; no zone is a day ahead of UTC.
            let eve = (matching_wall.div_euclid(SECONDS_PER_DAY) - 1) * SECONDS_PER_DAY;
            until.max(eve)
        };
    }
    None
}

fn first_instant_showing(wall: i64, tz: Tz) -> Option<i64> {
    let local = naive(wall)?;
    match tz.offset_from_local_datetime(&local) {
        MappedLocalTime::Single(offset) => Some(wall - seconds_of(&offset)),
        MappedLocalTime::Ambiguous(a, b) => Some(wall - seconds_of(&a).max(seconds_of(&b))),
        MappedLocalTime::None => {
            let (gap_begin, offset_before) = GapInfo::new(&local, &tz)?.begin?;
            Some(gap_begin.and_utc().timestamp() - seconds_of(&offset_before))
        }
    }
}

/// The first instant after `low` at which the offset is another; `high` must lie past it.
fn offset_change_between(low: i64, high: i64, tz: Tz) -> Option<i64> {
    let before = offset_at(low, tz)?;
    let (mut low, mut high) = (low, high);
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        if offset_at(middle, tz)? == before {
            low = middle;
        } else {
            high = middle;
        }
    }
    Some(high)
}

fn offset_at(instant: i64, tz: Tz) -> Option<i64> {
    Some(seconds_of(&tz.offset_from_utc_datetime(&naive(instant)?)))
}

fn seconds_of(offset: &TzOffset) -> i64 {
    i64::from(offset.fix().local_minus_utc())
}

fn naive(seconds: i64) -> Option<NaiveDateTime> {
    Some(DateTime::from_timestamp(seconds, 0)?.naive_utc())
}
