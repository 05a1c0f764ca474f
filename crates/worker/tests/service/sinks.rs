//! Sinks with faults, and what becomes of executions over them.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use serde_json::json;
use store::journal::JournalEntry;
use store::queue::Held;
use worker::journal::{Sink, StoreSink};

use crate::fixture::{Fixture, soon, work};
use crate::flows::{chain, chain_with};

/// After so many commits nothing is committed any more: the worker is dead to the world.
pub(crate) struct DyingSink {
    pub(crate) inner: StoreSink,
    pub(crate) left: AtomicUsize,
    /// Whether the last commit reaches the database although its answer does not reach the worker.
    pub(crate) loses_answer: bool,
}

impl DyingSink {
    pub(crate) fn new(inner: StoreSink, commits: usize, loses_answer: bool) -> Arc<Self> {
        Arc::new(Self { inner, left: AtomicUsize::new(commits), loses_answer })
    }
}

#[async_trait]
impl Sink for DyingSink {
    async fn commit(&self, entries: &[JournalEntry]) -> Result<Vec<Held>, store::Error> {
        let left = self.left.load(Ordering::SeqCst);
        if left == 0 {
            return Ok(vec![Held::Lost; entries.len()]);
        }
        self.left.store(left - 1, Ordering::SeqCst);
        let held = self.inner.commit(entries).await?;
        Ok(if left == 1 && self.loses_answer { vec![Held::Lost; entries.len()] } else { held })
    }

    async fn probe(&self) -> Result<(), store::Error> {
        self.inner.probe().await
    }
}

/// Each commit fails once: before it reaches the database, or after.
struct FlakySink {
    inner: StoreSink,
    commits: AtomicUsize,
}

#[async_trait]
impl Sink for FlakySink {
    async fn commit(&self, entries: &[JournalEntry]) -> Result<Vec<Held>, store::Error> {
        let broken =
            || store::Error::Unreachable { url: "test".into(), reason: "the connection broke".into() };
        match self.commits.fetch_add(1, Ordering::SeqCst) % 3 {
            0 => Err(broken()),
            // The last record of an execution would answer `Lost` the second time.
            1 if entries.iter().all(|entry| entry.close.is_none()) => {
                self.inner.commit(entries).await?;
                Err(broken())
            }
            _ => self.inner.commit(entries).await,
        }
    }

    async fn probe(&self) -> Result<(), store::Error> {
        Err(store::Error::Unreachable { url: "test".into(), reason: "not yet".into() })
    }
}

/// Refuses every step of one node, for ever.
struct RefusingSink {
    inner: StoreSink,
    node: &'static str,
}

#[async_trait]
impl Sink for RefusingSink {
    async fn commit(&self, entries: &[JournalEntry]) -> Result<Vec<Held>, store::Error> {
        if entries.iter().any(|entry| entry.steps.iter().any(|step| step.node_id == self.node)) {
            return Err(store::Error::Check { constraint: "ck_test".into() });
        }
        self.inner.commit(entries).await
    }

    async fn probe(&self) -> Result<(), store::Error> {
        self.inner.probe().await
    }
}

crate::conformance! {
    async fn a_failing_database_delays_an_execution_and_loses_nothing(db: &TestDb) {
        let fixture = Fixture::new(db).await;
        let id = fixture.start(chain(&[("a", json!({ "fields": { "effect": "external" } })), ("b", json!({ "fields": { "effect": "external" } }))])).await;
        let sink = FlakySink { inner: StoreSink::new(db.connect_again().await), commits: AtomicUsize::new(0) };
        let worker = fixture.worker_over(Arc::new(sink)).await;
        soon(work(&worker)).await;
        assert_eq!(fixture.execution(id).await.status, "completed");
        assert_eq!(fixture.visits(id).await, ["a", "b"]);
        assert_eq!(fixture.calls.all().len(), 2);
    }

    async fn an_execution_whose_records_are_refused_fails_alone(db: &TestDb) {
        let fixture = Fixture::new(db).await;
        let heard = fixture.workflow("heard", chain(&[])).await;
        let settings = json!({ "errorWorkflow": heard.id.to_string() });
        let bad = fixture.start(chain_with(&[("poison", json!({ "fields": { "effect": "external" } }))], settings)).await;
        let good = fixture.start(chain(&[("a", json!({ "fields": { "effect": "external" } }))])).await;
        let sink = RefusingSink { inner: StoreSink::new(db.connect_again().await), node: "poison" };
        let worker = fixture.worker_over(Arc::new(sink)).await;
        soon(work(&worker)).await;
        let failed = fixture.execution(bad).await;
        assert_eq!((failed.status.as_str(), failed.error_code.as_deref()), ("failed", Some("record_refused")));
        assert_eq!(fixture.execution(good).await.status, "completed");
        assert!(fixture.calls.of("poison").is_empty(), "it started before its start was durable");
        let told = fixture.all_executions().await.into_iter().filter(|row| row.workflow_id == heard.id).count();
        assert_eq!(told, 1, "the error workflow was not told");
    }
}
