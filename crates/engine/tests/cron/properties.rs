//! What holds for every expression, zone and instant.

use std::sync::LazyLock;

use chrono::{DateTime, Offset, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;
use engine::cron::CronExpression;
use proptest::prelude::*;
use proptest::sample::select;

use super::oracle::Oracle;

/// Instants around which the clock changed, with their zones: every change in these zones from 1995 to
/// 2036, found by looking twice a day.
static CHANGES: LazyLock<Vec<(Tz, i64)>> = LazyLock::new(|| {
    let zones = [
        Tz::Europe__Berlin,
        Tz::Europe__Lisbon,
        Tz::America__New_York,
        Tz::America__St_Johns,
        Tz::America__Santiago,
        Tz::America__Havana,
        Tz::America__Caracas,
        Tz::America__Sao_Paulo,
        Tz::Africa__Cairo,
        Tz::Africa__Casablanca,
        Tz::Asia__Beirut,
        Tz::Asia__Pyongyang,
        Tz::Australia__Lord_Howe,
        Tz::Antarctica__Troll,
        Tz::Pacific__Apia,
        Tz::Pacific__Chatham,
    ];
    let noon = |days: i64| 788_961_600 + days * 43_200;
    let offset = |tz: Tz, at: i64| {
        tz.offset_from_utc_datetime(&DateTime::from_timestamp(at, 0).unwrap().naive_utc()).fix()
    };
    zones
        .into_iter()
        .flat_map(|tz| {
            (0..30_000)
                .filter(move |index| offset(tz, noon(*index)) != offset(tz, noon(index + 1)))
                .map(move |index| (tz, noon(index)))
        })
        .collect()
});

fn value(least: u32, greatest: u32) -> BoxedStrategy<String> {
    let number = (least..=greatest).prop_map(|number| number.to_string());
    match (least, greatest) {
        (1, 12) => {
            prop_oneof![3 => number, 1 => select(vec!["JAN", "mar", "Oct"]).prop_map(String::from)].boxed()
        }
        (0, 7) => {
            prop_oneof![2 => number, 1 => select(vec!["SUN", "mon", "Sat"]).prop_map(String::from)].boxed()
        }
        _ => number.boxed(),
    }
}

fn term(least: u32, greatest: u32) -> BoxedStrategy<String> {
    let step = 1..=(greatest - least + 3);
    prop_oneof![
        4 => value(least, greatest),
        2 => (value(least, greatest), value(least, greatest)).prop_map(|(first, last)| format!("{first}-{last}")),
        1 => (value(least, greatest), value(least, greatest), step.clone())
            .prop_map(|(first, last, step)| format!("{first}-{last}/{step}")),
        1 => (value(least, greatest), step.clone()).prop_map(|(first, step)| format!("{first}/{step}")),
        1 => step.prop_map(|step| format!("*/{step}")),
    ]
    .boxed()
}

fn field(least: u32, greatest: u32) -> BoxedStrategy<String> {
    let terms = prop::collection::vec(term(least, greatest), 1..4).prop_map(|terms| terms.join(","));
    match (least, greatest) {
        (1, 31) => prop_oneof![3 => Just("*".to_owned()), 3 => terms, 1 => Just("?".to_owned()), 1 => Just("15,L".to_owned())].boxed(),
        (1, 12) => prop_oneof![4 => Just("*".to_owned()), 1 => terms].boxed(),
        _ => prop_oneof![1 => Just("*".to_owned()), 1 => terms].boxed(),
    }
}

/// Five fields that parse; those with a date that never comes are left out.
fn expression() -> impl Strategy<Value = String> {
    (field(0, 59), field(0, 23), field(1, 31), field(1, 12), field(0, 7))
        .prop_map(|(minute, hour, day, month, weekday)| format!("{minute} {hour} {day} {month} {weekday}"))
        .prop_filter("the date never comes", |text| CronExpression::parse(text).is_ok())
}

fn near_a_change() -> impl Strategy<Value = (Tz, DateTime<Utc>)> {
    (select(&CHANGES[..]), -30 * 3_600..30 * 3_600_i64)
        .prop_map(|((tz, change), ahead)| (tz, DateTime::from_timestamp(change + ahead, 0).unwrap()))
}

fn any_instant() -> impl Strategy<Value = DateTime<Utc>> {
    let whole_calendar = DateTime::<Utc>::MIN_UTC.timestamp()..=DateTime::<Utc>::MAX_UTC.timestamp();
    let lifetime = 0..4_102_444_800_i64;
    (prop_oneof![1 => whole_calendar, 3 => lifetime], 0..1_000_000_000_u32)
        .prop_map(|(seconds, nanos)| DateTime::from_timestamp(seconds, nanos).unwrap())
}

fn any_zone() -> impl Strategy<Value = Tz> {
    select(&chrono_tz::TZ_VARIANTS[..])
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_minute_by_minute_walk_finds_the_same_runs(text in expression(), (tz, after) in near_a_change()) {
        let until = after + TimeDelta::hours(50);
        let expected = Oracle::new(&text).runs(after, until, tz, TimeDelta::hours(26));
        let found = super::cron(&text).occurrences_between(after, until, tz, usize::MAX);
        prop_assert_eq!(found, expected);
    }

    #[test]
    fn an_occurrence_is_later_and_nothing_in_between_has_another_next(
        text in expression(), tz in any_zone(), after in any_instant(), part in 0.0..1.0_f64,
    ) {
        let expression = super::cron(&text);
        let Some(next) = expression.next_after(after, tz) else { return Ok(()) };
        prop_assert!(next > after);
        let between = after + TimeDelta::seconds(((next - after).num_seconds() as f64 * part) as i64);
        if between < next {
            prop_assert_eq!(expression.next_after(between, tz), Some(next));
        }
    }

    #[test]
    fn an_occurrence_shows_a_matching_time_unless_the_clock_just_leapt(
        text in expression(), tz in any_zone(), after in 0..4_102_444_800_i64,
    ) {
        let after = DateTime::from_timestamp(after, 0).unwrap();
        let oracle = Oracle::new(&text);
        for next in super::cron(&text).upcoming(after, tz).take(5) {
            let shown = next.with_timezone(&tz).naive_local();
            let a_second_ago = (next - TimeDelta::seconds(1)).with_timezone(&tz).naive_local();
            prop_assert!(oracle.admits(shown) || shown - a_second_ago > TimeDelta::seconds(1), "{}", next);
        }
    }

    #[test]
    fn any_text_is_read_or_refused_without_a_panic(text in "\\PC{0,60}") {
        let _ = CronExpression::parse(&text);
        let _ = engine::cron::parse_timezone(&text);
    }

    #[test]
    fn any_text_of_crons_letters_is_read_or_refused(text in "[0-9*/,?L@ a-fS-U-]{0,24}", after in any_instant()) {
        if let Ok(expression) = CronExpression::parse(&text) {
            let _ = expression.next_after(after, Tz::UTC);
            let _ = expression.describe();
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_second_by_second_walk_finds_the_same_runs(
        second in field(0, 59), text in expression(), (tz, after) in near_a_change(),
    ) {
        let text = format!("{second} {text}");
        let until = after + TimeDelta::hours(5);
        let expected = Oracle::new(&text).runs(after, until, tz, TimeDelta::hours(4));
        let found = super::cron(&text).occurrences_between(after, until, tz, usize::MAX);
        prop_assert_eq!(found, expected);
    }
}
