//! Many executions, several workers.

use std::collections::HashSet;
use std::time::Duration;

use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::fixture::{Fixture, options, soon};
use crate::flows::{chain, chain_with};

const EXECUTIONS: usize = 150;

crate::conformance! {
    async fn a_backlog_is_done_once_by_several_workers(db: &TestDb) {
        let fixture = Fixture::new(db).await;
        let workflow = fixture.workflow("flow", chain(&[("a", json!({ "fields": { "effect": "external" } })), ("b", json!({}))])).await;
        let mut expected = HashSet::new();
        for _ in 0..EXECUTIONS {
            expected.insert(fixture.enqueue(&workflow).await);
        }
        let shutdown = CancellationToken::new();
        let mut running = Vec::new();
        for _ in 0..2 {
            let mut options = options();
            options.poll = Duration::from_millis(100);
            let worker = fixture.worker_with(options).await;
            let shutdown = shutdown.clone();
            running.push(tokio::spawn(async move { worker.run(shutdown, || ()).await }));
        }
        soon(fixture.calls.reached(2 * EXECUTIONS)).await;
        shutdown.cancel();
        for worker in running {
            soon(worker).await.unwrap();
        }
        let all = fixture.all_executions().await;
        assert_eq!(all.iter().map(|row| row.id).collect::<HashSet<_>>(), expected);
        assert_eq!(fixture.calls.of("a").len(), EXECUTIONS);
        // An execution whose last step had just ended may have been handed back.
        assert!(all.iter().all(|row| row.status == "completed" || row.status == "pending"));
    }

    async fn a_workflow_at_its_limit_does_not_keep_free_slots_from_others(db: &TestDb) {
        let fixture = Fixture::new(db).await;
        let gated = chain_with(&[("a", json!({ "fields": { "gate": true } }))], json!({ "concurrency": 1 }));
        let limited = fixture.workflow("limited", gated).await;
        let free = fixture.workflow("free", chain(&[("b", json!({}))])).await;
        for _ in 0..20 {
            fixture.enqueue(&limited).await;
        }
        fixture.enqueue(&free).await;
        let mut options = options();
        options.concurrency = 4;
        options.poll = Duration::from_secs(3_600);
        let worker = fixture.worker_with(options).await;
        let shutdown = CancellationToken::new();
        let stop = shutdown.clone();
        let running = tokio::spawn(async move { worker.run(stop, || ()).await });
        // One of the limited workflow stands at the gate, so nothing but another claim brings the other one.
        soon(fixture.calls.reached(2)).await;
        assert_eq!(fixture.calls.of("b").len(), 1);
        shutdown.cancel();
        fixture.calls.open_gate();
        soon(running).await.unwrap();
    }
}
