//! What each role may do.

use serde_json::json;
use store::organizations::{self, Role};

use crate::on_both;
use crate::openapi::operations;
use crate::support::{Client, Method, TestApp, echo};

/// Somebody with a role in another one's organization, working there.
async fn member(app: &TestApp, owner: &Client, name: &str, role: Role) -> Client {
    let person = app.person(name).await;
    let now = app.db.now();
    organizations::add_member(app.db.writer(), now, owner.organization, person.user, role).await.unwrap();
    person.with_header("tidemill-organization", &owner.organization.to_string())
}

/// Changes that a viewer may make: they change nothing, or only the caller's own session.
const HARMLESS: [&str; 5] = ["login", "logout", "sign_up", "validate_workflow", "preview_schedule"];

on_both! {
    async fn a_viewer_reads_and_changes_nothing(app: &TestApp) {
        let ada = app.person("ada").await;
        let viewer = member(app, &ada, "vic", Role::Viewer).await;
        let workflow = ada.workflow("w", echo()).await.to_string();
        let execution = ada.post(&format!("/api/v1/workflows/{workflow}/execute"), json!({})).await.id().to_string();
        viewer.get(&format!("/api/v1/workflows/{workflow}")).await.expect(200);
        viewer.get(&format!("/api/v1/executions/{execution}")).await.expect(200);

        let document = ada.get("/api/v1/openapi.json").await.expect(200);
        for (method, path, operation) in operations(&document) {
            let id = operation["operationId"].as_str().unwrap();
            if method == "GET" || !path.starts_with("/api/v1") || HARMLESS.contains(&id) {
                continue;
            }
            let noun = if path.starts_with("/api/v1/executions") { &execution } else { &workflow };
            let path = path.replace("{id}", noun).replace("{version}", "1");
            let answer = viewer.send(method.parse().unwrap(), &path, Some(json!({}))).await;
            assert_eq!(answer.status, 403, "{method} {path}: {}", answer.text);
        }
        assert_eq!(ada.get(&format!("/api/v1/workflows/{workflow}")).await.expect(200)["version"], 1);
    }

    async fn a_member_works_and_an_administrator_manages(app: &TestApp) {
        let ada = app.person("ada").await;
        let worker = member(app, &ada, "mel", Role::Member).await;
        let admin = member(app, &ada, "kim", Role::Admin).await;
        let workflow = worker.workflow("w", echo()).await;
        worker.post(&format!("/api/v1/workflows/{workflow}/execute"), json!({})).await.expect(202);
        ada.get(&format!("/api/v1/workflows/{workflow}")).await.expect(200);
        let key = json!({ "name": "k", "permissions": ["read"] });
        worker.post("/api/v1/api-keys", key.clone()).await.problem(403, "forbidden");
        admin.post("/api/v1/api-keys", key).await.expect(201);
    }

    async fn whoever_leaves_an_organization_sees_nothing_of_it(app: &TestApp) {
        let ada = app.person("ada").await;
        let stranger = app.person("bob").await;
        let there = stranger.with_header("tidemill-organization", &ada.organization.to_string());
        there.get("/api/v1/workflows").await.problem(404, "not_found");
        let nowhere = ada.clone().with_header("tidemill-organization", "not an id");
        nowhere.get("/api/v1/workflows").await.problem(400, "invalid_request");
        assert_eq!(ada.send(Method::GET, "/api/v1/workflows", None).await.status, 200);
    }
}
