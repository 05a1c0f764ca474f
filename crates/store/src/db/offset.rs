//! How far the database's clock is from ours.
//!
//! Leases, due times and occurrences are compared across machines, so all of them have to read one clock: that of
//! PostgreSQL. Asking it each time would cost a round trip; the difference is measured, and measured again once a
//! minute.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, Statement};
use tokio::task::JoinHandle;

use crate::Result;
use crate::clock::Clock;

/// How often it is measured.
const EVERY: Duration = Duration::from_secs(60);

/// A measurement that took longer says too little.
const MAX_ROUND_TRIP: TimeDelta = TimeDelta::milliseconds(250);

/// The difference, kept up to date by a task that ends with it.
pub(super) struct Offset {
    micros: Arc<AtomicI64>,
    task: Option<JoinHandle<()>>,
}

impl Offset {
    /// No difference.
    pub(super) fn none() -> Self {
        Self { micros: Arc::default(), task: None }
    }

    /// Measures it now and from then on. A clock that does not show real time is not corrected.
    pub(super) async fn measure(db: &DatabaseConnection, clock: &Arc<dyn Clock>) -> Result<Self> {
        if !clock.is_real() {
            return Ok(Self::none());
        }
        let micros = Arc::new(AtomicI64::new(0));
        update(db, clock.as_ref(), &micros).await?;
        let task = tokio::spawn(keep(db.clone(), Arc::clone(clock), Arc::clone(&micros)));
        Ok(Self { micros, task: Some(task) })
    }

    pub(super) fn get(&self) -> TimeDelta {
        TimeDelta::microseconds(self.micros.load(Ordering::Relaxed))
    }
}

impl Drop for Offset {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

async fn keep(db: DatabaseConnection, clock: Arc<dyn Clock>, micros: Arc<AtomicI64>) {
    loop {
        tokio::time::sleep(EVERY).await;
        if let Err(error) = update(&db, clock.as_ref(), &micros).await {
            tracing::debug!(%error, "the clock of the database could not be read; the last difference stays");
        }
    }
}

async fn update(db: &DatabaseConnection, clock: &dyn Clock, micros: &AtomicI64) -> Result<()> {
    let statement = Statement::from_string(DbBackend::Postgres, "SELECT clock_timestamp() AS now");
    let before = clock.now();
    let row = db.query_one_raw(statement).await?;
    let round_trip = clock.now() - before;
    let Some(row) = row else { return Ok(()) };
    let theirs: DateTime<Utc> = row.try_get("", "now")?;
    let is_usable = round_trip >= TimeDelta::zero() && round_trip <= MAX_ROUND_TRIP;
    if is_usable && let Some(offset) = (theirs - (before + round_trip / 2)).num_microseconds() {
        micros.store(offset, Ordering::Relaxed);
    }
    Ok(())
}
