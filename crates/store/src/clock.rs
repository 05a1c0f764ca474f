//! What time it is.
//!
//! Everything that depends on time is given it. Services read it from a [`Clock`], so that a test can set it.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use chrono::{DateTime, SubsecRound, Utc};

/// Digits of a second that both databases keep.
const MICROSECOND_DIGITS: u16 = 6;

/// Tells the time.
pub trait Clock: Send + Sync {
    /// The present moment.
    fn now(&self) -> DateTime<Utc>;

    /// Whether it shows real time, so that it makes sense to correct it by the clock of the database.
    fn is_real(&self) -> bool {
        false
    }
}

/// The clock of this machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the clock")]
    fn now(&self) -> DateTime<Utc> {
        Utc::now()
    }

    fn is_real(&self) -> bool {
        true
    }
}

/// A clock that stands still until it is moved, for tests.
#[derive(Debug)]
pub struct ManualClock {
    micros: AtomicI64,
}

impl ManualClock {
    /// A clock that stands at `start`.
    #[must_use]
    pub fn new(start: DateTime<Utc>) -> Self {
        Self { micros: AtomicI64::new(start.timestamp_micros()) }
    }

    /// Sets it.
    pub fn set(&self, now: DateTime<Utc>) {
        self.micros.store(now.timestamp_micros(), Ordering::SeqCst);
    }

    /// Moves it forward.
    pub fn advance(&self, by: Duration) {
        let by = i64::try_from(by.as_micros()).unwrap_or(i64::MAX);
        self.micros.fetch_add(by, Ordering::SeqCst);
    }
}

impl Default for ManualClock {
    /// Noon on the first day of 2026.
    fn default() -> Self {
        Self { micros: AtomicI64::new(1_767_268_800_000_000) }
    }
}

impl Clock for ManualClock {
    fn now(&self) -> DateTime<Utc> {
        DateTime::from_timestamp_micros(self.micros.load(Ordering::SeqCst)).unwrap_or_default()
    }
}

/// The moment as both databases keep it. PostgreSQL would drop the nanoseconds, and SQLite would not: a row read back
/// has to equal the row that was written.
pub(crate) fn truncate(moment: DateTime<Utc>) -> DateTime<Utc> {
    moment.trunc_subsecs(MICROSECOND_DIGITS)
}
