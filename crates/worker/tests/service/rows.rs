//! What a worker leaves in the database.

use sea_orm::EntityTrait;
use serde_json::json;
use store::journal::StepStatus;

use crate::fixture::{Fixture, soon, work};
use crate::flows::{chain, chain_with, definition};

const SECRET: &str = "tok-9f8e7d6c5b4a";

crate::conformance! {
    async fn a_chain_completes_with_its_rows(db: &TestDb) {
        let fixture = Fixture::new(db).await;
        let id = fixture.start(chain(&[("a", json!({})), ("b", json!({ "fields": { "effect": "external" } }))])).await;
        soon(work(&fixture.worker().await)).await;
        let execution = fixture.execution(id).await;
        assert_eq!(execution.status, "completed");
        assert_eq!((execution.total_steps, execution.completed_steps, execution.failed_steps), (3, 3, 0));
        assert!(execution.started_at.is_some() && execution.completed_at.is_some());
        assert_eq!(fixture.visits(id).await, ["a", "b"]);
        let steps = fixture.steps(id).await;
        assert_eq!(steps.iter().map(|step| step.node_id.as_str()).collect::<Vec<_>>(), ["start", "a", "b"]);
        assert!(steps.iter().all(|step| step.status == StepStatus::Completed));
        assert_eq!(steps[2].output_data.as_ref().unwrap()[0][0]["json"]["visited"], json!(["a", "b"]));
        assert_eq!(steps[2].input_data, Some(json!([[{ "node": "a", "run": 0, "output": 0 }]])));
        assert_eq!(entity::execution_logs::Entity::find().all(db.db.reader()).await.unwrap().len(), 3);
        assert!(entity::execution_queue::Entity::find().all(db.db.reader()).await.unwrap().is_empty());
    }

    async fn branches_meet_again(db: &TestDb) {
        let fixture = Fixture::new(db).await;
        let nodes = [("a", json!({})), ("b", json!({})), ("c", json!({}))];
        let id = fixture.start(definition(&nodes, &["start > a", "start > b", "a > c", "b > c"], json!({}))).await;
        soon(work(&fixture.worker().await)).await;
        assert_eq!(fixture.execution(id).await.status, "completed");
        assert_eq!(fixture.calls.of("c").len(), 2, "two edges into one input are two runs");
        let runs: Vec<_> = fixture.steps(id).await.into_iter().filter(|step| step.node_id == "c").map(|step| step.run_index).collect();
        assert_eq!(runs, [0, 1]);
    }

    async fn attempts_are_rows_of_their_own(db: &TestDb) {
        let fixture = Fixture::new(db).await;
        let retry = json!({ "maxAttempts": 3, "delayMs": 0 });
        let id = fixture.start(chain(&[("a", json!({ "fields": { "fail": 2 }, "retry": retry }))])).await;
        soon(work(&fixture.worker().await)).await;
        let rows: Vec<_> = fixture.rows(id).await.into_iter().filter(|row| row.0 == "a").map(|row| (row.1, row.2)).collect();
        assert_eq!(rows, [(1, StepStatus::Failed), (2, StepStatus::Failed), (3, StepStatus::Completed)]);
        assert_eq!(fixture.execution(id).await.failed_steps, 0);
    }

    async fn a_panic_in_a_node_fails_its_execution_and_no_other(db: &TestDb) {
        let fixture = Fixture::new(db).await;
        let bad = fixture.start(chain(&[("a", json!({ "fields": { "panic": true } }))])).await;
        let good = fixture.start(chain(&[("b", json!({}))])).await;
        soon(work(&fixture.worker().await)).await;
        let failed = fixture.execution(bad).await;
        assert_eq!((failed.status.as_str(), failed.error_code.as_deref(), failed.error_node_id.as_deref()), ("failed", Some("panic"), Some("a")));
        assert_eq!(fixture.execution(good).await.status, "completed");
    }

    async fn the_error_workflow_is_started_once(db: &TestDb) {
        let fixture = Fixture::new(db).await;
        let handler = fixture.workflow("handler", chain(&[("told", json!({ "fields": { "fail": 9 } }))])).await;
        let settings = json!({ "errorWorkflow": handler.id.to_string() });
        let id = fixture.start(chain_with(&[("a", json!({ "fields": { "fail": 9 } }))], settings)).await;
        soon(work(&fixture.worker().await)).await;
        assert_eq!(fixture.execution(id).await.status, "failed");
        let others: Vec<_> = fixture.all_executions().await.into_iter().filter(|other| other.id != id).collect();
        assert_eq!(others.len(), 1, "the failure of an error workflow starts none");
        assert_eq!(others[0].metadata["errorOf"], json!(id));
        assert_eq!(others[0].input_data.as_ref().unwrap()[0]["json"]["execution"]["error"]["code"], json!("probe_failed"));
        assert_eq!(fixture.calls.of("told").len(), 1);
    }

    async fn a_secret_is_never_stored(db: &TestDb) {
        let fixture = Fixture::new(db).await;
        fixture.integration("github", SECRET).await;
        for fatal in [false, true] {
            let id = fixture.start(chain(&[("a", json!({ "fields": { "leak": "github", "fatal": fatal } })), ("b", json!({}))])).await;
            soon(work(&fixture.worker().await)).await;
            assert_eq!(fixture.execution(id).await.status, if fatal { "failed" } else { "completed" });
        }
        let everything = format!(
            "{:?} {:?} {:?}",
            fixture.all_executions().await,
            entity::execution_steps::Entity::find().all(db.db.reader()).await.unwrap(),
            entity::execution_logs::Entity::find().all(db.db.reader()).await.unwrap(),
        );
        assert!(everything.contains("***"));
        assert!(!everything.contains(SECRET));
    }

    async fn another_organizations_integration_is_not_found(db: &TestDb) {
        let other = Fixture::new(db).await;
        other.integration("github", SECRET).await;
        let fixture = Fixture::new(db).await;
        let id = fixture.start(chain(&[("a", json!({ "fields": { "leak": "github" } }))])).await;
        soon(work(&fixture.worker().await)).await;
        assert_eq!(fixture.execution(id).await.error_code.as_deref(), Some("no_integration"));
    }

    async fn a_small_file_stays_in_the_item_and_a_large_one_is_stored(db: &TestDb) {
        let fixture = Fixture::new(db).await;
        let id = fixture.start(chain(&[("small", json!({ "fields": { "fileBytes": 100 } })), ("large", json!({ "fields": { "fileBytes": 100_000 } }))])).await;
        soon(work(&fixture.worker().await)).await;
        let execution = fixture.execution(id).await;
        assert_eq!(execution.status, "completed", "{:?}", execution.error_message);
        let output = |step: &store::journal::StepRecord| step.output_data.clone().unwrap()[0][0]["json"]["file"].clone();
        let steps = fixture.steps(id).await;
        assert!(output(&steps[1]).is_null());
        assert!(output(&steps[2]).is_string());
        let stored = entity::files::Entity::find().all(db.db.reader()).await.unwrap();
        assert_eq!((stored.len(), stored[0].size_bytes, stored[0].execution_id), (1, 100_000, Some(id)));
    }

    async fn a_workflow_that_cannot_run_fails_with_its_problems(db: &TestDb) {
        let fixture = Fixture::new(db).await;
        let id = fixture.start(chain(&[("a", json!({ "nodeType": "no_such_node" }))])).await;
        soon(work(&fixture.worker().await)).await;
        let execution = fixture.execution(id).await;
        assert_eq!(execution.error_code.as_deref(), Some("invalid_workflow"));
        assert!(execution.error_message.unwrap().contains("no_such_node"));
    }
}
