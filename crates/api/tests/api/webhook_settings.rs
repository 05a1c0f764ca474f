//! Webhooks as their owners make and change them.

use serde_json::{Value, json};

use crate::on_both;
use crate::support::{Method, TestApp, echo};
use crate::webhooks::{activate, hooked};

on_both! {
    async fn a_webhook_is_made_read_changed_and_deleted(app: &TestApp) {
        let ada = app.person("ada").await;
        let workflow = activate(&ada, echo()).await;
        let made = ada.post("/api/v1/webhooks", json!({ "workflow_id": workflow, "path": "/in/orders/" })).await;
        let path = format!("/api/v1/webhooks/{}", made.id());
        let made = made.expect(201);
        assert_eq!((made["path"].clone(), made["url"].clone()), (json!("in/orders"), json!(format!("{}/webhooks/in/orders", app.url))));
        assert_eq!((made["signature_scheme"].clone(), made["has_secret"].clone()), (json!("standard"), json!(true)));
        let secret = made["secret"].as_str().unwrap().to_owned();
        assert!(secret.starts_with("whsec_"));

        let read = ada.get(&path).await;
        assert!(!read.text.contains(&secret[6..]) && read.body.get("secret").is_none(), "{}", read.text);
        let change = json!({ "path": "in", "signature_scheme": "none", "dedup_header": "x-event", "max_body_bytes": 10 });
        let changed = ada.put(&path, change).await.expect(200);
        assert_eq!((changed["path"].clone(), changed["dedup_header"].clone()), (json!("in"), json!("x-event")));
        let changed = ada.put(&path, json!({ "dedup_header": null })).await.expect(200);
        assert_eq!((changed["dedup_header"].clone(), changed["max_body_bytes"].clone()), (Value::Null, json!(10)));

        app.nobody().post("/webhooks/in", json!({})).await.expect(200);
        ada.put(&path, json!({ "is_active": false })).await.expect(200);
        app.nobody().post("/webhooks/in", json!({})).await.problem(404, "not_found");
        assert_eq!(ada.delete(&path).await.status, 204);
        ada.get(&path).await.problem(404, "not_found");

        let actions: Vec<String> = audit_actions(app, &ada).await;
        for action in ["webhook.create", "webhook.update", "webhook.delete"] {
            assert!(actions.iter().any(|found| found == action), "{action} is not in {actions:?}");
        }
    }

    async fn what_cannot_be_a_webhook_is_refused_with_the_field(app: &TestApp) {
        let ada = app.person("ada").await;
        let workflow = activate(&ada, echo()).await;
        for (change, field) in [
            (json!({ "path": "a b" }), "path"),
            (json!({ "path": "" }), "path"),
            (json!({ "method": "BREW" }), "method"),
            (json!({ "signature_scheme": "rot13" }), "signature_scheme"),
            (json!({ "tolerance_secs": 100_000 }), "tolerance_secs"),
            (json!({ "dedup_window_secs": 100_000_000 }), "dedup_window_secs"),
            (json!({ "max_body_bytes": 0 }), "max_body_bytes"),
            (json!({ "dedup_header": "a b" }), "dedup_header"),
            (json!({ "secret": "short" }), "secret"),
        ] {
            let mut new = json!({ "workflow_id": workflow, "path": "p" });
            for (name, value) in change.as_object().unwrap() {
                new[name] = value.clone();
            }
            let problem = ada.post("/api/v1/webhooks", new).await.problem(400, "invalid_request");
            assert_eq!(problem["errors"][0]["field"], field, "{problem}");
        }
        let unknown = json!({ "workflow_id": workflow, "path": "p", "colour": "red" });
        ada.post("/api/v1/webhooks", unknown).await.problem(400, "invalid_request");
        assert_eq!(ada.get("/api/v1/webhooks").await.expect(200)["items"], json!([]));
    }

    async fn a_path_belongs_to_one_webhook_and_a_node_s_webhook_to_its_workflow(app: &TestApp) {
        let ada = app.person("ada").await;
        let workflow = activate(&ada, hooked(json!({ "path": "p" }), "no_op", json!({}))).await;
        let taken = json!({ "workflow_id": workflow, "path": "p" });
        let problem = ada.post("/api/v1/webhooks", taken).await.problem(409, "already_exists");
        assert_eq!(problem["errors"][0]["field"], "path");
        let list = ada.get(&format!("/api/v1/webhooks?workflow_id={workflow}&is_active=true")).await.expect(200);
        assert_eq!(list["items"][0]["node_id"], "hook");
        let path = format!("/api/v1/webhooks/{}", list["items"][0]["id"].as_str().unwrap());
        ada.put(&path, json!({ "path": "q" })).await.problem(400, "invalid_request");
        ada.delete(&path).await.problem(400, "invalid_request");
    }

    async fn a_webhook_of_another_organization_is_not_there(app: &TestApp) {
        let (ada, eve) = (app.person("ada").await, app.person("eve").await);
        let workflow = activate(&ada, echo()).await;
        let made = ada.post("/api/v1/webhooks", json!({ "workflow_id": workflow, "path": "p" })).await;
        let path = format!("/api/v1/webhooks/{}", made.id());
        eve.get(&path).await.problem(404, "not_found");
        eve.put(&path, json!({ "path": "q" })).await.problem(404, "not_found");
        eve.send(Method::POST, &format!("{path}/rotate-secret"), None).await.problem(404, "not_found");
        eve.delete(&path).await.problem(404, "not_found");
        eve.post("/api/v1/webhooks", json!({ "workflow_id": workflow, "path": "q" })).await.problem(404, "not_found");
        assert_eq!(eve.get("/api/v1/webhooks").await.expect(200)["items"], json!([]));
        assert_eq!(ada.get(&path).await.expect(200)["path"], "p");
    }
}

/// What the audit log of a person's organization says was done.
pub async fn audit_actions(app: &TestApp, person: &crate::support::Client) -> Vec<String> {
    let filter = store::audit::AuditFilter::default();
    let page = store::page::PageRequest::default();
    let rows = store::audit::list(app.db.reader(), person.organization, &filter, page).await.unwrap();
    rows.items.into_iter().map(|row| row.action).collect()
}
