//! What time it is for everybody.
//!
//! Leases, due times and occurrences are compared across machines, so all of them have to read one clock: that of
//! PostgreSQL. Asking it each time would cost a round trip. It is read now and then, and what has passed since is
//! measured by the monotonic clock of this machine: whatever happens to the wall clock here changes nothing.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, Statement};
use tokio::task::JoinHandle;

use crate::Result;
use crate::clock::Clock;

/// How often it is read. The monotonic clock stands still while a machine sleeps.
const EVERY: Duration = Duration::from_secs(15);

/// A reading that took longer says too little.
const MAX_ROUND_TRIP: Duration = Duration::from_millis(250);

/// How often the first reading is tried until it is good enough; then the best one has to do.
const FIRST_TRIES: usize = 5;

/// What the clock of the database showed, and when that was here.
#[derive(Clone, Copy, Debug)]
struct Reading {
    theirs: DateTime<Utc>,
    at: Instant,
    round_trip: Duration,
}

impl Reading {
    fn now(&self) -> DateTime<Utc> {
        self.theirs + self.at.elapsed()
    }
}

/// The clock of an installation.
pub(super) struct Time {
    clock: Arc<dyn Clock>,
    /// `None` where the clock of this machine counts.
    latest: Option<Arc<Mutex<Reading>>>,
    task: Option<JoinHandle<()>>,
}

impl Time {
    /// That of this machine.
    pub(super) fn local(clock: Arc<dyn Clock>) -> Self {
        Self { clock, latest: None, task: None }
    }

    /// That of the database, kept up to date by a task that ends with it. A clock that does not show real time is taken
    /// as it is.
    pub(super) async fn of_database(db: &DatabaseConnection, clock: Arc<dyn Clock>) -> Result<Self> {
        if !clock.is_real() {
            return Ok(Self::local(clock));
        }
        let mut best = read(db).await?;
        for _ in 1..FIRST_TRIES {
            if best.round_trip <= MAX_ROUND_TRIP {
                break;
            }
            let next = read(db).await?;
            if next.round_trip < best.round_trip {
                best = next;
            }
        }
        let latest = Arc::new(Mutex::new(best));
        let task = tokio::spawn(keep(db.clone(), Arc::clone(&latest)));
        Ok(Self { clock, latest: Some(latest), task: Some(task) })
    }

    pub(super) fn now(&self) -> DateTime<Utc> {
        match &self.latest {
            Some(latest) => latest.lock().unwrap_or_else(PoisonError::into_inner).now(),
            None => self.clock.now(),
        }
    }
}

impl Drop for Time {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

async fn keep(db: DatabaseConnection, latest: Arc<Mutex<Reading>>) {
    loop {
        tokio::time::sleep(EVERY).await;
        match read(&db).await {
            Ok(reading) if reading.round_trip <= MAX_ROUND_TRIP => {
                *latest.lock().unwrap_or_else(PoisonError::into_inner) = reading;
            }
            Ok(_) => {}
            Err(error) => {
                tracing::debug!(%error, "the clock of the database could not be read; the last reading stays");
            }
        }
    }
}

async fn read(db: &DatabaseConnection) -> Result<Reading> {
    let statement = Statement::from_string(DbBackend::Postgres, "SELECT clock_timestamp() AS now");
    let before = Instant::now();
    let row = db.query_one_raw(statement).await?.ok_or_else(|| {
        sea_orm::DbErr::RecordNotFound("the clock of the database gave no answer".to_owned())
    })?;
    let round_trip = before.elapsed();
    Ok(Reading { theirs: row.try_get("", "now")?, at: before + round_trip / 2, round_trip })
}
