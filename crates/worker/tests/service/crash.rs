//! A worker dies after each of its commits; another one goes on.

use serde_json::{Value, json};
use store::journal::StepStatus;
use worker::journal::StoreSink;

use crate::fixture::{Fixture, soon, work};
use crate::flows::{chain, definition};
use crate::sinks::DyingSink;

/// More commits than the execution makes.
const MANY: usize = 30;

fn branching(effect: &str, attempts: u32) -> Value {
    let probe = || json!({ "fields": { "effect": effect }, "retry": { "maxAttempts": attempts, "delayMs": 0, "backoff": "fixed" } });
    let nodes = [("a", probe()), ("b", probe()), ("c", probe()), ("d", probe())];
    definition(&nodes, &["start > a", "a > b", "start > c", "c > d"], json!({}))
}

/// Gives how many commits the execution makes, which is after how many it was crashed.
async fn crash_everywhere(
    db: &crate::support::TestDb,
    effect: &str,
    attempts: u32,
    loses_answer: bool,
) -> usize {
    for commits in 0..MANY {
        let fixture = Fixture::new(db).await;
        let id = fixture.start(branching(effect, attempts)).await;
        let sink = DyingSink::new(StoreSink::new(db.connect_again().await), commits, loses_answer);
        let dying = fixture.worker_over(sink).await;
        assert_eq!(dying.tick().await.unwrap().claimed, 1);
        soon(dying.idle()).await;
        let on_record = fixture.steps(id).await;
        let before = fixture.calls.all().len();
        if fixture.execution(id).await.status != "running" {
            assert_eq!(fixture.execution(id).await.status, "completed");
            return commits;
        }
        fixture.rescue().await;
        soon(work(&fixture.worker().await)).await;
        for call in &fixture.calls.all()[before..] {
            let done = on_record
                .iter()
                .any(|step| step.node_id == call.node && step.status == StepStatus::Completed);
            assert!(!done, "{} was completed and ran again after {commits} commits", call.node);
        }
        let execution = fixture.execution(id).await;
        if effect == "external" && attempts == 1 {
            assert!(["a", "b", "c", "d"].iter().all(|node| fixture.calls.of(node).len() <= 1));
            assert!(
                execution.status == "completed" || execution.error_code.as_deref() == Some("interrupted")
            );
        } else {
            assert_eq!(execution.status, "completed", "{:?}", execution.error_message);
            assert_eq!(fixture.visits(id).await, ["c", "d"]);
            assert_eq!(execution.completed_steps, 5);
        }
    }
    panic!("the execution makes more than {MANY} commits")
}

crate::conformance! {
    async fn pure_steps_survive_a_crash_at_any_commit(db: &TestDb) {
        assert!(crash_everywhere(db, "pure", 1, false).await >= 1);
    }

    async fn steps_that_change_the_world_are_not_run_twice(db: &TestDb) {
        assert!(crash_everywhere(db, "external", 1, false).await >= 5);
    }

    async fn steps_that_change_the_world_are_retried_as_their_policy_allows(db: &TestDb) {
        assert!(crash_everywhere(db, "external", 3, false).await >= 5);
    }

    async fn a_commit_whose_answer_is_lost_counts(db: &TestDb) {
        assert!(crash_everywhere(db, "external", 3, true).await >= 5);
    }

    async fn sub_workflows_are_started_once_and_their_parent_survives_a_crash_at_any_commit(db: &TestDb) {
        for waits in [true, false] {
            let mut crashes = 0;
            for commits in 0..MANY {
                let fixture = Fixture::new(db).await;
                let child = fixture.workflow("child", chain(&[("inner", json!({ "fields": { "effect": "external" }, "retry": { "maxAttempts": 3, "delayMs": 0 } }))])).await;
                let fields = json!({ "workflowId": child.id.to_string(), "waitForCompletion": waits });
                let id = fixture.start(chain(&[("call", json!({ "nodeType": "execute_workflow", "fields": fields })), ("after", json!({}))])).await;
                let sink = DyingSink::new(StoreSink::new(db.connect_again().await), commits, false);
                let dying = fixture.worker_over(sink).await;
                soon(work(&dying)).await;
                let has_died = fixture.all_executions().await.iter().any(|row| row.organization_id == fixture.organization_id && row.status == "running");
                crashes += usize::from(has_died);
                fixture.rescue().await;
                soon(work(&fixture.worker().await)).await;
                let parent = fixture.execution(id).await;
                assert_eq!(parent.status, "completed", "waits: {waits}, after {commits} commits: {:?}", parent.error_message);
                let children: Vec<_> = fixture.all_executions().await.into_iter().filter(|row| row.workflow_id == child.id).collect();
                assert_eq!(children.len(), 1, "waits: {waits}, after {commits} commits");
                assert_eq!(children[0].status, "completed");
                if !has_died {
                    break;
                }
            }
            assert!(crashes >= 3, "waits: {waits}: only {crashes} crashes");
        }
    }
}
