//! Which occurrences of a schedule are to be run now: a pure function of the schedule and the time.

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use engine::cron::CronExpression;

/// An occurrence that is older than this was missed, and the schedule's policy decides; younger ones
/// are merely late and always run. One minute is the finest step of a five-field expression.
const MISSED_AFTER: TimeDelta = TimeDelta::seconds(60);

/// Most late occurrences run in one go: a schedule with a seconds field has sixty in [`MISSED_AFTER`].
const MAX_LATE: usize = 100;

/// What to do with occurrences that nobody was there to run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MissedRuns {
    /// Forget them.
    Skip,
    /// Run the latest of them.
    RunOnce,
    /// Run the latest so many of them, the oldest first.
    CatchUp(usize),
}

/// A schedule, as far as its occurrences go.
#[derive(Clone, Copy, Debug)]
pub struct Timetable<'a> {
    /// When it occurs.
    pub expression: &'a CronExpression,
    /// In which zone.
    pub timezone: Tz,
    /// No occurrence from this moment on.
    pub ends_at: Option<DateTime<Utc>>,
    /// What to do with missed occurrences.
    pub missed_runs: MissedRuns,
}

/// What a due schedule does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// The occurrences to run, the oldest first.
    pub run: Vec<DateTime<Utc>>,
    /// The first occurrence after now.
    pub next: Option<DateTime<Utc>>,
}

impl Timetable<'_> {
    /// The plan of a schedule whose first open occurrence is `due`, at the time `now`.
    #[must_use]
    pub fn plan(&self, due: DateTime<Utc>, now: DateTime<Utc>) -> Plan {
        let next = self.after(now);
        if due > now || self.ends_at.is_some_and(|end| due >= end) {
            return Plan { run: Vec::new(), next: self.after(now.max(due - TimeDelta::microseconds(1))) };
        }
        let late_from = now - MISSED_AFTER;
        let late = self.between(due.max(late_from), now, MAX_LATE);
        let mut run = match self.missed_runs {
            MissedRuns::Skip => Vec::new(),
            _ if due >= late_from => Vec::new(),
            // With a late one at hand, that one is the single run that stands for all.
            MissedRuns::RunOnce if !late.is_empty() => Vec::new(),
            MissedRuns::RunOnce => self.latest(due, late_from, 1),
            MissedRuns::CatchUp(most) => self.latest(due, late_from, most.saturating_sub(late.len())),
        };
        run.extend(late);
        Plan { run, next }
    }

    /// The first occurrence after a moment.
    #[must_use]
    pub fn after(&self, moment: DateTime<Utc>) -> Option<DateTime<Utc>> {
        self.expression
            .next_after(moment, self.timezone)
            .filter(|next| self.ends_at.is_none_or(|end| *next < end))
    }

    /// The occurrences from `from` up to and with `until`, the oldest first, at most `limit`.
    fn between(&self, from: DateTime<Utc>, until: DateTime<Utc>, limit: usize) -> Vec<DateTime<Utc>> {
        let mut found = Vec::new();
        let mut moment = from - TimeDelta::microseconds(1);
        while let Some(next) = self.after(moment).filter(|next| *next <= until && found.len() < limit) {
            found.push(next);
            moment = next;
        }
        found
    }

    /// The last `count` occurrences from `from` up to, but not with, `until`. Looks back over a window that doubles,
    /// so that a schedule which was down for a year does not walk through half a million minutes.
    fn latest(&self, from: DateTime<Utc>, until: DateTime<Utc>, count: usize) -> Vec<DateTime<Utc>> {
        if count == 0 {
            return Vec::new();
        }
        let mut window = TimeDelta::minutes(2);
        loop {
            let start = until.checked_sub_signed(window).unwrap_or(from).max(from);
            let mut found = self.between(start, until - TimeDelta::microseconds(1), usize::MAX);
            if found.len() >= count || start == from {
                return found.split_off(found.len().saturating_sub(count));
            }
            window = window.checked_mul(2).unwrap_or(TimeDelta::MAX);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn plan(cron: &str, missed_runs: MissedRuns, due: &str, now: &str) -> Vec<String> {
        let expression = CronExpression::parse(cron).unwrap();
        let timetable = Timetable { expression: &expression, timezone: Tz::UTC, ends_at: None, missed_runs };
        timetable
            .plan(at(due), at(now))
            .run
            .iter()
            .map(|time| time.format("%m-%d %H:%M:%S").to_string())
            .collect()
    }

    #[test]
    fn an_occurrence_that_is_a_little_late_runs_under_every_policy() {
        for policy in [MissedRuns::Skip, MissedRuns::RunOnce, MissedRuns::CatchUp(1)] {
            assert_eq!(
                plan("0 * * * *", policy, "2026-01-01T10:00:00Z", "2026-01-01T10:00:59Z"),
                ["01-01 10:00:00"]
            );
        }
    }

    #[test]
    fn missed_occurrences_follow_the_policy() {
        let (due, now) = ("2026-01-01T01:00:00Z", "2026-01-01T10:30:00Z");
        assert!(plan("0 * * * *", MissedRuns::Skip, due, now).is_empty());
        assert_eq!(plan("0 * * * *", MissedRuns::RunOnce, due, now), ["01-01 10:00:00"]);
        assert_eq!(
            plan("0 * * * *", MissedRuns::CatchUp(3), due, now),
            ["01-01 08:00:00", "01-01 09:00:00", "01-01 10:00:00"]
        );
        assert_eq!(plan("0 * * * *", MissedRuns::CatchUp(100), due, now).len(), 10);
    }

    #[test]
    fn a_late_occurrence_stands_for_the_missed_ones() {
        let (due, now) = ("2026-01-01T01:00:00Z", "2026-01-01T10:00:20Z");
        assert_eq!(plan("0 * * * *", MissedRuns::RunOnce, due, now), ["01-01 10:00:00"]);
        assert_eq!(plan("0 * * * *", MissedRuns::CatchUp(2), due, now), ["01-01 09:00:00", "01-01 10:00:00"]);
    }

    #[test]
    fn a_year_of_missed_minutes_is_one_run() {
        let runs = plan("* * * * *", MissedRuns::RunOnce, "2025-01-01T00:00:00Z", "2026-01-01T00:00:30Z");
        assert_eq!(runs, ["01-01 00:00:00"]);
    }

    #[test]
    fn nothing_occurs_after_the_end() {
        let expression = CronExpression::parse("0 * * * *").unwrap();
        let timetable = Timetable {
            expression: &expression,
            timezone: Tz::UTC,
            ends_at: Some(at("2026-01-01T10:30:00Z")),
            missed_runs: MissedRuns::CatchUp(10),
        };
        let plan = timetable.plan(at("2026-01-01T09:00:00Z"), at("2026-01-01T12:00:00Z"));
        assert_eq!(plan.run, [at("2026-01-01T09:00:00Z"), at("2026-01-01T10:00:00Z")]);
        assert_eq!(plan.next, None);
    }

    proptest! {
        #[test]
        fn polling_at_any_moments_runs_each_occurrence_at_most_once(steps in proptest::collection::vec(1i64..4_000, 1..40)) {
            let expression = CronExpression::parse("*/7 * * * *").unwrap();
            let timetable =
                Timetable { expression: &expression, timezone: Tz::UTC, ends_at: None, missed_runs: MissedRuns::CatchUp(usize::MAX) };
            let start = at("2026-03-01T00:00:00Z");
            let mut now = start;
            let mut due = timetable.after(start);
            let mut ran = Vec::new();
            for step in steps {
                now += TimeDelta::seconds(step);
                let plan = timetable.plan(due.unwrap(), now);
                ran.extend(plan.run);
                due = plan.next;
            }
            prop_assert_eq!(ran, timetable.between(start, now, usize::MAX).into_iter().filter(|time| *time > start).collect::<Vec<_>>());
        }
    }
}
