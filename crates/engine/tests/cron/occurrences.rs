//! Which days and times match, away from changes of the clock.

use chrono::{DateTime, Datelike, TimeDelta, Utc, Weekday};
use chrono_tz::Tz;

use super::{cron, upcoming, utc};

fn dates(text: &str, after: &str, count: usize) -> Vec<String> {
    upcoming(text, Tz::UTC, after, count).iter().map(|at| at[..10].to_owned()).collect()
}

#[test]
fn when_both_day_fields_are_restricted_either_is_enough() {
    assert_eq!(
        dates("0 0 13 * FRI", "2026-01-01T00:00:00Z", 6),
        ["2026-01-02", "2026-01-09", "2026-01-13", "2026-01-16", "2026-01-23", "2026-01-30"]
    );
    assert_eq!(
        dates("0 0 L * MON", "2026-01-20T00:00:00Z", 4),
        ["2026-01-26", "2026-01-31", "2026-02-02", "2026-02-09"]
    );
}

#[test]
fn a_day_field_that_begins_with_a_star_narrows_the_other() {
    // Mondays on odd days, and the 1st to 7th if a Monday.
    assert_eq!(dates("0 0 */2 * MON", "2026-01-01T00:00:00Z", 3), ["2026-01-05", "2026-01-19", "2026-02-09"]);
    assert_eq!(dates("0 0 1-7 * */7", "2026-01-01T00:00:00Z", 2), ["2026-01-04", "2026-02-01"]);
    // A list that only contains a star does not begin with one.
    assert_eq!(dates("0 0 1,* * MON", "2026-01-01T00:00:00Z", 2), ["2026-01-02", "2026-01-03"]);
}

#[test]
fn l_is_the_last_day_of_each_month() {
    assert_eq!(
        dates("0 0 L * *", "2027-12-31T00:00:00Z", 4),
        ["2028-01-31", "2028-02-29", "2028-03-31", "2028-04-30"]
    );
    assert_eq!(dates("0 0 1,L 2 *", "2026-01-01T00:00:00Z", 3), ["2026-02-01", "2026-02-28", "2027-02-01"]);
}

#[test]
fn months_without_the_day_are_passed_over() {
    assert_eq!(
        dates("0 0 31 * *", "2026-01-31T00:00:00Z", 4),
        ["2026-03-31", "2026-05-31", "2026-07-31", "2026-08-31"]
    );
}

#[test]
fn leap_days_follow_the_gregorian_rule() {
    assert_eq!(dates("0 0 29 2 *", "2092-03-01T00:00:00Z", 3), ["2096-02-29", "2104-02-29", "2108-02-29"]);
    // Both fields must match, and 1900 was no leap year: forty years from one to the next.
    let leap_sundays: Vec<DateTime<Utc>> =
        cron("0 0 29 2 */7").upcoming(utc("1868-01-01T00:00:00Z"), Tz::UTC).take(6).collect();
    assert!(leap_sundays.iter().all(|at| at.weekday() == Weekday::Sun && at.day() == 29));
    let years: Vec<i32> = leap_sundays.iter().map(Datelike::year).collect();
    assert_eq!(years, [1880, 1920, 1948, 1976, 2004, 2032]);
}

#[test]
fn the_next_occurrence_is_strictly_later_to_the_nanosecond() {
    let expression = cron("0 12 * * *");
    let noon = utc("2026-06-01T12:00:00Z");
    let next_noon = Some(noon + TimeDelta::days(1));
    assert_eq!(expression.next_after(noon - TimeDelta::nanoseconds(1), Tz::UTC), Some(noon));
    assert_eq!(expression.next_after(noon, Tz::UTC), next_noon);
    assert_eq!(expression.next_after(noon + TimeDelta::nanoseconds(1), Tz::UTC), next_noon);
    let before_1970 = utc("1969-12-31T23:59:59.5Z");
    assert_eq!(cron("* * * * * *").next_after(before_1970, Tz::UTC), Some(DateTime::UNIX_EPOCH));
}

#[test]
fn times_are_understood_in_the_zone() {
    assert_eq!(
        upcoming("30 9 * * MON", Tz::Asia__Kolkata, "2026-06-01T00:00:00Z", 2),
        ["2026-06-01 09:30:00 +05:30", "2026-06-08 09:30:00 +05:30"]
    );
    // Still Sunday in UTC.
    let after = utc("2026-06-06T00:00:00Z");
    assert_eq!(
        cron("0 5 * * MON").next_after(after, Tz::Pacific__Kiritimati),
        Some(utc("2026-06-07T15:00:00Z"))
    );
}

#[test]
fn occurrences_between_leaves_out_the_start_and_has_the_end() {
    let expression = cron("0 * * * *");
    let (from, until) = (utc("2026-06-01T00:00:00Z"), utc("2026-06-01T03:00:00Z"));
    assert_eq!(
        expression.occurrences_between(from, until, Tz::UTC, 100),
        [utc("2026-06-01T01:00:00Z"), utc("2026-06-01T02:00:00Z"), utc("2026-06-01T03:00:00Z")]
    );
    assert_eq!(expression.occurrences_between(from, until, Tz::UTC, 2).len(), 2);
    assert!(expression.occurrences_between(from, until, Tz::UTC, 0).is_empty());
    assert!(expression.occurrences_between(until, from, Tz::UTC, 100).is_empty());
}

#[test]
fn the_ends_of_the_calendar_have_no_next_occurrence() {
    for text in ["* * * * * *", "0 0 1 1 *", "30 9 * * 1-5", "0 0 29 2 */7"] {
        for tz in [Tz::UTC, Tz::Europe__Berlin, Tz::Pacific__Apia, Tz::America__Los_Angeles] {
            let expression = cron(text);
            assert_eq!(expression.next_after(DateTime::<Utc>::MAX_UTC, tz), None, "{text} {tz}");
            assert_eq!(expression.upcoming(DateTime::<Utc>::MAX_UTC, tz).count(), 0);
            if let Some(next) = expression.next_after(DateTime::<Utc>::MIN_UTC, tz) {
                assert!(next > DateTime::<Utc>::MIN_UTC);
            }
        }
    }
}

#[test]
fn a_time_that_the_clock_always_skips_ends_the_search() {
    // The last Sunday of March from 02:00 to 02:59, as a wildcard job: the hour of Berlin's gap.
    let expression = cron("*/5 2 25-31 3 */7");
    assert_eq!(expression.next_after(utc("2026-01-01T00:00:00Z"), Tz::Europe__Berlin), None);
}
