//! Integrations: their credentials go in and never come out.

use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use serde_json::{Value, json};

use crate::on_both;

use crate::webhook_settings::audit_actions;

/// What must be seen nowhere.
const SECRET: &str = "s3cret-token-of-the-shop";

/// A service that answers whoever has the token; gives its URL.
fn service() -> String {
    let server = HttpServer::new(|| {
        App::new().default_service(web::to(|request: HttpRequest| async move {
            let expected = format!("Bearer {SECRET}");
            match request.headers().get("authorization") {
                Some(value) if *value == expected => HttpResponse::Ok().body("welcome"),
                other => HttpResponse::Unauthorized().body(format!("you sent {other:?}")),
            }
        }))
    });
    let server = server.workers(1).disable_signals().bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/me", server.addrs()[0]);
    tokio::spawn(server.run());
    url
}

fn bearer(name: &str, token: &str, test_url: &str) -> Value {
    json!({
        "connector": "http_bearer", "name": name, "credentials": { "token": token }, "configuration": { "testUrl": test_url },
    })
}

on_both! {
    async fn credentials_are_in_no_answer_and_in_no_row_as_they_are(app: &TestApp) {
        let ada = app.person("ada").await;
        let made = ada.post("/api/v1/integrations", bearer("Shop", SECRET, "http://127.0.0.1:1/")).await;
        let path = format!("/api/v1/integrations/{}", made.id());
        let answers = [
            made,
            ada.get(&path).await,
            ada.get("/api/v1/integrations?connector=http_bearer&status=active").await,
            ada.put(&path, json!({ "name": "The shop", "credentials": { "token": SECRET } })).await,
            ada.post(&format!("{path}/test"), json!({})).await,
            ada.put(&path, json!({ "credentials": { "tokn": SECRET } })).await,
            ada.post("/api/v1/integrations", bearer("The shop", SECRET, "http://127.0.0.1:1/")).await,
        ];
        let statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
        assert_eq!(statuses, [201, 200, 200, 200, 200, 400, 409]);
        for answer in &answers {
            assert!(!answer.text.contains("s3cret"), "{}", answer.text);
            assert!(answer.body.get("credentials").is_none(), "{}", answer.text);
        }
        assert_eq!(answers[3].body["name"], "The shop");

        let filter = store::audit::AuditFilter::default();
        let page = store::page::PageRequest::default();
        let audit = store::audit::list(app.db.reader(), ada.organization, &filter, page).await.unwrap();
        assert!(!format!("{audit:?}").contains("s3cret"));
        assert_eq!(ada.delete(&path).await.status, 204);
        let actions = audit_actions(app, &ada).await;
        for action in ["integration.create", "integration.update", "integration.test", "integration.delete"] {
            assert!(actions.iter().any(|found| found == action), "{action} is not in {actions:?}");
        }
    }

    async fn a_test_asks_the_service_and_notes_what_it_said(app: &TestApp) {
        let ada = app.person("ada").await;
        let url = service();
        let good = ada.post("/api/v1/integrations", bearer("good", SECRET, &url)).await.id();
        let bad = ada.post("/api/v1/integrations", bearer("bad", "an0ther-s3cret", &url)).await.id();
        let passed = ada.post(&format!("/api/v1/integrations/{good}/test"), json!({})).await.expect(200);
        assert_eq!(passed["outcome"], "passed", "{passed}");
        let failed = ada.post(&format!("/api/v1/integrations/{bad}/test"), json!({})).await;
        assert!(!failed.text.contains("s3cret"), "{}", failed.text);
        assert_eq!(failed.body["outcome"], "failed");
        let noted = ada.get(&format!("/api/v1/integrations/{bad}")).await;
        assert!(!noted.text.contains("s3cret"), "{}", noted.text);
        let noted = noted.expect(200);
        assert_eq!((noted["status"].clone(), noted["error_message"].clone()), (json!("error"), failed.body["detail"].clone()));
        assert!(noted["last_tested_at"].is_string());

        // New credentials make it fit for use again.
        let path = format!("/api/v1/integrations/{bad}");
        let repaired = ada.put(&path, json!({ "credentials": { "token": SECRET } })).await.expect(200);
        assert_eq!((repaired["status"].clone(), repaired["error_message"].clone()), (json!("active"), Value::Null));
        ada.put(&path, json!({ "is_active": false })).await.expect(200);
        ada.post(&format!("{path}/test"), json!({})).await.problem(409, "state_conflict");
    }

    async fn a_test_cannot_reach_what_nodes_cannot_reach(app: &TestApp) {
        let ada = app.person("ada").await;
        let id = ada.post("/api/v1/integrations", bearer("inside", SECRET, "http://169.254.169.254/latest")).await.id();
        let failed = ada.post(&format!("/api/v1/integrations/{id}/test"), json!({})).await.expect(200);
        assert_eq!(failed["outcome"], "failed", "{failed}");
    }

    async fn fields_that_cannot_be_right_are_named(app: &TestApp) {
        let ada = app.person("ada").await;
        for (new, field) in [
            (json!({ "connector": "no_such", "name": "n" }), "connector"),
            (json!({ "connector": "http_bearer", "name": "n" }), "credentials.token"),
            (json!({ "connector": "http_bearer", "name": "", "credentials": { "token": "t" } }), "name"),
            (
                json!({ "connector": "http_bearer", "name": "n", "configuration": { "token": "t" } }),
                "credentials.token",
            ),
            (
                json!({ "connector": "http_bearer", "name": "n", "credentials": { "token": "t" }, "configuration": { "testUrl": "x" } }),
                "configuration.testUrl",
            ),
        ] {
            let problem = ada.post("/api/v1/integrations", new).await.problem(400, "invalid_request");
            assert_eq!(problem["errors"][0]["field"], field, "{problem}");
        }
        // What stays is checked with what is changed.
        let id = ada.post("/api/v1/integrations", bearer("n", SECRET, "http://127.0.0.1:1/")).await.id();
        let path = format!("/api/v1/integrations/{id}");
        ada.put(&path, json!({ "configuration": {} })).await.expect(200);
        // Secrets that are stored are not sent to another place.
        for configuration in [json!({ "testUrl": "https://evil.example" }), json!({ "allowedHosts": ["evil.example"] })] {
            let problem = ada.put(&path, json!({ "configuration": configuration })).await.problem(400, "invalid_request");
            assert_eq!(problem["errors"][0]["field"], "credentials", "{problem}");
            let both = json!({ "configuration": configuration, "credentials": { "token": "new" } });
            ada.put(&path, both).await.expect(200);
            ada.put(&path, json!({ "configuration": configuration })).await.expect(200);
        }
        ada.put(&path, json!({ "configuration": { "testUrl": 5 }, "credentials": { "token": "t" } })).await.problem(400, "invalid_request");
    }

    async fn the_connectors_say_what_an_integration_needs(app: &TestApp) {
        let ada = app.person("ada").await;
        let list = ada.get("/api/v1/connectors").await.expect(200);
        let connectors = list["items"].as_array().unwrap();
        let bearer = connectors.iter().find(|connector| connector["name"] == "http_bearer").unwrap();
        assert_eq!(bearer["fields"][0], json!({
            "name": "token", "title": "Token", "description": "The token, without the word Bearer.",
            "kind": "text", "secret": true, "required": true,
        }));
        assert_eq!(bearer["schema"]["properties"]["token"]["writeOnly"], true);
    }

    async fn an_integration_of_another_organization_is_not_there(app: &TestApp) {
        let (ada, eve) = (app.person("ada").await, app.person("eve").await);
        let id = ada.post("/api/v1/integrations", bearer("n", SECRET, "http://127.0.0.1:1/")).await.id();
        let path = format!("/api/v1/integrations/{id}");
        eve.get(&path).await.problem(404, "not_found");
        eve.put(&path, json!({ "name": "x" })).await.problem(404, "not_found");
        eve.post(&format!("{path}/test"), json!({})).await.problem(404, "not_found");
        eve.delete(&path).await.problem(404, "not_found");
        assert_eq!(eve.get("/api/v1/integrations").await.expect(200)["items"], json!([]));
        ada.get(&path).await.expect(200);
    }
}
