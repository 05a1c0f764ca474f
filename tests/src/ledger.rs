//! What the database holds in the end.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use sea_orm::{ConnectionTrait, DatabaseConnection, QueryResult, Statement};
use uuid::Uuid;

use crate::place::Place;

/// A reader of an installation's database, beside its services.
#[derive(Debug)]
pub struct Ledger {
    db: DatabaseConnection,
}

/// An execution as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// Its id.
    pub id: String,
    /// Where it stands.
    pub status: String,
    /// What started it.
    pub trigger_type: String,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it ended.
    pub completed_at: Option<DateTime<Utc>>,
}

impl Ledger {
    /// Opens the database of an installation.
    pub async fn open(place: &Place) -> Self {
        Self { db: place.connect().await }
    }

    async fn rows(&self, sql: &str) -> Vec<QueryResult> {
        self.db.query_all_raw(Statement::from_string(self.db.get_database_backend(), sql)).await.unwrap()
    }

    async fn count(&self, sql: &str) -> i64 {
        self.rows(sql).await[0].try_get_by_index(0).unwrap()
    }

    /// All executions, by id.
    pub async fn executions(&self) -> BTreeMap<String, Stored> {
        let rows =
            self.rows("SELECT id, status, trigger_type, created_at, completed_at FROM executions").await;
        let stored = rows.iter().map(|row| {
            let id = row.try_get_by_index::<Uuid>(0).unwrap().to_string();
            let (status, trigger_type) = (row.try_get_by_index(1).unwrap(), row.try_get_by_index(2).unwrap());
            let (created_at, completed_at) =
                (row.try_get_by_index(3).unwrap(), row.try_get_by_index(4).unwrap());
            (id.clone(), Stored { id, status, trigger_type, created_at, completed_at })
        });
        stored.collect()
    }

    /// Executions that a worker has right now.
    pub async fn leased(&self) -> BTreeSet<String> {
        let rows = self.rows("SELECT execution_id FROM execution_queue WHERE state = 'leased'").await;
        rows.iter().map(|row| row.try_get_by_index::<Uuid>(0).unwrap().to_string()).collect()
    }

    /// Executions that have not ended.
    pub async fn queued_count(&self) -> i64 {
        self.count("SELECT COUNT(*) FROM execution_queue").await
    }

    /// Steps that have completed more than once.
    pub async fn doubled_count(&self) -> i64 {
        self.count(
            "SELECT COUNT(*) FROM (SELECT 1 FROM execution_steps WHERE status = 'completed' \
             GROUP BY execution_id, node_id, run_index HAVING COUNT(*) > 1) doubled",
        )
        .await
    }

    /// Steps with this status.
    pub async fn steps_count(&self, status: &str) -> i64 {
        self.count(&format!("SELECT COUNT(*) FROM execution_steps WHERE status = '{status}'")).await
    }

    /// How many steps of each execution have completed.
    pub async fn completed_steps(&self) -> BTreeMap<String, i64> {
        let sql = "SELECT execution_id, COUNT(*) FROM execution_steps WHERE status = 'completed' GROUP BY execution_id";
        let rows = self.rows(sql).await;
        let counted = rows.iter().map(|row| {
            let id = row.try_get_by_index::<Uuid>(0).unwrap().to_string();
            (id, row.try_get_by_index(1).unwrap())
        });
        counted.collect()
    }

    /// The occurrences of each schedule that have executions, one entry for each execution, in order.
    pub async fn occurrences(&self) -> BTreeMap<Uuid, Vec<DateTime<Utc>>> {
        let sql =
            "SELECT schedule_id, scheduled_for FROM executions WHERE schedule_id IS NOT NULL ORDER BY 1, 2";
        let mut occurrences: BTreeMap<Uuid, Vec<DateTime<Utc>>> = BTreeMap::new();
        for row in self.rows(sql).await {
            let at = row.try_get_by_index(1).unwrap();
            occurrences.entry(row.try_get_by_index(0).unwrap()).or_default().push(at);
        }
        occurrences
    }
}
