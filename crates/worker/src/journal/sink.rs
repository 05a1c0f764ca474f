//! Where the [`Writer`](super::Writer) commits to.

use async_trait::async_trait;
use store::Db;
use store::journal::JournalEntry;
use store::queue::Held;

/// Commits batches. In production that is the database; a test puts a fault here.
#[async_trait]
pub trait Sink: Send + Sync + 'static {
    /// Commits entries of several executions in one transaction, each only if its lease still holds.
    async fn commit(&self, entries: &[JournalEntry]) -> Result<Vec<Held>, store::Error>;

    /// Whether anything can be committed at present.
    async fn probe(&self) -> Result<(), store::Error>;
}

/// Commits to the store.
pub struct StoreSink {
    db: Db,
}

impl StoreSink {
    /// Commits to this database.
    #[must_use]
    pub fn new(db: Db) -> Self {
        Self { db }
    }
}

#[async_trait]
impl Sink for StoreSink {
    async fn commit(&self, entries: &[JournalEntry]) -> Result<Vec<Held>, store::Error> {
        store::journal::commit(&self.db, self.db.now(), entries).await
    }

    async fn probe(&self) -> Result<(), store::Error> {
        // A write transaction, because a database can be read when it cannot be written to.
        Ok(self.db.begin().await?.commit().await?)
    }
}
