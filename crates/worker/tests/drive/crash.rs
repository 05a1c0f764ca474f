//! A worker dies at every point at which it can: another one goes on.

use serde_json::{Value, json};
use store::journal::StepStatus;
use worker::End;

use crate::bench::{Bench, DyingJournal};
use crate::support::{Calls, chain, definition, visits};

/// More commits than any of these executions makes.
const MANY: usize = 100;

fn branching(effect: &str, attempts: u32) -> Value {
    let probe = || json!({ "fields": { "effect": effect }, "retry": { "maxAttempts": attempts, "delayMs": 0, "backoff": "fixed" } });
    let waiting = json!({ "fields": { "effect": effect, "waitMs": 10 }, "retry": { "maxAttempts": attempts, "delayMs": 0, "backoff": "fixed" } });
    let nodes = [("a", probe()), ("b", probe()), ("c", waiting), ("d", probe()), ("e", probe())];
    definition(&nodes, &["start > a", "a > b", "b > d", "start > c", "c > e"], json!({}))
}

/// Runs with a journal that dies after `commits` commits, then with one that lives; gives the bench, and what the first
/// journal held when it died.
async fn crash_and_recover(
    definition: Value,
    commits: usize,
    is_lazy: bool,
) -> (Bench, End, Vec<worker::Step>, bool) {
    let calls = Calls::default();
    let bench = Bench::with_calls(definition, &calls);
    let dying = DyingJournal::new(&bench.journal, commits, is_lazy);
    let first = bench.drive_over(&dying).await.end;
    let died = dying.has_died();
    assert_eq!(died, first == End::Lost, "after {commits} commits: {first:?}");
    let on_record = bench.journal.steps();
    if !died {
        return (bench, first, on_record, false);
    }
    let before = calls.all().len();
    let end = bench.drive().await.end;
    // Nothing that was on record as completed is called again.
    for call in &calls.all()[before..] {
        let done = on_record.iter().any(|step| {
            step.node_id == call.node && step.run_index == call.run && step.status == StepStatus::Completed
        });
        assert!(!done, "{} was completed and ran again after {commits} commits", call.node);
    }
    (bench, end, on_record, true)
}

#[tokio::test(start_paused = true)]
async fn after_a_crash_at_any_commit_the_result_is_the_same_and_no_completed_step_runs_again() {
    for effect in ["pure", "idempotent"] {
        for is_lazy in [false, true] {
            let mut crashes = 0;
            for commits in 0..MANY {
                let (bench, end, _, died) = crash_and_recover(branching(effect, 1), commits, is_lazy).await;
                assert_eq!(end, End::Completed, "{effect}, lazy: {is_lazy}, after {commits} commits");
                assert_eq!(visits(&bench.step("d").outputs.unwrap()[0]), ["a", "b", "d"]);
                assert_eq!(visits(&bench.step("e").outputs.unwrap()[0]), ["c", "e"]);
                assert_eq!(bench.journal.ended().unwrap().steps.completed, 6);
                crashes += usize::from(died);
                if !died {
                    break;
                }
            }
            assert!(
                crashes >= if is_lazy { 1 } else { 6 },
                "{effect}, lazy: {is_lazy}: only {crashes} crashes"
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_node_that_changes_the_world_is_never_called_twice_without_a_retry_policy() {
    let mut interrupted = 0;
    for commits in 0..MANY {
        let (bench, end, _, died) = crash_and_recover(branching("external", 1), commits, false).await;
        for node in ["a", "b", "d", "e"] {
            assert!(bench.calls.of(node).len() <= 1, "{node} was called twice after {commits} commits");
        }
        match end {
            End::Completed => assert_eq!(bench.journal.ended().unwrap().steps.completed, 6),
            End::Failed(error) => {
                assert_eq!(error.code, "interrupted");
                interrupted += 1;
            }
            other => panic!("{other:?}"),
        }
        if !died {
            break;
        }
    }
    assert!(interrupted >= 5, "{interrupted}");
}

#[tokio::test(start_paused = true)]
async fn an_interrupted_node_uses_up_an_attempt_and_runs_again_as_its_policy_allows() {
    for commits in 0..MANY {
        let (bench, end, on_record, died) = crash_and_recover(branching("external", 2), commits, false).await;
        assert_eq!(end, End::Completed, "after {commits} commits");
        if !died {
            break;
        }
        for step in on_record.iter().filter(|step| step.status == StepStatus::Running) {
            let rows: Vec<_> =
                bench.journal.steps().into_iter().filter(|row| row.node_id == step.node_id).collect();
            assert_eq!(rows.len(), 2, "{}", step.node_id);
            assert_eq!(rows[0].error.as_ref().unwrap().code, "interrupted");
            assert_eq!((rows[1].attempt, rows[1].status), (2, StepStatus::Completed));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_node_that_changes_the_world_starts_only_when_everything_before_it_is_durable() {
    // The trigger and `a` are recorded lazily; the start of `b` takes them along.
    let flow =
        || chain(&[("a", json!({})), ("b", json!({ "fields": { "effect": "external", "hang": true } }))]);
    let bench = Bench::new(flow());
    let dead = DyingJournal::new(&bench.journal, 0, true);
    assert_eq!(bench.drive_over(&dead).await.end, End::Lost);
    assert!(bench.calls.of("b").is_empty(), "it started and nothing was durable");

    let bench = Bench::new(flow());
    let living = DyingJournal::new(&bench.journal, MANY, true);
    let run = bench.drive_over(&living);
    tokio::pin!(run);
    tokio::select! {
        _ = &mut run => panic!("b hangs"),
        () = bench.calls.reached(2) => {}
    }
    let rows = bench.rows();
    assert_eq!(rows.last().unwrap(), &("b".to_owned(), 1, StepStatus::Running));
    assert_eq!(rows.iter().filter(|row| row.2 == StepStatus::Completed).count(), 2);
}

#[tokio::test(start_paused = true)]
async fn failures_and_retries_survive_a_crash_at_any_commit() {
    let retry = json!({ "maxAttempts": 3, "delayMs": 1000, "jitter": 0.0, "backoff": "fixed" });
    let flow = chain(&[
        ("a", json!({ "fields": { "fail": 2 }, "retry": retry })),
        ("b", json!({ "fields": { "fail": 1 }, "onError": "continue" })),
        ("c", json!({})),
    ]);
    for commits in 0..MANY {
        let (bench, end, _, died) = crash_and_recover(flow.clone(), commits, false).await;
        assert_eq!(end, End::Completed);
        let rows: Vec<_> =
            bench.rows().into_iter().filter(|row| row.0 == "a").map(|row| (row.1, row.2)).collect();
        assert_eq!(
            rows,
            [(1, StepStatus::Failed), (2, StepStatus::Failed), (3, StepStatus::Completed)],
            "after {commits} commits"
        );
        assert_eq!(bench.calls.of("b").len().min(2), bench.calls.of("b").len());
        if !died {
            break;
        }
    }
}
