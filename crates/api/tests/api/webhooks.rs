//! Calls of webhooks: who may, what they start, what they are answered.

use std::collections::HashSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use chrono::TimeDelta;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use uuid::Uuid;

use crate::on_both;
use crate::support::{Answer, Client, Method, Place, TestApp};

/// A workflow that starts with a webhook and goes on with one more node.
pub fn hooked(webhook: Value, node_type: &str, fields: Value) -> Value {
    json!({
        "nodes": [
            { "id": "hook", "data": { "label": "Hook", "nodeType": "webhook", "fields": webhook } },
            { "id": "next", "data": { "label": "Next", "nodeType": node_type, "fields": fields } },
        ],
        "edges": [{ "source": "hook", "target": "next" }],
    })
}

/// Stores a workflow and activates it.
pub async fn activate(client: &Client, definition: Value) -> Uuid {
    let id = client.workflow("hooked", definition).await;
    client.post(&format!("/api/v1/workflows/{id}/activate"), json!({})).await.expect(200);
    id
}

/// The webhook of a workflow, with a new secret.
async fn secret_of(client: &Client, workflow: Uuid) -> (String, String) {
    let list = client.get(&format!("/api/v1/webhooks?workflow_id={workflow}")).await.expect(200);
    let id = list["items"][0]["id"].as_str().unwrap().to_owned();
    let rotated = client.post(&format!("/api/v1/webhooks/{id}/rotate-secret"), json!({})).await.expect(200);
    (id, rotated["secret"].as_str().unwrap().to_owned())
}

async fn executions(client: &Client, workflow: Uuid) -> Vec<Value> {
    let list = client.get(&format!("/api/v1/executions?workflow_id={workflow}")).await.expect(200);
    list["items"].as_array().unwrap().clone()
}

struct Signed {
    id: String,
    timestamp: i64,
    signature: String,
}

fn sign(secret: &str, id: &str, timestamp: i64, body: &[u8]) -> Signed {
    let key = STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
    let mac = <Hmac<Sha256> as KeyInit>::new_from_slice(&key).unwrap();
    let mac = mac.chain_update(format!("{id}.{timestamp}.")).chain_update(body);
    let signature = format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()));
    Signed { id: id.to_owned(), timestamp, signature }
}

async fn call(app: &TestApp, path: &str, signed: &Signed, body: &[u8]) -> Answer {
    let request = app
        .nobody()
        .request(Method::POST, path)
        .header("webhook-id", &signed.id)
        .header("webhook-timestamp", signed.timestamp)
        .header("webhook-signature", &signed.signature)
        .header("content-type", "application/json")
        .body(body.to_vec());
    Client::answer(request).await
}

on_both! {
    async fn a_signed_call_is_stored_before_it_is_answered(app: &TestApp) {
        let ada = app.person("ada").await;
        let workflow = activate(&ada, hooked(json!({ "path": "shop/orders", "signature": "standard" }), "no_op", json!({}))).await;
        let (_, secret) = secret_of(&ada, workflow).await;
        let body = br#"{"order":17}"#;
        let signed = sign(&secret, "msg_1", app.db.now().timestamp(), body);
        let answer = call(app, "/webhooks/shop/orders?source=test", &signed, body).await;
        let header = answer.headers.get("tidemill-execution-id").unwrap().to_str().unwrap().to_owned();
        assert!(!answer.headers.contains_key("tidemill-duplicate"));
        let id = answer.expect(200)["execution_id"].as_str().unwrap().to_owned();
        assert_eq!(header, id);

        // No worker runs: what is seen was stored by the call alone.
        let execution = ada.get(&format!("/api/v1/executions/{id}")).await.expect(200);
        assert_eq!((execution["status"].clone(), execution["trigger_type"].clone()), (json!("pending"), json!("webhook")));
        assert_eq!(execution["trigger_data"]["event_id"], "msg_1");
        let item = &execution["input"][0]["json"];
        assert_eq!((item["method"].clone(), item["path"].clone()), (json!("POST"), json!("shop/orders")));
        assert_eq!((item["body"].clone(), item["query"].clone()), (json!({ "order": 17 }), json!({ "source": "test" })));
        assert_eq!(item["headers"]["webhook-id"], "msg_1");
        assert!(!execution.to_string().contains(&signed.signature), "{execution}");
    }

    async fn an_unsigned_badly_signed_or_old_call_starts_nothing(app: &TestApp) {
        let ada = app.person("ada").await;
        let workflow = activate(&ada, hooked(json!({ "path": "p", "signature": "standard" }), "no_op", json!({}))).await;
        let (webhook, secret) = secret_of(&ada, workflow).await;
        let (body, now) = (b"{}", app.db.now());
        app.nobody().post("/webhooks/p", json!({})).await.problem(401, "invalid_signature");
        let mut wrong = sign(&secret, "msg_1", now.timestamp(), body);
        wrong.id = "msg_2".to_owned();
        call(app, "/webhooks/p", &wrong, body).await.problem(401, "invalid_signature");
        let good = sign(&secret, "msg_1", now.timestamp(), body);
        call(app, "/webhooks/p", &good, b"{ }").await.problem(401, "invalid_signature");
        for shift in [TimeDelta::seconds(-400), TimeDelta::seconds(400)] {
            let old = sign(&secret, "msg_1", (now + shift).timestamp(), body);
            call(app, "/webhooks/p", &old, body).await.problem(401, "timestamp_out_of_range");
        }
        assert!(executions(&ada, workflow).await.is_empty());

        let rotated = ada.post(&format!("/api/v1/webhooks/{webhook}/rotate-secret"), json!({})).await.expect(200);
        call(app, "/webhooks/p", &good, body).await.problem(401, "invalid_signature");
        let good = sign(rotated["secret"].as_str().unwrap(), "msg_1", now.timestamp(), body);
        call(app, "/webhooks/p", &good, body).await.expect(200);
    }

    async fn a_repeated_event_gets_the_same_answer_and_starts_nothing(app: &TestApp) {
        let ada = app.person("ada").await;
        let workflow = activate(&ada, hooked(json!({ "path": "p", "signature": "standard" }), "no_op", json!({}))).await;
        let (_, secret) = secret_of(&ada, workflow).await;
        let signed = sign(&secret, "msg_1", app.db.now().timestamp(), b"{}");
        let first = call(app, "/webhooks/p", &signed, b"{}").await;
        let second = call(app, "/webhooks/p", &signed, b"{}").await;
        assert_eq!(second.headers.get("tidemill-duplicate").unwrap(), "true");
        assert_eq!(first.expect(200), second.expect(200));
        let other = sign(&secret, "msg_2", app.db.now().timestamp(), b"{}");
        call(app, "/webhooks/p", &other, b"{}").await.expect(200);
        assert_eq!(executions(&ada, workflow).await.len(), 2);
    }

    async fn a_signed_call_cannot_be_replayed_by_changing_a_header_that_is_not_signed(app: &TestApp) {
        let ada = app.person("ada").await;
        let settings = json!({ "path": "p", "signature": "standard", "dedupHeader": "x-event" });
        let workflow = activate(&ada, hooked(settings, "no_op", json!({}))).await;
        let (_, secret) = secret_of(&ada, workflow).await;
        let send = async |id: &str, event: &str| {
            let signed = sign(&secret, id, app.db.now().timestamp(), b"{}");
            let request = app.nobody().request(Method::POST, "/webhooks/p").header("x-event", event);
            let request = request.header("webhook-id", &signed.id).header("webhook-timestamp", signed.timestamp);
            Client::answer(request.header("webhook-signature", &signed.signature).body("{}")).await
        };
        let first = send("msg_1", "event_1").await.expect(200);
        for (id, event) in [("msg_1", "event_2"), ("msg_2", "event_1"), ("msg_1", "event_1")] {
            assert_eq!(send(id, event).await.expect(200), first, "{id} {event}");
        }
        assert_ne!(send("msg_2", "event_2").await.expect(200), first, "what was refused left nothing behind");
        assert_eq!(executions(&ada, workflow).await.len(), 2);
    }

    async fn sixteen_deliveries_of_one_event_at_once_start_one_execution(app: &TestApp) {
        let ada = app.person("ada").await;
        let workflow = activate(&ada, hooked(json!({ "path": "p", "signature": "standard" }), "no_op", json!({}))).await;
        let (_, secret) = secret_of(&ada, workflow).await;
        let signed = sign(&secret, "msg_1", app.db.now().timestamp(), b"{}");
        let answers = futures::future::join_all((0..16).map(|_| call(app, "/webhooks/p", &signed, b"{}"))).await;
        let first = answers.iter().filter(|answer| !answer.headers.contains_key("tidemill-duplicate")).count();
        assert_eq!(first, 1);
        let ids: HashSet<String> = answers.into_iter().map(|answer| answer.expect(200)["execution_id"].to_string()).collect();
        assert_eq!(ids.len(), 1);
        assert_eq!(executions(&ada, workflow).await.len(), 1);
    }

    async fn a_call_from_github_is_checked_and_known_by_its_delivery(app: &TestApp) {
        let ada = app.person("ada").await;
        let workflow = activate(&ada, hooked(json!({ "path": "gh", "signature": "github" }), "no_op", json!({}))).await;
        let (webhook, _) = secret_of(&ada, workflow).await;
        let secret = json!({ "secret": "It's a Secret to Everybody" });
        let rotated = ada.post(&format!("/api/v1/webhooks/{webhook}/rotate-secret"), secret).await.expect(200);
        assert_eq!(rotated["secret"], Value::Null, "a secret that the caller knows is not told");
        let send = async |signature: &str| {
            let request = app.nobody().request(Method::POST, "/webhooks/gh").header("x-github-delivery", "d1");
            Client::answer(request.header("x-hub-signature-256", signature).body("Hello, World!")).await
        };
        let good = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
        send("sha256=00").await.problem(401, "invalid_signature");
        let id = send(good).await.expect(200)["execution_id"].clone();
        let again = send(good).await;
        assert_eq!(again.headers.get("tidemill-duplicate").unwrap(), "true");
        assert_eq!(again.expect(200)["execution_id"], id);
        let execution = ada.get(&format!("/api/v1/executions/{}", id.as_str().unwrap())).await.expect(200);
        assert_eq!(execution["input"][0]["json"]["body"], "Hello, World!");
        assert!(!execution.to_string().contains("757107"), "{execution}");
    }

    async fn only_the_methods_of_an_active_webhook_are_answered(app: &TestApp) {
        let ada = app.person("ada").await;
        let definition = hooked(json!({ "path": "p", "method": "PUT" }), "no_op", json!({}));
        let workflow = activate(&ada, definition).await;
        let answer = app.nobody().post("/webhooks/p", json!({})).await;
        assert_eq!(answer.headers.get("allow").unwrap(), "PUT");
        answer.problem(405, "method_not_allowed");
        app.nobody().put("/webhooks/p", json!({})).await.expect(200);
        for path in ["/webhooks/other", "/webhooks/", "/webhooks/p/more", "/webhooks/%00", "/webhooks/%2e%2e"] {
            app.nobody().put(path, json!({})).await.problem(404, "not_found");
        }
        ada.post(&format!("/api/v1/workflows/{workflow}/pause"), json!({})).await.expect(200);
        app.nobody().put("/webhooks/p", json!({})).await.problem(404, "not_found");
        ada.post(&format!("/api/v1/workflows/{workflow}/activate"), json!({})).await.expect(200);
        app.nobody().put("/webhooks/p", json!({})).await.expect(200);
        assert_eq!(executions(&ada, workflow).await.len(), 2);
    }

    async fn a_body_is_bounded_while_it_comes_in(app: &TestApp) {
        let ada = app.person("ada").await;
        let workflow = activate(&ada, hooked(json!({ "path": "p", "maxBodyBytes": 100 }), "no_op", json!({}))).await;
        let send = async |body: reqwest::Body| app.nobody().send_raw(Method::POST, "/webhooks/p", "text/plain", body).await;
        send("a".repeat(100).into()).await.expect(200);
        send("a".repeat(101).into()).await.problem(413, "body_too_large");
        let pieces = |count: usize| {
            let pieces = (0..count).map(|_| Ok::<_, std::io::Error>(Bytes::from_static(&[b'a'; 30])));
            reqwest::Body::wrap_stream(futures::stream::iter(pieces))
        };
        let id = send(pieces(3)).await.expect(200)["execution_id"].clone();
        send(pieces(4)).await.problem(413, "body_too_large");
        let execution = ada.get(&format!("/api/v1/executions/{}", id.as_str().unwrap())).await.expect(200);
        assert_eq!(execution["input"][0]["json"]["body"], "a".repeat(90));
        assert_eq!(executions(&ada, workflow).await.len(), 2);
    }

    async fn bytes_that_are_no_text_become_binary_data(app: &TestApp) {
        let ada = app.person("ada").await;
        activate(&ada, hooked(json!({ "path": "p" }), "no_op", json!({}))).await;
        let small = app.nobody().send_raw(Method::POST, "/webhooks/p", "text/plain", vec![0xff, 0xfe]).await.expect(200);
        let execution = ada.get(&format!("/api/v1/executions/{}", small["execution_id"].as_str().unwrap())).await.expect(200);
        assert_eq!(execution["input"][0]["binary"]["data"]["data"], "//4=");
        assert_eq!(execution["input"][0]["json"]["body"], json!({}));

        // Too large for an item: it is stored, and belongs to the execution.
        let large = app.nobody().send_raw(Method::POST, "/webhooks/p", "image/png", vec![0xff; 50_000]).await.expect(200);
        let id = large["execution_id"].as_str().unwrap();
        let execution = ada.get(&format!("/api/v1/executions/{id}")).await.expect(200);
        let file = execution["input"][0]["binary"]["data"]["id"].as_str().unwrap().to_owned();
        let list = ada.get(&format!("/api/v1/files?execution_id={id}")).await.expect(200);
        assert_eq!(list["items"][0]["id"], file);
        let content = ada.request(Method::GET, &format!("/api/v1/files/{file}/content")).send().await.unwrap();
        assert_eq!(content.bytes().await.unwrap(), vec![0xff; 50_000]);

        let nul = json!({ "a\0": ["\0", "\u{10ffff}"] });
        let taken = app.nobody().post("/webhooks/p", nul.clone()).await.expect(200);
        let execution = ada.get(&format!("/api/v1/executions/{}", taken["execution_id"].as_str().unwrap())).await.expect(200);
        assert_eq!(execution["input"][0]["json"]["body"], nul);

        let request = app.nobody().request(Method::POST, "/webhooks/p").header("content-encoding", "gzip");
        Client::answer(request.json(&json!({}))).await.problem(415, "unsupported_media_type");
        let bad = app.nobody().send_raw(Method::POST, "/webhooks/p", "application/json", vec![0xff]).await;
        let problem = bad.problem(400, "invalid_request");
        assert_eq!(problem["errors"][0]["field"], "body");
    }

    async fn the_caller_gets_the_items_of_the_last_node(app: &TestApp) {
        let ada = app.person("ada").await;
        let fields = json!({ "assignments": [{ "name": "double", "value": "={{ $json.body.n * 2 }}", "type": "number" }] });
        activate(&ada, hooked(json!({ "path": "p", "responseMode": "lastNode" }), "edit_fields", fields)).await;
        let working = app.work();
        let send = || {
            let request = app.nobody().request(Method::POST, "/webhooks/p").header("idempotency-key", "k");
            Client::answer(request.json(&json!({ "n": 21 })))
        };
        let first = send().await;
        let id = first.headers.get("tidemill-execution-id").unwrap().clone();
        assert_eq!(first.expect(200)[0]["double"], 42);
        let again = send().await;
        assert_eq!(again.headers.get("tidemill-duplicate").unwrap(), "true");
        assert_eq!(again.headers.get("tidemill-execution-id").unwrap(), id);
        assert_eq!(again.expect(200)[0]["double"], 42);
        working.stop().await;
    }

    async fn the_caller_gets_what_a_respond_node_says(app: &TestApp) {
        let ada = app.person("ada").await;
        let fields = json!({ "respondWith": "text", "body": "={{ 'got ' + $json.body.n }}", "status": 201, "headers": { "x-shop": "tea" } });
        let mut definition = hooked(json!({ "path": "p", "responseMode": "respondNode" }), "respond_to_webhook", fields);
        // It answers before the execution ends: what follows waits for a request.
        definition["nodes"].as_array_mut().unwrap().push(
            json!({ "id": "wait", "data": { "label": "Wait", "nodeType": "wait", "fields": { "resume": "request" } } }),
        );
        definition["edges"].as_array_mut().unwrap().push(json!({ "source": "next", "target": "wait" }));
        activate(&ada, definition).await;
        let working = app.work();
        let answer = app.nobody().post("/webhooks/p", json!({ "n": 7 })).await;
        assert_eq!((answer.status, answer.text.as_str()), (201, "got 7"));
        assert_eq!(answer.headers.get("x-shop").unwrap(), "tea");
        assert_eq!(answer.headers.get("content-security-policy").unwrap(), "default-src 'none'; frame-ancestors 'none'; sandbox");
        working.stop().await;
    }

    async fn a_failure_is_told_without_its_reason(app: &TestApp) {
        let ada = app.person("ada").await;
        let fields = json!({ "message": "the s3cret reason" });
        let workflow = activate(&ada, hooked(json!({ "path": "p", "responseMode": "lastNode" }), "stop_and_error", fields)).await;
        let working = app.work();
        let answer = app.nobody().post("/webhooks/p", json!({})).await;
        assert!(!answer.text.contains("s3cret"), "{}", answer.text);
        let problem = answer.problem(500, "execution_failed");
        let listed = executions(&ada, workflow).await;
        assert_eq!(problem["execution_id"], listed[0]["id"]);
        assert_eq!(listed[0]["status"], "failed");
        working.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_caller_who_waited_long_enough_is_told_the_execution() {
    let app = TestApp::spawn_with(Place::sqlite(), &[("API__MAX_WAIT_MS", "30")]).await;
    let ada = app.person("ada").await;
    for (path, mode) in [("a", "lastNode"), ("b", "respondNode")] {
        let workflow =
            activate(&ada, hooked(json!({ "path": path, "responseMode": mode }), "no_op", json!({}))).await;
        // No worker runs.
        let answer = app.nobody().post(&format!("/webhooks/{path}"), json!({})).await.expect(202);
        assert_eq!(answer["execution_id"], executions(&ada, workflow).await[0]["id"]);
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_call_that_waits_is_answered_when_the_service_stops() {
    let app = TestApp::spawn(Place::sqlite()).await;
    let ada = app.person("ada").await;
    activate(&ada, hooked(json!({ "path": "p", "responseMode": "lastNode" }), "no_op", json!({}))).await;
    let caller = app.nobody();
    let mut wakes = app.db.notifier().subscribe();
    let waiting = tokio::spawn(async move { caller.post("/webhooks/p", json!({})).await });
    // The call has been taken in.
    while wakes.recv().await != store::Topic::Queue {}
    app.stop().await;
    waiting.await.unwrap().expect(202);
}
