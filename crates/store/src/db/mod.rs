//! The connections to a database.
//!
//! SQLite has one writer at a time whatever we do, so a [`Db`] has one connection that writes and a pool that reads.
//! Write transactions are IMMEDIATE: a deferred one that reads before it writes fails when another has written in
//! between, and no timeout helps. The file is in WAL mode and every commit is synced: what was answered survives a
//! power cut. On PostgreSQL there is one pool; statements, waits for locks and idle transactions have time limits, so
//! that a frozen process cannot hold up the others for long.

mod connect;
mod schema;
mod time;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use sea_orm::{
    DatabaseConnection, DatabaseTransaction, DbErr, RuntimeErr, SqliteTransactionMode, TransactionOptions,
    TransactionTrait,
};
use uuid::Uuid;

use crate::clock::{self, Clock};
use crate::notify::Notifier;
use crate::{Backend, Result, settings};
use time::Time;

/// How much longer than the longest statement we wait for the database.
const GRACE: Duration = Duration::from_secs(5);

/// The database of an installation. Cheap to clone.
#[derive(Clone)]
pub struct Db {
    inner: Arc<Inner>,
}

struct Inner {
    backend: Backend,
    reader: DatabaseConnection,
    writer: DatabaseConnection,
    time: Time,
    patience: Duration,
    notifier: Notifier,
    cursors: Cursors,
}

/// Where loops that look at a part at a time go on. Each process has its own; nothing depends on them but fairness.
#[derive(Default)]
pub(crate) struct Cursors {
    /// The organization that the latest claim served last.
    pub(crate) claim: Cursor,
    /// The waiting execution that was looked at last.
    pub(crate) waiting: Cursor,
    /// The workflow whose executions were thinned out last.
    pub(crate) retention: Cursor,
}

/// An id to go on behind.
#[derive(Default)]
pub(crate) struct Cursor(Mutex<Uuid>);

impl Cursor {
    pub(crate) fn get(&self) -> Uuid {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn set(&self, id: Uuid) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = id;
    }
}

impl Db {
    /// Connects to the database that the settings name: `sqlite://PATH?mode=rwc`, `sqlite::memory:` or `postgres://...`.
    ///
    /// # Errors
    /// [`crate::Error::Invalid`] for another kind of URL, [`crate::Error::Unreachable`] when there is no connection.
    pub async fn connect(settings: &settings::Database, clock: Arc<dyn Clock>) -> Result<Self> {
        let opened = connect::open(settings).await?;
        let (time, notifier) = match opened.backend {
            Backend::Sqlite => (Time::local(clock), Notifier::local()),
            Backend::Postgres => {
                let time = Time::of_database(&opened.writer, clock).await?;
                (time, Notifier::postgres(&opened.writer))
            }
        };
        let inner = Inner {
            backend: opened.backend,
            reader: opened.reader,
            writer: opened.writer,
            time,
            patience: Duration::from_millis(settings.statement_timeout_ms).saturating_add(GRACE),
            notifier,
            cursors: Cursors::default(),
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// For reading outside a transaction.
    #[must_use]
    pub fn reader(&self) -> &DatabaseConnection {
        &self.inner.reader
    }

    /// For single statements that write. Several that belong together need [`Db::begin`].
    #[must_use]
    pub fn writer(&self) -> &DatabaseConnection {
        &self.inner.writer
    }

    /// A transaction that writes. On SQLite it excludes all others, so nothing slow may happen inside.
    ///
    /// # Errors
    /// [`crate::Error::Busy`] when no connection, or on SQLite no lock, was free in time.
    pub async fn begin(&self) -> Result<DatabaseTransaction> {
        let mode = (self.inner.backend == Backend::Sqlite).then_some(SqliteTransactionMode::Immediate);
        let options = TransactionOptions { sqlite_transaction_mode: mode, ..TransactionOptions::default() };
        Ok(self.inner.writer.begin_with_options(options).await?)
    }

    /// Waits for work with the database, but not longer than a statement may take, and 5 s. The time limits of the database
    /// itself do not help when nothing comes back from it: a broken network gives no error for many minutes.
    ///
    /// # Errors
    /// Those of the work; [`crate::Error::Busy`] when the time is over. Then it may have been done or not.
    pub async fn in_time<T>(&self, work: impl Future<Output = Result<T>>) -> Result<T> {
        within(self.inner.patience, work).await
    }

    /// Which database it is.
    #[must_use]
    pub fn backend(&self) -> Backend {
        self.inner.backend
    }

    /// The present moment by the clock of the database, in whole microseconds.
    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        clock::truncate(self.inner.time.now())
    }

    /// Checks that the migrations in `expected`, by name, have all been applied.
    ///
    /// # Errors
    /// [`crate::Error::OldSchema`] names those that have not.
    pub async fn check_schema(&self, expected: &[&str]) -> Result<()> {
        schema::check(&self.inner.reader, expected).await
    }

    /// Wake-ups.
    #[must_use]
    pub fn notifier(&self) -> &Notifier {
        &self.inner.notifier
    }

    /// Closes the connections. What runs is finished first; later calls fail.
    ///
    /// # Errors
    /// The database did not answer.
    pub async fn close(&self) -> Result<()> {
        self.inner.reader.clone().close().await?;
        Ok(self.inner.writer.clone().close().await?)
    }

    pub(crate) fn cursors(&self) -> &Cursors {
        &self.inner.cursors
    }
}

async fn within<T>(patience: Duration, work: impl Future<Output = Result<T>>) -> Result<T> {
    match tokio::time::timeout(patience, work).await {
        Ok(outcome) => outcome,
        Err(_) => {
            let reason = format!("no answer within {} ms", patience.as_millis());
            Err(crate::Error::Busy(DbErr::Conn(RuntimeErr::Internal(reason))))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_database_that_never_answers_is_busy_and_worth_another_try() {
        let error = within(Duration::from_millis(1), std::future::pending::<Result<()>>()).await.unwrap_err();
        assert!(error.is_temporary(), "{error:?}");
        assert_eq!(within(Duration::MAX, std::future::ready(Ok(1))).await.unwrap(), 1);
    }
}
