//! The address that lets a waiting execution go on.

use serde_json::{Value, json};
use worker::resume::ResumeUrls;

use crate::events::{Followed, follow};
use crate::on_both;
use crate::support::{Client, Method, TestApp};

fn waiting() -> Value {
    json!({
        "nodes": [
            { "id": "start", "data": { "label": "Start", "nodeType": "manual", "fields": {} } },
            { "id": "wait", "data": { "label": "Wait", "nodeType": "wait", "fields": { "resume": "request" } } },
        ],
        "edges": [{ "source": "start", "target": "wait" }],
    })
}

/// Starts an execution; gives its id and the path that resumes it.
async fn start(app: &TestApp, ada: &Client) -> (String, String) {
    let workflow = ada.workflow("w", waiting()).await;
    let started = ada.post(&format!("/api/v1/workflows/{workflow}/execute"), json!({})).await;
    let id = started.id();
    let url = ResumeUrls::new(app.vault.derive("resume"), "").url(id);
    (id.to_string(), url)
}

on_both! {
    async fn a_waiting_execution_goes_on_with_the_request_once(app: &TestApp) {
        let ada = app.person("ada").await;
        let (id, path) = start(app, &ada).await;
        app.nobody().post(&path, json!({})).await.problem(404, "not_found");
        let working = app.work();
        follow(&ada, &id, None).await.until(|event| event.is_status("waiting")).await;

        let answers = futures::future::join_all((0..8).map(|number| {
            let caller = app.nobody().with_header("authorization", "Bearer s3cret");
            let path = path.clone();
            async move { caller.post(&format!("{path}?from=mail"), json!({ "number": number })).await }
        }))
        .await;
        let taken: Vec<_> = answers.iter().filter(|answer| answer.status == 200).collect();
        assert_eq!(taken.len(), 1, "{answers:?}");
        assert_eq!(taken[0].body["execution_id"], json!(id));
        for answer in answers.into_iter().filter(|answer| answer.status != 200) {
            answer.problem(409, "state_conflict");
        }

        let events: Vec<Followed> = follow(&ada, &id, None).await.read_all().await;
        assert!(events.last().unwrap().is_status("completed"), "{events:?}");
        let execution = ada.get(&format!("/api/v1/executions/{id}")).await;
        assert!(!execution.text.contains("s3cret"), "{}", execution.text);
        let item = &execution.body["output"][0]["json"];
        assert_eq!((item["method"].clone(), item["query"].clone()), (json!("POST"), json!({ "from": "mail" })));
        assert!(item["body"]["number"].is_number(), "{item}");
        app.nobody().post(&path, json!({})).await.problem(409, "state_conflict");
        working.stop().await;
    }

    async fn a_link_works_too_and_other_methods_do_not(app: &TestApp) {
        let ada = app.person("ada").await;
        let (id, path) = start(app, &ada).await;
        let working = app.work();
        follow(&ada, &id, None).await.until(|event| event.is_status("waiting")).await;
        let refused = app.nobody().delete(&path).await;
        assert_eq!(refused.headers.get("allow").unwrap(), "GET, POST");
        refused.problem(405, "method_not_allowed");
        // Who has no token is told so before anything is read.
        let unread = app.nobody().send_raw(Method::POST, "/resume/x", "application/json", "{").await;
        unread.problem(404, "not_found");
        for token in ["x", "a.b", "%00", &"a".repeat(2_000)] {
            app.nobody().get(&format!("/resume/{token}")).await.problem(404, "not_found");
        }
        app.nobody().send(Method::GET, &path, None).await.expect(200);
        app.nobody().get(&path).await.problem(409, "state_conflict");
        let unread = app.nobody().send_raw(Method::POST, &path, "application/json", "{").await;
        unread.problem(409, "state_conflict");
        let events = follow(&ada, &id, None).await.read_all().await;
        assert!(events.last().unwrap().is_status("completed"), "{events:?}");
        working.stop().await;
    }
}
