//! No request reads or writes what belongs to another organization. The routes come from the OpenAPI document, so a
//! new one is tested without being named here.

use serde_json::{Value, json};

use crate::on_both;
use crate::openapi::operations;
use crate::support::{Client, Method, TestApp, echo};

/// A word that all of Ada's things hold, and nothing else.
const MARK: &str = "ultramarine";

/// What Ada owns, by the noun in the path.
struct Owned {
    ids: Vec<(&'static str, String)>,
    step: String,
}

impl Owned {
    async fn make(app: &TestApp, ada: &Client) -> Self {
        let worker = app.work();
        let workflow = ada.workflow("Ada's ultramarine", echo()).await;
        let execution = ada
            .post(
                &format!("/api/v1/workflows/{workflow}/execute?wait=20"),
                json!({ "input": { "colour": "ultramarine" } }),
            )
            .await;
        let execution = execution.expect(200)["id"].as_str().unwrap().to_owned();
        worker.stop().await;
        let steps = ada.get(&format!("/api/v1/executions/{execution}/steps")).await.expect(200);
        let mut ids = vec![("workflows", workflow.to_string()), ("executions", execution)];
        for (noun, new) in [
            ("api-keys", json!({ "name": "ultramarine key", "permissions": ["read"] })),
            (
                "schedules",
                json!({ "workflow_id": workflow, "name": "ultramarine", "cron_expression": "@yearly" }),
            ),
            ("webhooks", json!({ "workflow_id": workflow, "path": "ultramarine" })),
            (
                "integrations",
                json!({ "connector": "http_bearer", "name": "ultramarine", "credentials": { "token": "ultramarine" } }),
            ),
        ] {
            let made = ada.post(&format!("/api/v1/{noun}"), new).await;
            assert_eq!(made.status, 201, "{noun}: {}", made.text);
            ids.push((noun, made.id().to_string()));
        }
        let file = ada
            .send_raw(Method::POST, "/api/v1/files?filename=ultramarine", "text/plain", "ultramarine")
            .await;
        ids.push(("files", file.id().to_string()));
        Self { ids, step: steps["items"][0]["id"].as_str().unwrap().to_owned() }
    }

    /// The path with Ada's ids.
    fn fill(&self, path: &str) -> String {
        let noun = path.trim_start_matches("/api/v1/").split('/').next().unwrap();
        let id = self.ids.iter().find(|(known, _)| *known == noun).map(|(_, id)| id.as_str());
        let id = id.unwrap_or("018f0000-0000-7000-8000-000000000000");
        path.replace("{id}", id).replace("{step_id}", &self.step).replace("{version}", "1")
    }
}

/// A body that the operation takes, as far as that is the same for all.
fn body(method: &str, path: &str) -> Option<Value> {
    match method {
        "GET" | "DELETE" => None,
        _ if path.ends_with("/workflows") || path.ends_with("/validate") => None,
        _ => Some(json!({})),
    }
}

fn is_public(operation: &Value) -> bool {
    operation["security"]
        .as_array()
        .is_some_and(|schemes| schemes.iter().all(|scheme| scheme.as_object().unwrap().is_empty()))
}

on_both! {
    async fn nothing_is_given_to_somebody_without_credentials(app: &TestApp) {
        let ada = app.person("ada").await;
        let owned = Owned::make(app, &ada).await;
        let document = ada.get("/api/v1/openapi.json").await.expect(200);
        let mut driven = 0;
        for (method, path, operation) in operations(&document) {
            if is_public(&operation) {
                continue;
            }
            let path = owned.fill(&path);
            for client in [app.nobody(), app.nobody().with_token("tm_wrong"), app.nobody().with_token("wrong")] {
                let answer = client.send(method.parse().unwrap(), &path, body(&method, &path)).await;
                assert_eq!(answer.status, 401, "{method} {path}: {}", answer.text);
                answer.check_problem();
            }
            driven += 1;
        }
        assert!(driven > 25, "{driven}");
    }

    async fn nothing_of_an_organization_is_given_to_another(app: &TestApp) {
        let (ada, bob) = (app.person("ada").await, app.person("bob").await);
        let owned = Owned::make(app, &ada).await;
        let document = ada.get("/api/v1/openapi.json").await.expect(200);
        for (method, path, operation) in operations(&document) {
            if is_public(&operation) || operation["operationId"] == "logout" {
                continue;
            }
            let filled = owned.fill(&path);
            let answer = bob.send(method.parse().unwrap(), &filled, body(&method, &path)).await;
            assert!(answer.status < 500, "{method} {path}: {}", answer.text);
            assert!(!answer.text.contains(MARK), "{method} {path}: {}", answer.text);
            if path.contains('{') && path != "/api/v1/node-types/{type}" {
                // A wrong body may be found before the row is looked for.
                assert!([400, 403, 404].contains(&answer.status), "{method} {path}: {} {}", answer.status, answer.text);
            }
            // The same with Ada's organization in the header: Bob is no member of it.
            let there = bob.clone().with_header("tidemill-organization", &ada.organization.to_string());
            let answer = there.send(method.parse().unwrap(), &filled, body(&method, &path)).await;
            assert!([400, 404].contains(&answer.status), "{method} {path}: {} {}", answer.status, answer.text);
            assert!(!answer.text.contains(MARK), "{method} {path}: {}", answer.text);
        }
        // All that Ada owns is still there.
        for (noun, id) in &owned.ids {
            if *noun != "api-keys" {
                ada.get(&format!("/api/v1/{noun}/{id}")).await.expect(200);
            }
        }
        assert_eq!(ada.get("/api/v1/api-keys").await.expect(200)["items"].as_array().unwrap().len(), 1);
    }
}
