//! Leases that are lost, and executions that are cancelled.

use std::time::Duration;

use serde_json::json;
use store::journal::StepStatus;
use store::queue::request_cancel;

use crate::fixture::{Fixture, options, soon, work};
use crate::flows::{chain, chain_with};

fn gated() -> serde_json::Value {
    chain(&[
        ("a", json!({ "fields": { "effect": "external", "gate": true } })),
        ("b", json!({ "fields": { "effect": "external" } })),
    ])
}

fn error_workflow() -> serde_json::Value {
    json!({ "nodes": [{ "id": "failed", "data": { "nodeType": "error_trigger", "label": "failed" } }], "edges": [] })
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

    async fn a_task_whose_lease_is_lost_leaves_the_next_one_of_its_execution_alone(db: &TestDb) {
        let fixture = Fixture::new(db).await;
        let id = fixture.start(chain(&[("a", json!({ "fields": { "gate": true } }))])).await;
        let worker = fixture.worker().await;
        worker.tick().await.unwrap();
        soon(fixture.calls.reached(1)).await;
        // The same worker claims it anew while its first task has not noticed that it lost the lease.
        fixture.rescue().await;
        assert_eq!(worker.tick().await.unwrap().claimed, 1);
        soon(fixture.calls.reached(2)).await;
        // It ends without the database, as soon as it is polled.
        for _ in 0..1_000 {
            tokio::task::yield_now().await;
        }
        assert_eq!(worker.running(), 1);
        assert_eq!(worker.heartbeat().await.unwrap().renewed, 1, "nobody keeps its lease");
        fixture.calls.open_gate();
        soon(worker.idle()).await;
        assert_eq!(fixture.execution(id).await.status, "completed");
    }

    async fn a_record_that_cannot_be_read_fails_the_execution(db: &TestDb) {
        use sea_orm::ConnectionTrait as _;
        let fixture = Fixture::new(db).await;
        let heard = fixture.workflow("heard", error_workflow()).await;
        let flow = chain_with(&[("a", json!({ "fields": { "waitMs": 60_000 } }))], json!({ "errorWorkflow": heard.id.to_string() }));
        let id = fixture.start(flow).await;
        soon(work(&fixture.worker().await)).await;
        assert_eq!(fixture.execution(id).await.status, "waiting");
        // Deeper than JSON is read.
        let deep = format!("{}{}", "[".repeat(200), "]".repeat(200));
        let sql = format!("UPDATE execution_steps SET output_data = '{deep}' WHERE node_id = 'start'");
        db.db.writer().execute_unprepared(&sql).await.unwrap();
        fixture.pass(61_000).await;
        soon(work(&fixture.worker().await)).await;
        let failed = fixture.execution(id).await;
        assert_eq!((failed.status.as_str(), failed.error_code.as_deref()), ("failed", Some("corrupt_record")));
        let told = fixture.all_executions().await.into_iter().find(|row| row.workflow_id == heard.id).unwrap();
        assert_eq!(told.status, "completed", "the error workflow was not told");
    }

    async fn an_execution_whose_trigger_is_gone_is_told_to_the_error_workflow(db: &TestDb) {
        let fixture = Fixture::new(db).await;
        let heard = fixture.workflow("heard", error_workflow()).await;
        let flow = fixture.workflow("flow", chain_with(&[("a", json!({}))], json!({ "errorWorkflow": heard.id.to_string() }))).await;
        let id = fixture.enqueue_at(&flow, Some("nowhere")).await;
        soon(work(&fixture.worker().await)).await;
        assert_eq!(fixture.execution(id).await.error_code.as_deref(), Some("trigger_not_found"));
        let told = fixture.all_executions().await.into_iter().find(|row| row.workflow_id == heard.id).unwrap();
        assert_eq!(told.output_data.unwrap()[0]["json"]["execution"]["error"]["code"], json!("trigger_not_found"));
    }
}
