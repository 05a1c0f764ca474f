//! Leases that are lost, and executions that are cancelled.

use std::time::Duration;

use serde_json::json;
use store::journal::StepStatus;
use store::queue::request_cancel;

use crate::fixture::{Fixture, options, soon, work};
use crate::flows::chain;

fn gated() -> serde_json::Value {
    chain(&[
        ("a", json!({ "fields": { "effect": "external", "gate": true } })),
        ("b", json!({ "fields": { "effect": "external" } })),
    ])
}

crate::conformance! {
    async fn a_worker_whose_lease_went_to_another_writes_nothing(db: &TestDb) {
        let fixture = Fixture::new(db).await;
        let id = fixture.start(gated()).await;
        let slow = fixture.worker().await;
        slow.tick().await.unwrap();
        soon(fixture.calls.reached(1)).await;
        // The slow worker is thought dead; another one takes over, and ends the execution.
        fixture.rescue().await;
        soon(work(&fixture.worker().await)).await;
        let before = (fixture.execution(id).await, fixture.steps(id).await);
        assert_eq!(before.0.error_code.as_deref(), Some("interrupted"));
        // Now the slow worker's node ends.
        fixture.calls.open_gate();
        soon(slow.idle()).await;
        assert_eq!((fixture.execution(id).await, fixture.steps(id).await), before);
        assert!(fixture.calls.of("b").is_empty());
    }

    async fn a_heartbeat_stops_an_execution_whose_lease_is_lost(db: &TestDb) {
        let fixture = Fixture::new(db).await;
        let id = fixture.start(gated()).await;
        let slow = fixture.worker().await;
        slow.tick().await.unwrap();
        soon(fixture.calls.reached(1)).await;
        assert_eq!(slow.heartbeat().await.unwrap().renewed, 1);
        fixture.rescue().await;
        assert_eq!(slow.heartbeat().await.unwrap().lost, 1);
        soon(slow.idle()).await;
        assert_eq!(fixture.execution(id).await.status, "pending");
        assert_eq!(fixture.rows(id).await.last().unwrap().2, StepStatus::Running);
    }

    async fn a_worker_without_heartbeats_stops_by_its_own_clock(db: &TestDb) {
        let fixture = Fixture::new(db).await;
        let id = fixture.start(gated()).await;
        let mut options = options();
        options.lease = Duration::from_millis(300);
        let silent = fixture.worker_with(options).await;
        silent.tick().await.unwrap();
        soon(fixture.calls.reached(1)).await;
        soon(silent.idle()).await;
        // In the database nothing has happened: its clock stands still here.
        assert_eq!(fixture.execution(id).await.status, "running");
    }

    async fn a_cancelled_execution_drops_its_node_at_the_next_heartbeat(db: &TestDb) {
        let fixture = Fixture::new(db).await;
        let id = fixture.start(gated()).await;
        let worker = fixture.worker().await;
        worker.tick().await.unwrap();
        soon(fixture.calls.reached(1)).await;
        let tx = db.db.begin().await.unwrap();
        request_cancel(&tx, db.now(), fixture.organization_id, id).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(worker.heartbeat().await.unwrap().cancelled, 1);
        soon(worker.idle()).await;
        assert_eq!(fixture.execution(id).await.status, "cancelled");
        assert_eq!(fixture.rows(id).await.last().unwrap(), &("a".to_owned(), 1, StepStatus::Cancelled));
        assert!(fixture.calls.of("b").is_empty());
    }
}
