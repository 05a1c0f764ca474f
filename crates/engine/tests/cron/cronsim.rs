//! Three thousand cases answered by cronsim, an independent implementation of Debian's rules; see
//! `generate_cases.py`.

use chrono::{DateTime, TimeDelta};
use chrono_tz::Tz;
use serde::Deserialize;

use super::cron;
use super::oracle::Oracle;

#[derive(Deserialize)]
struct Case {
    #[serde(rename = "e")]
    expression: String,
    #[serde(rename = "z")]
    timezone: Tz,
    #[serde(rename = "a")]
    after: i64,
    #[serde(rename = "n")]
    next: Vec<i64>,
}

/// Where cronsim is wrong, by expression and start. It steps hours by 3,600 real seconds and so comes
/// out of a half-hour change in the middle of an hour, past that hour's first minutes; and when midnight
/// is skipped it takes the instant for one at which the clock shows 00:00.
const CRONSIM_IS_WRONG: &[(&str, i64, &str)] = &[
    ("* */26 19,5,5-19 ? 7-may ?", 1_197_159_300, "Caracas moved by half an hour"),
    ("0 */6 * * *", 1_525_399_015, "Pyongyang moved by half an hour"),
    ("58-59/12,27-46 */9 8-10,17 10-7,2 * *", 891_082_836, "Lord Howe moves by half an hour"),
    ("18-19/17,*/3 * 20,0,10-15 29-29,15-23,26 * 5-7/2", 1_682_591_231, "Cairo skipped midnight"),
];

fn cases() -> impl Iterator<Item = Case> {
    include_str!("cases.jsonl").lines().map(|line| serde_json::from_str(line).unwrap())
}

fn is_wrong_in_cronsim(case: &Case) -> bool {
    CRONSIM_IS_WRONG
        .iter()
        .any(|(expression, after, _)| *expression == case.expression && *after == case.after)
}

fn our_next(case: &Case) -> Vec<i64> {
    let after = DateTime::from_timestamp(case.after, 0).unwrap();
    cron(&case.expression).upcoming(after, case.timezone).take(4).map(|at| at.timestamp()).collect()
}

#[test]
fn our_occurrences_are_those_of_cronsim() {
    let mut compared = 0;
    for case in cases().filter(|case| !is_wrong_in_cronsim(case)) {
        let Case { expression, timezone, after, next } = &case;
        assert_eq!(our_next(&case), *next, "`{expression}` in {timezone} after {after}");
        compared += 1;
    }
    assert_eq!(compared, 3_000 - CRONSIM_IS_WRONG.len());
}

#[test]
fn where_cronsim_is_wrong_a_step_by_step_walk_confirms_ours() {
    for case in cases().filter(is_wrong_in_cronsim) {
        let ours = our_next(&case);
        assert_ne!(ours, case.next, "no longer an exception: {}", case.expression);
        let after = DateTime::from_timestamp(case.after, 0).unwrap();
        let until = DateTime::from_timestamp(ours[3], 0).unwrap();
        let walked: Vec<i64> = Oracle::new(&case.expression)
            .runs(after, until, case.timezone, TimeDelta::hours(1))
            .into_iter()
            .map(|at| at.timestamp())
            .collect();
        assert_eq!(ours, walked, "{}", case.expression);
    }
}
