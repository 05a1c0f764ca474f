//! Whatever is sent, the answer is a problem that says what is wrong.

use serde_json::json;

use crate::on_both;
use crate::openapi::operations;
use crate::support::{Client, Method, Place, TestApp, echo};
use crate::webhooks::{activate, hooked};

/// Bodies that no route takes.
fn malformed() -> Vec<Vec<u8>> {
    let deep = "[".repeat(100_000);
    [
        "",
        "{",
        "}",
        "[]",
        "null",
        "5",
        "\"text\"",
        "{\"a\":}",
        "{\"no_such_field\":1}",
        "{} {}",
        "{\"name\":\"\\ud800\"}",
        "{\"name\":\"\\u0000\",\"definition\":{\"nodes\":[]}}",
        "\u{feff}{}",
        &deep,
    ]
    .iter()
    .map(|text| text.as_bytes().to_vec())
    .chain([vec![0xff, 0xfe, 0x00], vec![0], b"{\"name\":\"\xff\"}".to_vec()])
    .collect()
}

/// The path with ids that belong to nobody.
fn filled(path: &str) -> String {
    path.split('/')
        .map(|part| if part.starts_with('{') { "018f0000-0000-7000-8000-000000000000" } else { part })
        .collect::<Vec<_>>()
        .join("/")
}

on_both! {
    async fn json_that_nests_too_deep_is_refused_wherever_it_comes_in(app: &TestApp) {
        let ada = app.person("ada").await;
        let workflow = activate(&ada, hooked(json!({ "path": "deep" }), "no_op", json!({}))).await;
        let deep = (0..100).fold(json!(1), |value, _| json!([value]));
        let schedule = json!({ "workflow_id": workflow, "name": "n", "cron_expression": "@daily", "input_data": { "a": deep } });
        for (path, body, field) in [
            (format!("/api/v1/workflows/{workflow}/execute"), json!({ "input": { "a": deep } }), "input"),
            ("/api/v1/workflows".to_owned(), json!({ "name": "n", "definition": deep }), "definition"),
            ("/api/v1/schedules".to_owned(), schedule, "input_data"),
            ("/webhooks/deep".to_owned(), deep.clone(), "body"),
        ] {
            let problem = ada.post(&path, body).await.problem(400, "invalid_request");
            assert_eq!(problem["errors"][0]["field"], field, "{problem}");
        }
        let flat = (0..60).fold(json!(1), |value, _| json!([value]));
        ada.post("/webhooks/deep", flat).await.expect(200);
    }

    async fn malformed_json_is_a_problem_on_every_route(app: &TestApp) {
        let ada = app.person("ada").await;
        let document = ada.get("/api/v1/openapi.json").await.expect(200);
        let workflow = ada.workflow("w", echo()).await.to_string();
        for (method, path, operation) in operations(&document) {
            if !path.starts_with("/api/v1") || operation["requestBody"].is_null() {
                continue;
            }
            let path = if path.starts_with("/api/v1/workflows") { path.replace("{id}", &workflow) } else { path };
            for body in malformed() {
                let method: Method = method.parse().unwrap();
                let shown = String::from_utf8_lossy(&body).chars().take(40).collect::<String>();
                let answer = ada.send_raw(method.clone(), &filled(&path), "application/json", body).await;
                let takes_nothing = answer.status < 300;
                assert!(answer.status < 500, "{method} {path} {shown}: {}", answer.text);
                assert!(takes_nothing || answer.headers.get("content-type").unwrap() == "application/problem+json", "{method} {path} {shown}: {}", answer.text);
            }
        }
    }

    async fn a_path_without_a_route_and_a_method_without_one_are_problems(app: &TestApp) {
        let ada = app.person("ada").await;
        for path in ["/nothing", "/api/v1/nothing", "/api/v1", "/api/v2/workflows", "/api/v1/workflows/x/y/z"] {
            ada.get(path).await.problem(404, "not_found");
        }
        for path in ["/api/v1/workflows/5", "/api/v1/executions/..%2f", "/api/v1/workflows/%00", "/api/v1/workflows/018f0000-0000-7000-8000-000000000000/versions/x"] {
            ada.get(path).await.problem(404, "not_found");
        }
        for (method, path, allow) in [
            (Method::DELETE, "/api/v1/workflows", "GET, POST"),
            (Method::PATCH, "/api/v1/workflows/018f0000-0000-7000-8000-000000000000", "DELETE, GET, PUT"),
            (Method::GET, "/api/v1/auth/login", "POST"),
        ] {
            let answer = ada.send(method, path, None).await;
            assert_eq!(answer.headers.get("allow").unwrap().to_str().unwrap(), allow);
            answer.problem(405, "method_not_allowed");
        }
    }

    async fn another_media_type_than_json_is_refused(app: &TestApp) {
        let ada = app.person("ada").await;
        let body = r#"{"name":"w","definition":{}}"#;
        for content_type in ["text/plain", "application/x-www-form-urlencoded", "", "garbage"] {
            ada.send_raw(Method::POST, "/api/v1/workflows", content_type, body).await.problem(415, "unsupported_media_type");
        }
        for content_type in ["application/json", "application/json; charset=utf-8", "APPLICATION/JSON"] {
            assert_eq!(ada.send_raw(Method::POST, "/api/v1/workflows", content_type, body).await.status, 201, "{content_type}");
        }
    }

    async fn an_error_names_the_path_of_the_field(app: &TestApp) {
        let ada = app.person("ada").await;
        let problem = ada.post("/api/v1/workflows", json!({ "name": "w", "definition": {}, "tags": ["a", 5] })).await;
        assert_eq!(problem.problem(400, "invalid_request")["errors"][0]["field"], "tags[1]");
        let problem = ada.post("/api/v1/workflows", json!({ "name": "w", "definition": {}, "colour": "red" })).await;
        assert_eq!(problem.problem(400, "invalid_request")["errors"][0]["field"], "colour");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_over_the_limit_is_refused_whether_its_length_is_told_or_not() {
    let app = TestApp::spawn_with(Place::sqlite(), &[("API__MAX_BODY_BYTES", "10000")]).await;
    let ada = app.person("ada").await;
    let body = json!({ "name": "x".repeat(20_000), "definition": {} }).to_string();
    let told = ada.send_raw(Method::POST, "/api/v1/workflows", "application/json", body.clone()).await;
    told.problem(413, "body_too_large");
    let chunks = body
        .into_bytes()
        .chunks(1000)
        .map(|chunk| Ok::<_, std::io::Error>(chunk.to_vec()))
        .collect::<Vec<_>>();
    let stream = reqwest::Body::wrap_stream(futures::stream::iter(chunks));
    ada.send_raw(Method::POST, "/api/v1/workflows", "application/json", stream)
        .await
        .problem(413, "body_too_large");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn when_the_database_is_gone_the_answer_is_a_problem_without_its_cause() {
    let app = TestApp::spawn(Place::sqlite()).await;
    let ada = app.person("ada").await;
    app.db.close().await.unwrap();
    let answer = ada.get("/api/v1/workflows").await;
    answer.check_problem();
    assert!(answer.status == 500 || answer.status == 503, "{}", answer.text);
    assert!(!answer.text.contains("sqlx") && !answer.text.to_lowercase().contains("pool"), "{}", answer.text);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_is_not_read_before_the_caller_is_known() {
    let app = TestApp::spawn(Place::sqlite()).await;
    for client in [app.nobody(), app.nobody().with_token("wrong")] {
        let answer = Client::answer(
            client.request(Method::POST, "/api/v1/workflows").header("content-type", "text/plain").body("{"),
        )
        .await;
        answer.problem(401, "unauthenticated");
    }
    app.stop().await;
}
