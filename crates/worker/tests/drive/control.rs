//! Stopping an execution from outside, and by its own limits.

use std::time::Duration;

use engine::execution::ExecutionStatus;
use serde_json::json;
use store::journal::StepStatus;
use tokio::time::Instant;
use worker::End;

use crate::bench::Bench;
use crate::support::{chain, chain_with};

async fn stop_while_running(bench: &Bench, calls: usize, stop: impl FnOnce()) -> End {
    let run = bench.drive();
    tokio::pin!(run);
    tokio::select! {
        report = &mut run => panic!("it ended by itself: {:?}", report.end),
        () = bench.calls.reached(calls) => stop(),
    }
    run.await.end
}

fn hanging() -> Bench {
    Bench::new(chain(&[
        ("a", json!({})),
        ("b", json!({ "fields": { "hang": true, "effect": "external" } })),
        ("c", json!({})),
    ]))
}

#[tokio::test]
async fn a_cancellation_drops_the_node_and_is_recorded() {
    let bench = hanging();
    let end = stop_while_running(&bench, 2, || bench.control.cancel.cancel()).await;
    assert_eq!(end, End::Cancelled);
    assert_eq!(bench.step("b").status, StepStatus::Cancelled);
    assert_eq!(bench.journal.ended().unwrap().status, ExecutionStatus::Cancelled);
    assert!(bench.calls.of("c").is_empty());
}

#[tokio::test]
async fn a_lost_lease_drops_the_node_and_nothing_is_recorded() {
    let bench = hanging();
    let end = stop_while_running(&bench, 2, || bench.control.lost.cancel()).await;
    assert_eq!(end, End::Lost);
    assert_eq!(bench.step("b").status, StepStatus::Running);
    assert!(bench.journal.ended().is_none());
}

#[tokio::test(start_paused = true)]
async fn a_draining_worker_lets_the_step_end_and_hands_back_before_the_next() {
    let bench = Bench::new(chain(&[("a", json!({ "fields": { "sleepMs": 500 } })), ("b", json!({}))]));
    let end = stop_while_running(&bench, 1, || bench.control.drain.cancel()).await;
    assert_eq!(end, End::HandedBack);
    assert_eq!(bench.step("a").status, StepStatus::Completed);
    assert!(bench.calls.of("b").is_empty());
}

#[tokio::test]
async fn a_worker_whose_time_is_up_drops_the_node_and_hands_back() {
    let bench = hanging();
    let end = stop_while_running(&bench, 2, || bench.control.abort.cancel()).await;
    assert_eq!(end, End::HandedBack);
    assert_eq!(
        bench.step("b").status,
        StepStatus::Running,
        "the next worker must know that it was in flight"
    );
}

#[tokio::test(start_paused = true)]
async fn a_node_that_takes_too_long_fails_and_can_be_retried() {
    let retry = json!({ "maxAttempts": 2, "delayMs": 0 });
    let bench =
        Bench::new(chain(&[("a", json!({ "fields": { "hang": true }, "timeoutMs": 700, "retry": retry }))]));
    let began = Instant::now();
    let End::Failed(error) = bench.drive().await.end else { panic!("it did not fail") };
    assert_eq!(error.code, "timeout");
    assert_eq!(began.elapsed(), Duration::from_millis(1_400));
    assert_eq!(bench.calls.of("a").len(), 2);
}

#[tokio::test(start_paused = true)]
async fn an_execution_has_a_time_limit_of_its_own_and_waiting_does_not_count() {
    let nodes = [
        ("a", json!({ "fields": { "waitMs": 4000 } })),
        ("b", json!({ "fields": { "sleepMs": 900 } })),
        ("c", json!({ "fields": { "sleepMs": 900 } })),
    ];
    let bench = Bench::new(chain_with(&nodes, json!({ "timeoutMs": 1000 })));
    let End::Failed(error) = bench.drive().await.end else { panic!("it did not fail") };
    assert_eq!(error.code, "execution_timeout");
    assert_eq!(bench.step("b").status, StepStatus::Completed);
    assert_eq!(bench.step("c").status, StepStatus::Failed);
}

#[tokio::test(start_paused = true)]
async fn a_step_that_takes_long_is_shown_as_running_with_its_log_lines() {
    let bench = Bench::new(chain(&[("a", json!({ "fields": { "sleepMs": 60_000, "log": "still at it" } }))]));
    let run = bench.drive();
    tokio::pin!(run);
    tokio::select! {
        _ = &mut run => panic!("it should take long"),
        () = tokio::time::sleep(Duration::from_millis(1_500)) => {}
    }
    assert_eq!(bench.step("a").status, StepStatus::Running);
    assert!(bench.journal.logs().iter().any(|line| line.message == "still at it"));
    assert_eq!(run.await.end, End::Completed);
}

#[tokio::test(start_paused = true)]
async fn nodes_that_end_at_once_do_not_outlive_the_time_limit() {
    let nodes = [("a", json!({ "fields": { "advanceMs": 1500 } })), ("b", json!({}))];
    let bench = Bench::new(chain_with(&nodes, json!({ "timeoutMs": 1000 })));
    let End::Failed(error) = bench.drive().await.end else { panic!("it did not fail") };
    assert_eq!(error.code, "execution_timeout");
    assert!(bench.calls.of("b").is_empty());
}
