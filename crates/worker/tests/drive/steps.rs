//! What is recorded of an execution that runs through.

use engine::execution::ExecutionStatus;
use serde_json::json;
use store::journal::StepStatus;
use worker::End;
use worker::journal::StepCounts;

use crate::bench::Bench;
use crate::support::{chain, chain_with, definition, visits};

#[tokio::test]
async fn a_chain_runs_in_order_and_each_step_has_a_row() {
    let bench = Bench::new(chain(&[("a", json!({})), ("b", json!({})), ("c", json!({}))]));
    let report = bench.drive().await;
    assert_eq!(report.end, End::Completed);
    assert_eq!(visits(&report.items()), ["a", "b", "c"]);
    let steps = bench.journal.steps();
    assert_eq!(steps.iter().map(|step| step.node_id.as_str()).collect::<Vec<_>>(), ["start", "a", "b", "c"]);
    assert!(steps.iter().all(|step| step.status == StepStatus::Completed
        && step.completed_at.is_some()
        && step.duration_ms.is_some()));
    assert_eq!(steps[2].sources, json!([[{ "node": "a", "run": 0, "output": 0 }]]));
    let ended = bench.journal.ended().unwrap();
    assert_eq!(ended.status, ExecutionStatus::Completed);
    assert_eq!(ended.steps, StepCounts { total: 4, completed: 4, failed: 0 });
    assert_eq!(visits(&ended.items.unwrap()), ["a", "b", "c"]);
    assert_eq!(bench.journal.logs().len(), 4);
}

#[tokio::test]
async fn the_upper_branch_runs_first_and_to_its_end() {
    let nodes = [("top", json!({})), ("below", json!({})), ("top2", json!({}))];
    let bench = Bench::new(definition(&nodes, &["start > below", "start > top", "top > top2"], json!({})));
    let report = bench.drive().await;
    assert_eq!(report.trace().order, ["start", "top", "top2", "below"]);
}

#[tokio::test]
async fn a_disabled_node_passes_its_items_on() {
    let bench = Bench::new(chain(&[("a", json!({ "disabled": true })), ("b", json!({}))]));
    let report = bench.drive().await;
    assert_eq!(visits(&report.items()), ["b"]);
    assert!(bench.calls.of("a").is_empty());
}

#[tokio::test]
async fn a_failure_that_nothing_handles_fails_the_execution() {
    let bench = Bench::new(chain(&[("a", json!({ "fields": { "fail": 9 } })), ("b", json!({}))]));
    let report = bench.drive().await;
    let End::Failed(error) = report.end else { panic!("{:?}", report.end) };
    assert_eq!(error.code, "probe_failed");
    let ended = bench.journal.ended().unwrap();
    assert_eq!(ended.error_node_id.as_deref(), Some("a"));
    assert_eq!(ended.steps, StepCounts { total: 2, completed: 1, failed: 1 });
    assert!(bench.calls.of("b").is_empty());
}

#[tokio::test]
async fn a_failure_that_is_handled_goes_on_and_its_row_shows_the_error_and_the_items() {
    let bench = Bench::new(chain(&[
        ("a", json!({ "fields": { "fail": 9 }, "onError": "continue" })),
        ("b", json!({})),
    ]));
    assert_eq!(bench.drive().await.end, End::Completed);
    let step = bench.step("a");
    assert_eq!(step.status, StepStatus::Failed);
    assert_eq!(step.error.unwrap().code, "probe_failed");
    assert_eq!(step.outputs.unwrap()[0][0].json["error"]["code"], json!("probe_failed"));
    assert_eq!(bench.calls.of("b").len(), 1);
}

#[tokio::test]
async fn a_panic_in_a_node_is_a_failure() {
    let bench = Bench::new(chain(&[("a", json!({ "fields": { "panic": true } }))]));
    let End::Failed(error) = bench.drive().await.end else { panic!("it did not fail") };
    assert_eq!(error.code, "panic");
    assert!(error.message.contains("told to panic"), "{}", error.message);
}

#[tokio::test]
async fn an_answer_to_the_webhook_is_on_record_at_once() {
    let bench = Bench::new(chain(&[
        ("a", json!({ "fields": { "respond": "hello" } })),
        ("b", json!({ "fields": { "hang": true } })),
    ]));
    let run = bench.drive();
    tokio::pin!(run);
    tokio::select! {
        _ = &mut run => panic!("b hangs"),
        () = bench.calls.reached(2) => {}
    }
    assert_eq!(bench.step("a").context.response.unwrap().body, "hello");
}

#[tokio::test]
async fn too_many_steps_end_an_execution() {
    let bench = Bench::new(chain_with(&[("a", json!({})), ("b", json!({}))], json!({ "maxSteps": 2 })));
    let End::Failed(error) = bench.drive().await.end else { panic!("it did not fail") };
    assert_eq!(error.code, "step_limit");
}

#[tokio::test]
async fn a_failure_starts_the_error_workflow_with_the_last_records() {
    let bench = Bench::new(chain_with(
        &[("a", json!({ "fields": { "fail": 9 } }))],
        json!({ "errorWorkflow": "handler" }),
    ));
    bench.drive().await;
    let starts = bench.journal.take_starts();
    assert_eq!(starts.len(), 1);
    assert_eq!(starts[0].items[0].json["execution"]["error"]["code"], json!("probe_failed"));
    assert_eq!(starts[0].items[0].json["execution"]["lastNodeExecuted"], json!("a"));
}

#[tokio::test]
async fn an_error_workflow_that_is_missing_does_not_hide_the_failure() {
    let bench = Bench::new(chain_with(
        &[("a", json!({ "fields": { "fail": 9 } }))],
        json!({ "errorWorkflow": "missing" }),
    ));
    let End::Failed(error) = bench.drive().await.end else { panic!("it did not fail") };
    assert_eq!(error.code, "probe_failed");
    assert!(
        bench.journal.logs().iter().any(|line| line.message.contains("error workflow could not be started"))
    );
}

#[tokio::test]
async fn an_output_that_could_not_be_read_back_fails_its_step_and_names_the_item() {
    // The item is the first level.
    let fits = Bench::new(chain(&[("a", json!({ "fields": { "nest": 99 } }))]));
    assert_eq!(fits.drive().await.end, End::Completed);
    for levels in [100, 1_000] {
        let bench = Bench::new(chain(&[("a", json!({ "fields": { "nest": levels } }))]));
        let End::Failed(error) = bench.drive().await.end else { panic!("it did not fail") };
        assert_eq!(error.code, "output_too_deep");
        assert_eq!(error.message, "item 1 of output 0 is nested more than 100 levels deep");
        assert_eq!(bench.step("a").outputs, None);
    }
    let bench = Bench::new(chain(&[("a", json!({ "fields": { "nest": 1_000, "nestError": true } }))]));
    let End::Failed(error) = bench.drive().await.end else { panic!("it did not fail") };
    assert_eq!(error.details.as_deref(), Some(&json!({ "omitted": "more than 100 levels" })));
}
