//! Running a workflow in this process alone.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use serde_json::{Value, json};
use worker::inline::{Inline, InlineRequest, WorkflowSource};
use worker::journal::Progress;
use worker::{Control, End, Limits, LogLine, Report, Step};

use crate::support::{Calls, NoScripts, catalogue, chain, chain_with, graph, items};

struct Files(Value);

#[async_trait]
impl WorkflowSource for Files {
    async fn definition(&self, reference: &str) -> Result<Value, String> {
        self.0.get(reference).cloned().ok_or_else(|| format!("there is no file {reference}"))
    }
}

#[derive(Default)]
struct Seen(Mutex<Vec<String>>);

impl Progress for Seen {
    fn step(&self, step: &Step) {
        self.0.lock().unwrap().push(format!("{} {:?}", step.node_name, step.status));
    }

    fn log(&self, _: &LogLine) {}
}

async fn run(definition: Value, files: Value, calls: &Calls, progress: Option<Arc<dyn Progress>>) -> Report {
    let inline = Inline {
        catalogue: catalogue(calls),
        evaluator: Arc::new(NoScripts),
        source: Arc::new(Files(files)),
        limits: Limits::default(),
        started_at: chrono::DateTime::UNIX_EPOCH,
    };
    let request = InlineRequest {
        name: "file".into(),
        graph: graph(definition, calls),
        trigger: None,
        items: items(json!({})),
    };
    inline.run(request, &Control::default(), progress).await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn waits_are_slept_through_and_progress_is_told() {
    let calls = Calls::default();
    let seen = Arc::new(Seen::default());
    let flow = chain(&[("a", json!({ "fields": { "waitMs": 3_600_000 } })), ("b", json!({}))]);
    let report = run(flow, json!({}), &calls, Some(Arc::clone(&seen) as Arc<dyn Progress>)).await;
    assert_eq!(report.end, End::Completed);
    assert_eq!(*seen.0.lock().unwrap(), ["start Completed", "a Waiting", "a Completed", "b Completed"]);
}

#[tokio::test]
async fn a_workflow_that_a_node_starts_is_run_in_place() {
    let calls = Calls::default();
    let flow = chain(&[("a", json!({ "fields": { "start": "child.json" } })), ("b", json!({}))]);
    let report = run(flow, json!({ "child.json": chain(&[("inner", json!({}))]) }), &calls, None).await;
    assert_eq!(report.end, End::Completed);
    assert_eq!(report.items()[0].json["items"][0]["visited"], json!(["inner"]));
    assert_eq!(calls.of("b").len(), 1);
}

#[tokio::test]
async fn a_failing_child_is_a_result_and_a_missing_one_an_error() {
    let calls = Calls::default();
    let flow = |name: &str| chain(&[("a", json!({ "fields": { "start": name } }))]);
    let files = json!({ "bad.json": chain(&[("inner", json!({ "fields": { "fail": 1 } }))]) });
    let report = run(flow("bad.json"), files, &calls, None).await;
    assert_eq!(report.items()[0].json["status"], json!("failed"));
    let End::Failed(error) = run(flow("none.json"), json!({}), &calls, None).await.end else {
        panic!("it did not fail")
    };
    assert_eq!(error.code, "workflow_not_found");
}

#[tokio::test]
async fn a_workflow_that_starts_itself_ends_with_an_error() {
    let calls = Calls::default();
    let flow = chain(&[("a", json!({ "fields": { "start": "self.json" } }))]);
    let report = run(flow.clone(), json!({ "self.json": flow }), &calls, None).await;
    assert_eq!(report.end, End::Completed);
    assert_eq!(calls.of("a").len(), 1 + usize::try_from(Limits::default().max_depth).unwrap() * 2);
}

#[tokio::test]
async fn a_wait_for_a_request_is_a_clear_error() {
    let calls = Calls::default();
    let End::Failed(error) =
        run(chain(&[("a", json!({ "fields": { "waitRequest": true } }))]), json!({}), &calls, None).await.end
    else {
        panic!("it did not fail")
    };
    assert_eq!(error.code, "no_resume_url");
}

#[tokio::test]
async fn a_failure_runs_the_error_workflow() {
    let calls = Calls::default();
    let flow =
        chain_with(&[("a", json!({ "fields": { "fail": 1 } }))], json!({ "errorWorkflow": "handler.json" }));
    let report = run(flow, json!({ "handler.json": chain(&[("handler", json!({}))]) }), &calls, None).await;
    assert!(matches!(report.end, End::Failed(_)));
    assert_eq!(calls.of("handler").len(), 1);
}
