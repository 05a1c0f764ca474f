//! The loop, and its end.

use std::time::Duration;

use serde_json::json;
use store::Topic;
use store::journal::StepStatus;
use tokio_util::sync::CancellationToken;

use crate::fixture::{Fixture, options, soon, work};
use crate::flows::chain;

crate::conformance! {
    async fn the_loop_runs_what_it_is_woken_for(db: &TestDb) {
        let fixture = Fixture::new(db).await;
        let workflow = fixture.workflow("flow", chain(&[("a", json!({}))])).await;
        let mut options = options();
        options.poll = Duration::from_secs(3_600);
        let services = fixture.services(db.db.clone());
        let worker = worker::Worker::new(services, options);
        let shutdown = CancellationToken::new();
        let running = tokio::spawn({
            let (worker, shutdown) = (worker.clone(), shutdown.clone());
            async move { worker.run(shutdown, || ()).await }
        });
        for count in 1..=20 {
            fixture.enqueue(&workflow).await;
            db.db.notifier().notify(Topic::Queue);
            soon(fixture.calls.reached(count)).await;
        }
        shutdown.cancel();
        soon(running).await.unwrap();
        assert!(fixture.all_executions().await.iter().all(|row| row.status == "completed" || row.status == "pending"));
        soon(work(&fixture.worker().await)).await;
        assert!(fixture.all_executions().await.iter().all(|row| row.status == "completed"));
        assert_eq!(fixture.calls.all().len(), 20);
    }

    async fn a_step_may_end_within_the_grace_period_and_the_rest_is_handed_back(db: &TestDb) {
        let fixture = Fixture::new(db).await;
        let id = fixture.start(chain(&[("a", json!({ "fields": { "gate": true } })), ("b", json!({}))])).await;
        let worker = fixture.worker().await;
        worker.tick().await.unwrap();
        soon(fixture.calls.reached(1)).await;
        let stopping = tokio::spawn({
            let worker = worker.clone();
            async move { worker.stop().await }
        });
        // Draining: nothing more is claimed.
        while worker.tick().await.unwrap().claimed > 0 {}
        fixture.calls.open_gate();
        soon(stopping).await.unwrap();
        soon(work(&fixture.worker().await)).await;
        assert_eq!(fixture.execution(id).await.status, "completed");
        assert_eq!((fixture.calls.of("a").len(), fixture.calls.of("b").len()), (1, 1));
    }

    async fn a_step_that_does_not_end_in_time_is_dropped_and_handed_back(db: &TestDb) {
        let fixture = Fixture::new(db).await;
        let id = fixture.start(chain(&[("a", json!({ "fields": { "hang": true, "effect": "external" } }))])).await;
        let mut options = options();
        options.grace = Duration::from_millis(50);
        let worker = fixture.worker_with(options).await;
        worker.tick().await.unwrap();
        soon(fixture.calls.reached(1)).await;
        soon(worker.stop()).await;
        assert_eq!(worker.running(), 0);
        assert_eq!(fixture.execution(id).await.status, "pending");
        assert_eq!(fixture.rows(id).await.last().unwrap().2, StepStatus::Running);
    }
}
