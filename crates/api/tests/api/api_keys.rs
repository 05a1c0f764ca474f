//! API keys.

use serde_json::{Value, json};

use crate::on_both;
use crate::support::{Client, echo};

async fn key(owner: &Client, name: &str, permissions: &[&str]) -> Value {
    owner.post("/api/v1/api-keys", json!({ "name": name, "permissions": permissions })).await.expect(201)
}

on_both! {
    async fn a_key_is_shown_once_and_does_what_it_may(app: &TestApp) {
        let ada = app.person("ada").await;
        let made = key(&ada, "reader", &["read", "read"]).await;
        let token = made["key"].as_str().unwrap();
        assert!(token.starts_with("tm_") && token.starts_with(made["prefix"].as_str().unwrap()));
        assert_eq!(made["permissions"], json!(["read"]));
        let list = ada.get("/api/v1/api-keys").await;
        assert!(!list.text.contains(token), "the key was shown again");
        assert_eq!(list.body["items"][0]["id"], made["id"]);

        let program = app.nobody().with_token(token);
        program.get("/api/v1/workflows").await.expect(200);
        let me = program.get("/api/v1/auth/me").await.expect(200);
        assert_eq!(me["organizations"].as_array().unwrap().len(), 1);
        let new = json!({ "name": "w", "definition": echo() });
        program.post("/api/v1/workflows", new.clone()).await.problem(403, "forbidden");
        program.get("/api/v1/api-keys").await.problem(403, "forbidden");

        let writer = key(&ada, "writer", &["write"]).await;
        let writer = app.nobody().with_token(writer["key"].as_str().unwrap());
        writer.post("/api/v1/workflows", new).await.expect(201);
        writer.get("/api/v1/workflows").await.problem(403, "forbidden");
    }

    async fn a_deleted_key_and_an_expired_one_are_worth_nothing(app: &TestApp) {
        let ada = app.person("ada").await;
        let made = key(&ada, "k", &["read"]).await;
        let program = app.nobody().with_token(made["key"].as_str().unwrap());
        program.get("/api/v1/workflows").await.expect(200);
        let path = format!("/api/v1/api-keys/{}", made["id"].as_str().unwrap());
        assert_eq!(ada.delete(&path).await.status, 204);
        program.get("/api/v1/workflows").await.problem(401, "unauthenticated");
        ada.delete(&path).await.problem(404, "not_found");

        let past = json!({ "name": "p", "permissions": ["read"], "expires_at": "2020-01-01T00:00:00Z" });
        let problem = ada.post("/api/v1/api-keys", past).await.problem(400, "invalid_request");
        assert_eq!(problem["errors"][0]["field"], "expires_at");
    }

    async fn a_key_belongs_to_one_organization_and_makes_no_keys(app: &TestApp) {
        let (ada, bob) = (app.person("ada").await, app.person("bob").await);
        let made = key(&ada, "all", &["read", "write", "execute", "admin"]).await;
        let program = app.nobody().with_token(made["key"].as_str().unwrap());
        program.get("/api/v1/api-keys").await.expect(200);
        let new = json!({ "name": "child", "permissions": ["read"] });
        program.post("/api/v1/api-keys", new).await.problem(403, "forbidden");
        let elsewhere = program.with_header("tidemill-organization", &bob.organization.to_string());
        elsewhere.get("/api/v1/workflows").await.problem(404, "not_found");
    }

    async fn what_is_no_key_is_refused_by_field(app: &TestApp) {
        let ada = app.person("ada").await;
        let cases = [
            (json!({ "name": "", "permissions": ["read"] }), "name"),
            (json!({ "name": "k\0", "permissions": ["read"] }), "key_name"),
            (json!({ "name": "k", "permissions": [] }), "permissions"),
            (json!({ "name": "k", "permissions": ["everything"] }), "permissions[0]"),
            (json!({ "name": "k", "permissions": ["read"], "expires_at": "tomorrow" }), "expires_at"),
        ];
        for (body, field) in cases {
            let problem = ada.post("/api/v1/api-keys", body).await.problem(400, "invalid_request");
            assert_eq!(problem["errors"][0]["field"], field, "{problem}");
        }
        key(&ada, "twice", &["read"]).await;
        let again = json!({ "name": "twice", "permissions": ["read"] });
        let problem = ada.post("/api/v1/api-keys", again).await.problem(409, "already_exists");
        assert_eq!(problem["errors"][0]["field"], "name");
    }
}
