//! `tidemill serve` over SQLite: everything that a newcomer does in the first hour, over HTTP.

#![expect(clippy::unwrap_used, reason = "all of it is for tests")]

use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use end_to_end::workflow::{chain, condition, edit, graph, manual, node, retry, with};
use end_to_end::{Answer, Client, Events, Installation, Outside, PATIENCE, Signed, take_turn, wait_for};
use reqwest::Method;
use serde_json::{Value, json};

/// What must never be seen again.
const TOKEN: &str = "shop-token-5d1f7c9b2e";

/// How often the flaky call fails before it succeeds.
const FAILURES: usize = 2;

/// Sixteen nodes and three triggers: orders are pulled page after page, split, filtered, sent three ways, merged and
/// summed up; a call that fails at first is retried, and the result is posted.
fn report(outside: &Outside) -> Value {
    let number =
        |field: &str, operation: &str, right: u64| condition(field, "number", operation, json!(right));
    let country = condition("={{ $json.country }}", "string", "equals", json!("de"));
    let orders = json!({
        "url": outside.url("/shop/orders"),
        "pagination": { "next": { "by": "page", "parameter": "page", "limit": 4 }, "items": "/orders" },
    });
    let sum = "const lines = $input.first().json.lines;\n\
        return [{ json: { count: lines.length, total: lines.reduce((sum, line) => sum + line.quantity * line.price, 0) } }];";
    let body = json!({ "kind": "json", "value": {
        "execution": "={{ $execution.id }}",
        "count": "={{ $('Sum').first().json.count }}",
        "total": "={{ $('Sum').first().json.total }}",
    } });
    let flaky = format!("{}/{{{{ $execution.id }}}}", outside.url(&format!("/flaky/{FAILURES}")));
    let flaky = json!({ "method": "POST", "url": format!("={flaky}"), "body": body.clone() });
    let post = json!({ "method": "POST", "url": outside.url("/take/reports"), "body": body });
    let hook = json!({ "path": "shop/report", "signature": "standard" });
    let nodes = vec![
        node("By hand", "manual", json!({})),
        node("By call", "webhook", hook),
        node("Every second", "schedule", json!({ "cron": "* * * * * *" })),
        with(node("Orders", "http_request", orders), "integration", json!("Shop")),
        node("Lines", "split_out", json!({ "fieldToSplitOut": "lines", "include": "all" })),
        node(
            "Flatten",
            "edit_fields",
            json!({ "mode": "json", "json":
            "={{ ({ ...($json.lines ?? {}), country: $json.country }) }}" }),
        ),
        node("Paid", "filter", json!({ "conditions": number("={{ $json.quantity }}", "gt", 0) })),
        node("Large?", "if", json!({ "conditions": number("={{ $json.price }}", "gte", 50) })),
        edit("Large", &[("size", "large")]),
        node(
            "Country",
            "switch",
            json!({ "rules": [{ "output": "de", "conditions": country }], "fallbackOutput": "extra" }),
        ),
        edit("Domestic", &[("size", "small")]),
        edit("Abroad", &[("size", "small, abroad")]),
        node("Together", "merge", json!({ "mode": "append", "numberInputs": 3 })),
        node("One list", "aggregate", json!({ "aggregate": "allItemData", "destinationFieldName": "lines" })),
        node("Sum", "code", json!({ "jsCode": sum })),
        with(node("Book", "http_request", flaky), "retry", retry(4)),
        node("Post", "http_request", post),
    ];
    let lines = [
        ("By hand", "", "Orders", ""),
        ("By call", "", "Orders", ""),
        ("Every second", "", "Orders", ""),
        ("Orders", "", "Lines", ""),
        ("Lines", "", "Flatten", ""),
        ("Flatten", "", "Paid", ""),
        ("Paid", "kept", "Large?", ""),
        ("Large?", "true", "Large", ""),
        ("Large?", "false", "Country", ""),
        ("Country", "de", "Domestic", ""),
        ("Country", "fallback", "Abroad", ""),
        ("Large", "", "Together", "input1"),
        ("Domestic", "", "Together", "input2"),
        ("Abroad", "", "Together", "input3"),
        ("Together", "", "One list", ""),
        ("One list", "", "Sum", ""),
        ("Sum", "", "Book", ""),
        ("Book", "", "Post", ""),
    ];
    graph(nodes, &lines)
}

struct World {
    outside: Outside,
    installation: Installation,
}

impl World {
    fn new() -> Self {
        let outside = Outside::start(TOKEN);
        let mut installation = Installation::sqlite();
        installation.set("EGRESS__ALLOW", &outside.authority());
        Self { outside, installation }
    }
}

async fn make_integration(ada: &Client) {
    let request = json!({ "connector": "http_bearer", "name": "Shop", "credentials": { "token": TOKEN } });
    let made = ada.post("/api/v1/integrations", request).await.expect(201);
    assert_eq!(made["status"], "active");
}

async fn call(world: &World, signed: &Signed, body: &'static str) -> Answer {
    let nobody = world.installation.nobody();
    let request =
        nobody.request(Method::POST, "/webhooks/shop/report").header("content-type", "application/json");
    nobody.send(signed.put_on(request).body(body)).await
}

#[expect(clippy::disallowed_methods, reason = "a sender of webhooks reads its own clock")]
fn now() -> i64 {
    Utc::now().timestamp()
}

async fn ended(ada: &Client, execution: &str) -> Value {
    wait_for(&format!("the end of execution {execution}"), PATIENCE, async || {
        let execution = ada.execution(execution).await;
        let status = execution["status"].as_str().unwrap();
        matches!(status, "completed" | "failed" | "cancelled").then_some(execution)
    })
    .await
}

/// What every execution of the report must have done, whatever started it.
fn check_posted(world: &World, execution: &Value) {
    assert_eq!(execution["status"], "completed", "{execution}");
    let (count, total) = Outside::expected_totals();
    let id = execution["id"].as_str().unwrap();
    let posted: Vec<Value> =
        world.outside.taken("reports").into_iter().filter(|report| report["execution"] == id).collect();
    assert_eq!(posted, [json!({ "execution": id, "count": count, "total": total })]);
    assert_eq!(world.outside.calls(&format!("/flaky/{FAILURES}/{id}")), FAILURES + 1);
}

async fn it_runs_by_hand(world: &World, ada: &Client, workflow: &str) {
    let path = format!("/api/v1/workflows/{workflow}/execute?wait=30");
    let execution = ada.post(&path, json!({})).await.expect(200);
    check_posted(world, &execution);
    assert_eq!(execution["trigger_type"], "manual");
    assert_eq!(world.outside.calls("/shop/orders"), 3, "pages");

    let id = execution["id"].as_str().unwrap();
    let steps = ada.steps(id).await;
    let of = |name: &str| steps.iter().filter(|step| step["node_name"] == name).collect::<Vec<_>>();
    let statuses = |name: &str| of(name).iter().map(|step| step["status"].clone()).collect::<Vec<_>>();
    assert_eq!(statuses("Book"), ["failed", "failed", "completed"]);
    for name in ["By hand", "Orders", "Large", "Domestic", "Abroad", "Together", "One list", "Sum", "Post"] {
        assert_eq!(statuses(name), ["completed"], "{name}");
    }
    for name in ["By call", "Every second"] {
        assert!(of(name).is_empty(), "{name} is another trigger");
    }
    let step = of("Sum")[0]["id"].as_str().unwrap();
    let step = ada.get(&format!("/api/v1/executions/{id}/steps/{step}")).await.expect(200);
    assert_eq!(step["outputs"][0][0]["json"]["total"], Outside::expected_totals().1);
    assert_eq!(step["inputs"][0]["sources"][0]["node"], "One list");
    assert_eq!(
        step["inputs"][0]["items"][0]["json"]["lines"].as_array().unwrap().len() as u64,
        Outside::expected_totals().0
    );

    let logs = ada.list(&format!("/api/v1/executions/{id}/logs?limit=200")).await;
    assert!(logs.iter().any(|line| line["node_id"] == "Book" && line["level"] == "warn"), "{logs:?}");
    let trace = ada.get(&format!("/api/v1/executions/{id}/trace")).await.expect(200);
    assert_eq!(trace["status"], "completed");
    assert_eq!(trace["order"].as_array().unwrap().last().unwrap(), "Post");
}

async fn it_runs_by_a_signed_call_and_by_no_other(world: &World, ada: &Client, workflow: &str) {
    let webhooks = ada.list(&format!("/api/v1/webhooks?workflow_id={workflow}")).await;
    let webhook = webhooks[0]["id"].as_str().unwrap();
    let rotated = ada.post(&format!("/api/v1/webhooks/{webhook}/rotate-secret"), json!({})).await.expect(200);
    let secret = rotated["secret"].as_str().unwrap();
    let body = r#"{"why":"month's end"}"#;

    let by_call = format!("/api/v1/executions?workflow_id={workflow}&trigger_type=webhook");
    call(world, &Signed::new(secret, "msg_1", now(), "another body"), body)
        .await
        .problem(401, "invalid_signature");
    let old = Signed::new(secret, "msg_1", now() - 3_600, body);
    call(world, &old, body).await.problem(401, "timestamp_out_of_range");
    assert_eq!(ada.list(&by_call).await, [] as [Value; 0]);

    let signed = Signed::new(secret, "msg_1", now(), body);
    let first = call(world, &signed, body).await;
    assert!(!first.headers.contains_key("tidemill-duplicate"));
    let id = first.expect(200)["execution_id"].as_str().unwrap().to_owned();
    let again = call(world, &signed, body).await;
    assert_eq!(again.headers.get("tidemill-duplicate").unwrap(), "true");
    assert_eq!(again.expect(200)["execution_id"], id);

    let execution = ended(ada, &id).await;
    check_posted(world, &execution);
    assert_eq!(execution["input"][0]["json"]["body"]["why"], "month's end");
    assert_eq!(ada.list(&by_call).await.len(), 1);
}

async fn it_runs_by_its_schedule(world: &World, ada: &Client, workflow: &str) {
    let by_schedule =
        format!("/api/v1/executions?workflow_id={workflow}&trigger_type=schedule&status=completed");
    let done = wait_for("two executions by schedule", PATIENCE, async || {
        let done = ada.list(&by_schedule).await;
        (done.len() >= 2).then_some(done)
    })
    .await;
    ada.post(&format!("/api/v1/workflows/{workflow}/pause"), json!({})).await.expect(200);
    for execution in &done {
        check_posted(world, execution);
        let scheduled_for: DateTime<Utc> = execution["scheduled_for"].as_str().unwrap().parse().unwrap();
        assert_eq!(scheduled_for.timestamp_subsec_millis(), 0);
    }
}

async fn it_is_followed_live(ada: &Client, workflow: &str) {
    let id = ada.execute(workflow).await;
    let events = Events::follow(ada, &id).await.to_the_end().await;
    assert!(events.last().unwrap().is_status("completed"), "{events:?}");
    let completed: Vec<&str> = events
        .iter()
        .filter(|event| event.name == "step" && event.data["status"] == "completed")
        .map(|event| event.data["node_name"].as_str().unwrap())
        .collect();
    let index = |name: &str| completed.iter().position(|one| *one == name).unwrap();
    assert!(
        index("By hand") < index("Orders") && index("Orders") < index("Sum") && index("Sum") < index("Post")
    );
    assert!(events.iter().any(|event| event.name == "log"));
}

async fn a_long_one_is_cancelled(world: &World, ada: &Client) {
    let hold = node("Hold", "http_request", json!({ "url": world.outside.url("/hold/for-ever") }));
    let workflow = ada.workflow("Long", chain(vec![manual(), hold])).await;
    let id = ada.execute(&workflow).await;
    world.outside.called("/hold/for-ever", 1).await;
    let asked = Instant::now();
    let answer = ada.post(&format!("/api/v1/executions/{id}/cancel"), json!({})).await;
    assert!(matches!(answer.status, 200 | 202), "{}", answer.text);
    let execution = ended(ada, &id).await;
    assert_eq!(execution["status"], "cancelled", "{execution}");
    assert!(asked.elapsed() < Duration::from_secs(5), "{:?}", asked.elapsed());
    ada.post(&format!("/api/v1/executions/{id}/cancel"), json!({})).await.problem(409, "state_conflict");
    assert_eq!(world.outside.calls("/hold/for-ever"), 1);
}

async fn a_waiting_one_is_resumed(world: &World, ada: &Client) {
    let nodes = vec![
        manual(),
        edit("Ask", &[("url", "={{ $execution.resumeUrl }}")]),
        node("Answer", "wait", json!({ "resume": "request" })),
        edit("Done", &[("answer", "={{ $json.body.answer }}")]),
    ];
    let workflow = ada.workflow("Approval", chain(nodes)).await;
    let id = ada.execute(&workflow).await;
    Events::follow(ada, &id).await.until(|event| event.is_status("waiting")).await;
    let trace = ada.get(&format!("/api/v1/executions/{id}/trace")).await.expect(200);
    let url = trace["nodes"]["Ask"][0]["outputs"][0][0]["json"]["url"].as_str().unwrap().to_owned();
    let nobody = world.installation.nobody();
    assert_eq!(nobody.post(&url, json!({ "answer": "yes" })).await.expect(200)["execution_id"], id);
    let execution = ended(ada, &id).await;
    assert_eq!(execution["output"][0]["json"]["answer"], "yes", "{execution}");
    nobody.post(&url, json!({ "answer": "no" })).await.problem(409, "state_conflict");
}

/// A server that tells everything that it was told gets the token and hands it back.
async fn an_echo_of_the_credential_is_not_kept(world: &World, ada: &Client) {
    let echo = node("Echo", "http_request", json!({ "url": world.outside.url("/shop/echo") }));
    let workflow =
        ada.workflow("Echo", chain(vec![manual(), with(echo, "integration", json!("Shop"))])).await;
    let execution =
        ada.post(&format!("/api/v1/workflows/{workflow}/execute?wait=30"), json!({})).await.expect(200);
    assert_eq!(execution["output"][0]["json"]["known"], true, "{execution}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_process_does_the_main_job_and_keeps_its_secrets() {
    let _turn = take_turn().await;
    let world = World::new();
    let mut service = world.installation.serve().await;
    let ada = world.installation.nobody().sign_up("ada@example.org").await;
    make_integration(&ada).await;

    let stored = ada
        .post("/api/v1/workflows", json!({ "name": "Report", "definition": report(&world.outside) }))
        .await;
    let stored = stored.expect(201);
    let errors: Vec<&Value> = stored["problems"].as_array().into_iter().flatten().collect();
    assert_eq!(errors, [] as [&Value; 0]);
    let workflow = stored["id"].as_str().unwrap();

    it_runs_by_hand(&world, &ada, workflow).await;
    it_is_followed_live(&ada, workflow).await;
    ada.post(&format!("/api/v1/workflows/{workflow}/activate"), json!({})).await.expect(200);
    it_runs_by_a_signed_call_and_by_no_other(&world, &ada, workflow).await;
    it_runs_by_its_schedule(&world, &ada, workflow).await;
    a_long_one_is_cancelled(&world, &ada).await;
    a_waiting_one_is_resumed(&world, &ada).await;
    an_echo_of_the_credential_is_not_kept(&world, &ada).await;
    let integrations = ada.get("/api/v1/integrations").await.expect(200);
    assert_eq!(integrations["items"][0]["name"], "Shop");

    assert_eq!(service.stop(PATIENCE).await, Some(0), "{}", service.log());
    assert_eq!(world.installation.nobody().received_with(TOKEN), [] as [String; 0]);
    assert_eq!(world.installation.files_with(TOKEN), [] as [std::path::PathBuf; 0]);
    // What was looked for where it is not would be found where it is.
    assert!(!world.installation.files_with("Report").is_empty());
}
