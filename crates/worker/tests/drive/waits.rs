//! Steps that wait.

use std::time::Duration;

use engine::Item;
use serde_json::json;
use store::journal::StepStatus;
use worker::journal::{Durability, Journal, Records, StartReason};
use worker::{End, StepContext};

use crate::bench::{Bench, TOKEN_HASH};
use crate::support::chain;

#[tokio::test(start_paused = true)]
async fn a_short_wait_keeps_the_place() {
    let bench = Bench::new(chain(&[("a", json!({ "fields": { "waitMs": 3000 } }))]));
    assert_eq!(bench.drive().await.end, End::Completed);
    let calls: Vec<_> = bench.calls.of("a").into_iter().map(|call| call.resume).collect();
    assert_eq!(calls, ["", "time"]);
    assert_eq!(bench.rows().len(), 2);
    assert!(bench.step("a").duration_ms.unwrap() < 1_000, "waiting is not running");
}

#[tokio::test(start_paused = true)]
async fn a_long_wait_gives_the_place_back() {
    let bench = Bench::new(chain(&[("a", json!({ "fields": { "waitMs": 60_000 } })), ("b", json!({}))]));
    assert!(matches!(bench.drive().await.end, End::Suspended { resume_at: Some(_) }));
    assert_eq!(bench.step("a").status, StepStatus::Waiting);
    tokio::time::advance(Duration::from_secs(61)).await;
    assert_eq!(bench.drive().await.end, End::Completed);
    assert_eq!(bench.calls.of("a").len(), 2);
    assert_eq!(bench.calls.of("b").len(), 1);
}

#[tokio::test]
async fn a_wait_for_a_request_goes_on_with_the_request() {
    let bench = Bench::new(chain(&[("a", json!({ "fields": { "waitRequest": true } }))]));
    assert_eq!(bench.drive().await.end, End::Suspended { resume_at: None });
    let mut step = bench.step("a");
    assert_eq!(step.resume_token_hash.as_deref(), Some(TOKEN_HASH));
    // The request arrives.
    step.context =
        StepContext { request: Some(Item::from_value(json!({ "body": "yes" }))), ..StepContext::default() };
    let records = Records { steps: vec![step], ..Records::default() };
    bench.journal.record(records, Durability::Now).await.unwrap();
    let report = bench.drive().await;
    assert_eq!(report.end, End::Completed);
    assert_eq!(report.items()[0].json["body"], json!("yes"));
}

#[tokio::test]
async fn awaited_workflows_are_started_with_the_record_of_the_wait() {
    let bench = Bench::new(chain(&[("a", json!({ "fields": { "start": "other", "times": 2 } }))]));
    assert_eq!(bench.drive().await.end, End::Suspended { resume_at: None });
    let starts = bench.journal.take_starts();
    let step = bench.step("a");
    assert_eq!(step.status, StepStatus::Waiting);
    assert_eq!(step.context.children.unwrap(), starts.iter().map(|start| start.id).collect::<Vec<_>>());
    assert!(
        starts
            .iter()
            .all(|start| start.reason == StartReason::Awaited { step_id: step.id } && start.depth == 1)
    );
    let report = bench.drive().await;
    assert_eq!(report.end, End::Completed);
    assert_eq!(report.items().len(), 2);
    assert!(bench.journal.take_starts().is_empty(), "they were started twice");
}

#[tokio::test]
async fn workflows_that_are_only_started_are_not_waited_for() {
    let bench = Bench::new(chain(&[("a", json!({ "fields": { "start": "other", "detach": true } }))]));
    assert_eq!(bench.drive().await.end, End::Completed);
    assert_eq!(bench.calls.of("a").last().unwrap().resume, "started");
    let starts = bench.journal.take_starts();
    assert_eq!(bench.step("a").child_execution_id, Some(starts[0].id));
}

#[tokio::test]
async fn workflows_nested_too_deep_are_an_error() {
    let mut bench = Bench::new(chain(&[("a", json!({ "fields": { "start": "other" } }))]));
    bench.limits.max_depth = 0;
    let End::Failed(error) = bench.drive().await.end else { panic!("it did not fail") };
    assert_eq!(error.code, "workflow_depth");
    assert!(bench.journal.take_starts().is_empty());
}
