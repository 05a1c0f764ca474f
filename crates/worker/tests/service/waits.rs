//! Executions that wait, and go on in another worker.

use serde_json::json;
use store::ids::token_hash;
use store::journal::StepStatus;
use store::queue::{Resumed, resume_by_token};

use crate::fixture::{Fixture, soon, work};
use crate::flows::{chain, chain_with};

crate::conformance! {
    async fn a_wait_for_a_time_goes_on_in_another_worker(db: &TestDb) {
        let fixture = Fixture::new(db).await;
        let id = fixture.start(chain(&[("a", json!({ "fields": { "waitMs": 60_000 } })), ("b", json!({}))])).await;
        soon(work(&fixture.worker().await)).await;
        assert_eq!(fixture.execution(id).await.status, "waiting");
        fixture.pass(30_000).await;
        soon(work(&fixture.worker().await)).await;
        assert_eq!(fixture.execution(id).await.status, "waiting");
        fixture.pass(31_000).await;
        soon(work(&fixture.worker().await)).await;
        assert_eq!(fixture.execution(id).await.status, "completed");
        let resumes: Vec<_> = fixture.calls.of("a").into_iter().map(|call| call.resume).collect();
        assert_eq!(resumes, ["", "time"]);
    }

    async fn a_request_to_the_resume_url_goes_on_once(db: &TestDb) {
        let fixture = Fixture::new(db).await;
        let id = fixture.start(chain(&[("a", json!({ "fields": { "waitRequest": true } })), ("b", json!({}))])).await;
        soon(work(&fixture.worker().await)).await;
        assert_eq!(fixture.execution(id).await.status, "waiting");
        let url = fixture.urls.url(id);
        let hash = token_hash(url.rsplit('/').next().unwrap());
        let mut answers = Vec::new();
        for _ in 0..2 {
            let tx = db.db.begin().await.unwrap();
            answers.push(resume_by_token(&tx, db.now(), &hash, json!({ "json": { "body": "yes" } })).await.unwrap());
            tx.commit().await.unwrap();
        }
        assert!(matches!(answers[..], [Resumed::Yes { .. }, Resumed::Already { .. }]));
        soon(work(&fixture.worker().await)).await;
        assert_eq!(fixture.execution(id).await.status, "completed");
        let step = fixture.steps(id).await.into_iter().find(|step| step.node_id == "a").unwrap();
        assert_eq!(step.output_data.unwrap()[0][0]["json"]["body"], json!("yes"));
    }

    async fn a_parent_goes_on_when_its_children_have_ended(db: &TestDb) {
        let fixture = Fixture::new(db).await;
        let child = fixture.workflow("child", chain(&[("inner", json!({}))])).await;
        let id = fixture.start(chain(&[("a", json!({ "fields": { "start": child.id.to_string(), "times": 3 } })), ("b", json!({}))])).await;
        let first = fixture.worker().await;
        assert_eq!(first.tick().await.unwrap().claimed, 1);
        soon(first.idle()).await;
        assert_eq!(fixture.execution(id).await.status, "waiting");
        soon(work(&fixture.worker().await)).await;
        assert_eq!(fixture.execution(id).await.status, "completed");
        let children: Vec<_> = fixture.all_executions().await.into_iter().filter(|row| row.parent_execution_id == Some(id)).collect();
        assert_eq!(children.len(), 3);
        assert!(children.iter().all(|child| child.status == "completed" && child.trigger_type == "workflow"));
        let step = fixture.steps(id).await.into_iter().find(|step| step.node_id == "a").unwrap();
        assert_eq!(step.status, StepStatus::Completed);
        assert_eq!(step.output_data.unwrap()[0][2]["json"]["items"][0]["visited"], json!(["inner"]));
    }

    async fn a_child_whose_definition_is_in_the_node_runs_under_its_parents_workflow(db: &TestDb) {
        let fixture = Fixture::new(db).await;
        let id = fixture.start(chain(&[("a", json!({ "fields": { "start": chain(&[("inner", json!({ "fields": { "fail": 1 } }))]) } }))])).await;
        soon(work(&fixture.worker().await)).await;
        let parent = fixture.execution(id).await;
        assert_eq!(parent.status, "completed");
        let child = fixture.all_executions().await.into_iter().find(|row| row.parent_execution_id == Some(id)).unwrap();
        assert_eq!((child.workflow_id, child.status.as_str()), (parent.workflow_id, "failed"));
        let step = fixture.steps(id).await.into_iter().find(|step| step.node_id == "a").unwrap();
        assert_eq!(step.output_data.unwrap()[0][0]["json"]["status"], json!("failed"));
    }

    async fn a_workflow_that_calls_itself_ends_with_an_error(db: &TestDb) {
        let fixture = Fixture::new(db).await;
        // It refers to itself by name.
        let id = fixture.start(chain_with(&[("a", json!({ "fields": { "start": "flow" } }))], json!({}))).await;
        soon(work(&fixture.worker().await)).await;
        assert_eq!(fixture.execution(id).await.status, "completed");
        let all = fixture.all_executions().await;
        let deepest: Vec<_> = all.iter().filter(|row| row.status == "failed").collect();
        assert_eq!(deepest.len(), 1);
        assert_eq!(deepest[0].error_code.as_deref(), Some("workflow_depth"));
    }

    async fn a_long_pause_before_a_retry_gives_the_place_back(db: &TestDb) {
        let fixture = Fixture::new(db).await;
        let retry = json!({ "maxAttempts": 2, "delayMs": 60_000, "jitter": 0.0, "backoff": "fixed" });
        let id = fixture.start(chain(&[("a", json!({ "fields": { "fail": 1 }, "retry": retry }))])).await;
        soon(work(&fixture.worker().await)).await;
        assert_eq!(fixture.execution(id).await.status, "waiting");
        fixture.pass(61_000).await;
        soon(work(&fixture.worker().await)).await;
        assert_eq!(fixture.execution(id).await.status, "completed");
    }
}
