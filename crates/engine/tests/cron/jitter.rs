//! The delay that spreads schedules.

use chrono::TimeDelta;
use engine::cron::jitter_ms;
use uuid::Uuid;

use super::utc;

#[test]
fn a_delay_depends_on_nothing_but_its_arguments_and_never_changes() {
    let occurrence = utc("2026-03-29T01:00:00Z");
    let schedule = Uuid::from_u128(0x0192_0000_0000_7000_8000_0000_0000_0001);
    let delays = [0, 1, 2].map(|hours| jitter_ms(schedule, occurrence + TimeDelta::hours(hours), 60_000));
    assert_eq!(delays, [38_635, 1_893, 724]);
}

#[test]
fn a_delay_is_at_most_the_maximum() {
    let occurrence = utc("2026-03-29T01:00:00Z");
    for schedule in (0..1_000).map(Uuid::from_u128) {
        assert_eq!(jitter_ms(schedule, occurrence, 0), 0);
        assert!(jitter_ms(schedule, occurrence, 3) <= 3);
        let _ = jitter_ms(schedule, occurrence, u64::MAX);
    }
}

#[test]
fn neighbouring_schedules_are_spread_evenly() {
    let occurrence = utc("2026-03-29T01:00:00Z");
    let mut per_second = [0_u32; 60];
    for schedule in (0..60_000).map(Uuid::from_u128) {
        per_second[jitter_ms(schedule, occurrence, 59_999) as usize / 1_000] += 1;
    }
    // A thousand each on average; five standard deviations are 160.
    assert!(per_second.iter().all(|count| (840..=1_160).contains(count)), "{per_second:?}");
}
