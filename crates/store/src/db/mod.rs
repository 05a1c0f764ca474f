//! The connections to a database.
//!
//! SQLite has one writer at a time whatever we do, so a [`Db`] has one connection that writes and a pool that reads.
//! Write transactions are IMMEDIATE: a deferred one that reads before it writes fails when another has written in
//! between, and no timeout helps. The file is in WAL mode and every commit is synced: what was answered survives a
//! power cut. On PostgreSQL there is one pool; statements, waits for locks and idle transactions have time limits, so
//! that a frozen process cannot hold up the others for long.

mod connect;
mod offset;
mod schema;

use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, Utc};
use sea_orm::{
    DatabaseConnection, DatabaseTransaction, SqliteTransactionMode, TransactionOptions, TransactionTrait,
};
use uuid::Uuid;

use crate::clock::{self, Clock};
use crate::notify::Notifier;
use crate::{Backend, Result, settings};
use offset::Offset;

/// The database of an installation. Cheap to clone.
#[derive(Clone)]
pub struct Db {
    inner: Arc<Inner>,
}

struct Inner {
    backend: Backend,
    reader: DatabaseConnection,
    writer: DatabaseConnection,
    clock: Arc<dyn Clock>,
    offset: Offset,
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
        let (offset, notifier) = match opened.backend {
            Backend::Sqlite => (Offset::none(), Notifier::local()),
            Backend::Postgres => {
                let offset = Offset::measure(&opened.writer, &clock).await?;
                (offset, Notifier::postgres(&opened.writer))
            }
        };
        let inner = Inner {
            backend: opened.backend,
            reader: opened.reader,
            writer: opened.writer,
            clock,
            offset,
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

    /// Which database it is.
    #[must_use]
    pub fn backend(&self) -> Backend {
        self.inner.backend
    }

    /// The present moment by the clock of the database, in whole microseconds.
    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        clock::truncate(self.inner.clock.now() + self.inner.offset.get())
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
