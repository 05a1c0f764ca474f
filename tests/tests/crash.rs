//! `tidemill serve` is killed in the middle, and started again.

use std::time::Duration;

use end_to_end::workflow::{chain, edit, manual, node, retry, with};
use end_to_end::{Events, Installation, Ledger, Load, Outside, take_turn, wait_for};
use serde_json::json;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_process_goes_on_where_it_was_when_it_is_started_again() {
    let _turn = take_turn().await;
    let outside = Outside::start("");
    let mut installation = Installation::sqlite();
    installation.set("EGRESS__ALLOW", &outside.authority());
    let mut service = installation.serve().await;
    let ada = installation.nobody().sign_up("ada@example.org").await;

    let ask = edit("Ask", &[("url", "={{ $execution.resumeUrl }}")]);
    let answer = node("Answer", "wait", json!({ "resume": "request" }));
    let waiting = ada.workflow("Approval", chain(vec![manual(), ask, answer])).await;
    let waiting = ada.execute(&waiting).await;
    Events::follow(&ada, &waiting).await.until(|event| event.is_status("waiting")).await;
    let pause = node("Pause", "wait", json!({ "resume": "duration", "amount": 8, "unit": "seconds" }));
    let pausing = ada.workflow("Pause", chain(vec![manual(), pause])).await;
    let pausing = ada.execute(&pausing).await;
    Events::follow(&ada, &pausing).await.until(|event| event.is_status("waiting")).await;

    let hook = node("Call", "webhook", json!({ "path": "load", "signature": "none" }));
    let tell = json!({
        "method": "POST",
        "url": outside.url("/take/called?work_ms=300"),
        "body": { "kind": "json", "value": { "execution": "={{ $execution.id }}" } },
    });
    let tell = with(node("Tell", "http_request", tell), "retry", retry(6));
    let workflow = ada.workflow("Called", chain(vec![hook, tell, edit("End", &[("done", "yes")])])).await;
    let load = Load::start(&ada, &workflow, "load", 2);
    load.answered(60).await;
    service.kill();
    let mut service = installation.start("tidemill", &["serve"]);
    let ready = service.ready().await;
    assert!(ready < Duration::from_secs(5), "ready after {ready:?}");
    load.answered(90).await;
    let (answered, unanswered) = load.stop().await;

    let ledger = Ledger::open(installation.place()).await;
    wait_for("all but the one that waits for a call", Duration::from_secs(40), async || {
        (ledger.queued_count().await == 1).then_some(())
    })
    .await;
    let trace = ada.get(&format!("/api/v1/executions/{waiting}/trace")).await.expect(200);
    assert_eq!(trace["status"], "waiting");
    let url = trace["nodes"]["Ask"][0]["outputs"][0][0]["json"]["url"].as_str().unwrap();
    installation.nobody().post(url, json!({ "answer": "yes" })).await.expect(200);
    let events = Events::follow(&ada, &waiting).await.to_the_end().await;
    assert!(events.last().unwrap().is_status("completed"), "{events:?}");

    let executions = ledger.executions().await;
    let unfinished: Vec<_> =
        executions.values().filter(|execution| execution.status != "completed").collect();
    assert!(unfinished.is_empty(), "{unfinished:?}");
    assert!(executions.contains_key(&pausing));
    let lost: Vec<_> = answered.iter().filter(|id| !executions.contains_key(*id)).collect();
    assert!(lost.is_empty(), "answered and lost: {lost:?}");
    let more = executions.len() - 2 - answered.len();
    assert!(
        more <= unanswered,
        "{more} executions that nobody was told of, {unanswered} calls without an answer"
    );
    assert_eq!(ledger.doubled_count().await, 0);
    assert_eq!(service.stop(Duration::from_secs(30)).await, Some(0), "{}", service.log());
}
