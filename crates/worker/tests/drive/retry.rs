//! Retries: each attempt a record of its own.

use std::time::Duration;

use serde_json::json;
use store::journal::StepStatus;
use tokio::time::Instant;
use worker::End;

use crate::bench::Bench;
use crate::support::chain;

#[tokio::test(start_paused = true)]
async fn attempts_are_rows_and_pauses_follow_the_policy() {
    let retry = json!({ "maxAttempts": 3, "delayMs": 1000, "jitter": 0.0, "backoff": "exponential" });
    let bench = Bench::new(chain(&[("a", json!({ "fields": { "fail": 2 }, "retry": retry }))]));
    let began = Instant::now();
    assert_eq!(bench.drive().await.end, End::Completed);
    assert_eq!(began.elapsed(), Duration::from_millis(3_000));
    let rows: Vec<_> =
        bench.rows().into_iter().filter(|row| row.0 == "a").map(|row| (row.1, row.2)).collect();
    assert_eq!(rows, [(1, StepStatus::Failed), (2, StepStatus::Failed), (3, StepStatus::Completed)]);
    assert_eq!(bench.journal.ended().unwrap().steps.failed, 0);
}

#[tokio::test]
async fn an_error_that_cannot_pass_is_not_retried() {
    let bench = Bench::new(chain(&[(
        "a",
        json!({ "fields": { "fail": 2, "fatal": true }, "retry": { "maxAttempts": 3 } }),
    )]));
    assert!(matches!(bench.drive().await.end, End::Failed(_)));
    assert_eq!(bench.calls.of("a").len(), 1);
}

#[tokio::test(start_paused = true)]
async fn retry_after_is_the_least_pause() {
    let fields = json!({ "fail": 1, "retryAfterMs": 4000 });
    let bench = Bench::new(chain(&[(
        "a",
        json!({ "fields": fields, "retry": { "maxAttempts": 2, "delayMs": 10 } }),
    )]));
    let began = Instant::now();
    assert_eq!(bench.drive().await.end, End::Completed);
    assert_eq!(began.elapsed(), Duration::from_millis(4_000));
}

#[tokio::test(start_paused = true)]
async fn a_long_pause_gives_the_place_back_and_another_worker_goes_on() {
    let retry = json!({ "maxAttempts": 2, "delayMs": 60_000, "jitter": 0.0, "backoff": "fixed" });
    let bench = Bench::new(chain(&[("a", json!({ "fields": { "fail": 1 }, "retry": retry }))]));
    let End::Suspended { resume_at: Some(at) } = bench.drive().await.end else { panic!("it kept its place") };
    assert_eq!(at.timestamp(), 60);
    assert_eq!(bench.calls.of("a").len(), 1);
    // Woken too early, it waits on.
    assert!(matches!(bench.drive().await.end, End::Suspended { .. }));
    tokio::time::advance(Duration::from_secs(60)).await;
    assert_eq!(bench.drive().await.end, End::Completed);
    assert_eq!(bench.calls.of("a").len(), 2);
}
