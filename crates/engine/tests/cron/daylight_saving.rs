//! What happens when the clock leaps or turns back.

use chrono_tz::Tz;

use super::upcoming;

/// Zone, expression, after, and the next occurrences in the zone's time.
type Fact = (Tz, &'static str, &'static str, &'static [&'static str]);

fn check(facts: &[Fact]) {
    for (tz, text, after, expected) in facts {
        assert_eq!(upcoming(text, *tz, after, expected.len()), *expected, "`{text}` in {tz}");
    }
}

#[test]
fn a_fixed_time_in_the_gap_runs_once_right_after_it() {
    check(&[
        (
            Tz::Europe__Berlin,
            "30 2 * * *",
            "2026-03-28T00:00:00Z",
            &["2026-03-28 02:30:00 +01:00", "2026-03-29 03:00:00 +02:00", "2026-03-30 02:30:00 +02:00"],
        ),
        (
            Tz::Europe__Berlin,
            "0,15,30 2-3 * * *",
            "2026-03-29T00:00:00Z",
            &["2026-03-29 03:00:00 +02:00", "2026-03-29 03:15:00 +02:00", "2026-03-29 03:30:00 +02:00"],
        ),
        (
            Tz::America__New_York,
            "5 30 2 * * SUN",
            "2026-03-08T00:00:00Z",
            &["2026-03-08 03:00:00 -04:00", "2026-03-15 02:30:05 -04:00"],
        ),
    ]);
}

#[test]
fn a_fixed_time_that_comes_twice_runs_the_first_time() {
    check(&[
        (
            Tz::Europe__Berlin,
            "30 2 * * *",
            "2026-10-24T22:00:00Z",
            &["2026-10-25 02:30:00 +02:00", "2026-10-26 02:30:00 +01:00"],
        ),
        // Starting within the second pass: all of the hour has had its turn.
        (
            Tz::Europe__Berlin,
            "0,45 2-3 * * *",
            "2026-10-25T01:20:00Z",
            &["2026-10-25 03:00:00 +01:00", "2026-10-25 03:45:00 +01:00"],
        ),
    ]);
}

#[test]
fn a_wildcard_job_follows_real_time() {
    check(&[
        (
            Tz::Europe__Berlin,
            "*/30 * * * *",
            "2026-03-29T00:29:00Z",
            &["2026-03-29 01:30:00 +01:00", "2026-03-29 03:00:00 +02:00", "2026-03-29 03:30:00 +02:00"],
        ),
        (
            Tz::Europe__Berlin,
            "@hourly",
            "2026-10-24T23:30:00Z",
            &["2026-10-25 02:00:00 +02:00", "2026-10-25 02:00:00 +01:00", "2026-10-25 03:00:00 +01:00"],
        ),
        (
            Tz::Europe__Berlin,
            "*/20 2 * * *",
            "2026-10-25T00:30:00Z",
            &[
                "2026-10-25 02:40:00 +02:00",
                "2026-10-25 02:00:00 +01:00",
                "2026-10-25 02:20:00 +01:00",
                "2026-10-25 02:40:00 +01:00",
                "2026-10-26 02:00:00 +01:00",
            ],
        ),
        // In a gap it has nothing to make up for.
        (Tz::Europe__Berlin, "*/20 2 * * *", "2026-03-28T12:00:00Z", &["2026-03-30 02:00:00 +02:00"]),
    ]);
}

#[test]
fn lord_howe_moves_by_half_an_hour() {
    check(&[
        (
            Tz::Australia__Lord_Howe,
            "15 2 * * *",
            "2026-10-03T00:00:00Z",
            &["2026-10-04 02:30:00 +11:00", "2026-10-05 02:15:00 +11:00"],
        ),
        (
            Tz::Australia__Lord_Howe,
            "*/15 1-2 * * *",
            "2026-04-04T14:29:00Z",
            &[
                "2026-04-05 01:30:00 +11:00",
                "2026-04-05 01:45:00 +11:00",
                "2026-04-05 01:30:00 +10:30",
                "2026-04-05 01:45:00 +10:30",
                "2026-04-05 02:00:00 +10:30",
            ],
        ),
        (
            Tz::Australia__Lord_Howe,
            "* 8 * * *",
            "2026-10-03T12:00:00Z",
            &["2026-10-04 08:00:00 +11:00", "2026-10-04 08:01:00 +11:00"],
        ),
    ]);
}

#[test]
fn a_skipped_midnight_is_made_up_for_and_disturbs_nothing_else() {
    check(&[
        (
            Tz::Asia__Beirut,
            "0 0 * * *",
            "2026-03-28T12:00:00Z",
            &["2026-03-29 01:00:00 +03:00", "2026-03-30 00:00:00 +03:00"],
        ),
        (
            Tz::Asia__Beirut,
            "30 12 * * *",
            "2026-03-28T12:00:00Z",
            &["2026-03-29 12:30:00 +03:00", "2026-03-30 12:30:00 +03:00"],
        ),
        (Tz::America__Havana, "30 0 * * SUN", "2026-03-07T12:00:00Z", &["2026-03-08 01:00:00 -04:00"]),
        (Tz::America__Santiago, "0 0 * * *", "2026-09-05T12:00:00Z", &["2026-09-06 01:00:00 -03:00"]),
        (Tz::Africa__Cairo, "0 0 24 4 *", "2026-01-01T00:00:00Z", &["2026-04-24 01:00:00 +03:00"]),
        (Tz::Africa__Cairo, "*/30 0-1 24 4 *", "2026-01-01T00:00:00Z", &["2026-04-24 01:00:00 +03:00"]),
    ]);
}

#[test]
fn a_repeated_midnight_leads_back_to_the_day_before() {
    check(&[
        // At midnight Santiago turns back to 23:00 of Saturday.
        (
            Tz::America__Santiago,
            "*/30 23 * * SAT",
            "2026-04-05T02:00:00Z",
            &[
                "2026-04-04 23:30:00 -03:00",
                "2026-04-04 23:00:00 -04:00",
                "2026-04-04 23:30:00 -04:00",
                "2026-04-11 23:00:00 -04:00",
            ],
        ),
        (
            Tz::America__Santiago,
            "30 23 * * SAT",
            "2026-04-04T12:00:00Z",
            &["2026-04-04 23:30:00 -03:00", "2026-04-11 23:30:00 -04:00"],
        ),
        // Newfoundland once did so a minute past midnight.
        (
            Tz::America__St_Johns,
            "*/30 23 6 11 *",
            "2010-11-07T01:59:00Z",
            &["2010-11-06 23:30:00 -02:30", "2010-11-06 23:30:00 -03:30", "2011-11-06 23:00:00 -03:30"],
        ),
    ]);
}

#[test]
fn a_day_that_a_zone_skips_is_made_up_for_once() {
    check(&[
        // Samoa crossed the date line: 29 December 2011 was followed by the 31st.
        (
            Tz::Pacific__Apia,
            "30 9 * * *",
            "2011-12-29T00:00:00Z",
            &["2011-12-29 09:30:00 -10:00", "2011-12-31 00:00:00 +14:00", "2011-12-31 09:30:00 +14:00"],
        ),
        (
            Tz::Pacific__Apia,
            "0 */12 * * *",
            "2011-12-29T20:00:00Z",
            &["2011-12-29 12:00:00 -10:00", "2011-12-31 00:00:00 +14:00", "2011-12-31 12:00:00 +14:00"],
        ),
        (Tz::Pacific__Apia, "*/10 * 30 12 *", "2011-12-01T00:00:00Z", &["2012-12-30 00:00:00 +14:00"]),
    ]);
}

#[test]
fn a_day_that_a_zone_repeats_counts_once_for_fixed_times() {
    check(&[
        // Alaska came to America from the other side of the date line: 18 October 1867 in the afternoon
        // followed 19 October. (Its offset of -08:57:41 is shown rounded.)
        (
            Tz::America__Juneau,
            "0 12 * * *",
            "1867-10-18T00:00:00Z",
            &["1867-10-19 12:00:00 +15:02", "1867-10-20 12:00:00 -08:58"],
        ),
        // Starting at noon of the second 19 October.
        (Tz::America__Juneau, "0 12 * * *", "1867-10-19T20:57:41Z", &["1867-10-20 12:00:00 -08:58"]),
        (
            Tz::America__Juneau,
            "@hourly",
            "1867-10-18T23:57:40Z",
            &["1867-10-19 15:00:00 +15:02", "1867-10-18 16:00:00 -08:58"],
        ),
    ]);
}
