//! Steps that wait.

use std::sync::atomic::Ordering;
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

fn starting_with_retries() -> Bench {
    let retry = json!({ "maxAttempts": 3, "delayMs": 0 });
    Bench::new(chain(&[("a", json!({ "fields": { "start": "other" }, "retry": retry }))]))
}

#[tokio::test(start_paused = true)]
async fn results_that_cannot_be_read_are_asked_for_again_and_nothing_is_started_twice() {
    let bench = starting_with_retries();
    assert_eq!(bench.drive().await.end, End::Suspended { resume_at: None });
    assert_eq!(bench.journal.take_starts().len(), 1);
    bench.environment.broken_reads.store(20, Ordering::SeqCst);
    assert_eq!(bench.drive().await.end, End::Completed);
    assert!(bench.journal.take_starts().is_empty(), "it was started twice");
    let step = bench.step("a");
    assert_eq!((step.attempt, step.status), (1, StepStatus::Completed));
}

#[tokio::test(start_paused = true)]
async fn results_that_cannot_be_read_keep_no_execution_from_being_stopped() {
    for (stop, end, status) in [
        ("cancel", End::Cancelled, StepStatus::Cancelled),
        ("lost", End::Lost, StepStatus::Waiting),
        ("drain", End::HandedBack, StepStatus::Waiting),
        ("abort", End::HandedBack, StepStatus::Waiting),
    ] {
        let bench = starting_with_retries();
        assert_eq!(bench.drive().await.end, End::Suspended { resume_at: None });
        bench.environment.broken_reads.store(usize::MAX, Ordering::SeqCst);
        let run = bench.drive();
        tokio::pin!(run);
        tokio::select! {
            report = &mut run => panic!("{:?}", report.end),
            () = tokio::time::sleep(Duration::from_secs(60)) => {}
        }
        match stop {
            "cancel" => bench.control.cancel.cancel(),
            "lost" => bench.control.lost.cancel(),
            "drain" => bench.control.drain.cancel(),
            _ => bench.control.abort.cancel(),
        }
        assert_eq!(run.await.end, end, "{stop}");
        assert_eq!(bench.step("a").status, status, "{stop}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_step_that_waits_in_its_place_is_cancelled_with_its_execution() {
    let bench = Bench::new(chain(&[("a", json!({ "fields": { "waitMs": 3000 } }))]));
    let run = bench.drive();
    tokio::pin!(run);
    tokio::select! {
        report = &mut run => panic!("{:?}", report.end),
        () = tokio::time::sleep(Duration::from_secs(1)) => bench.control.cancel.cancel(),
    }
    assert_eq!(run.await.end, End::Cancelled);
    let step = bench.step("a");
    assert_eq!((step.status, step.resume_at), (StepStatus::Cancelled, None));
    assert!(step.completed_at.is_some());
}

#[tokio::test(start_paused = true)]
async fn a_step_that_waits_is_cancelled_with_an_execution_that_is_claimed_only_for_that() {
    let bench = Bench::new(chain(&[("a", json!({ "fields": { "waitMs": 60_000 } }))]));
    assert!(matches!(bench.drive().await.end, End::Suspended { .. }));
    bench.control.cancel.cancel();
    assert_eq!(bench.drive().await.end, End::Cancelled);
    assert_eq!(bench.step("a").status, StepStatus::Cancelled);
}
