//! The life of a workflow.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::on_both;
use crate::support::echo;

fn path(id: Uuid) -> String {
    format!("/api/v1/workflows/{id}")
}

/// A workflow in which a node has no type.
fn broken() -> Value {
    json!({
        "nodes": [
            { "id": "start", "data": { "label": "Start", "nodeType": "manual", "fields": {} } },
            { "id": "x", "data": { "label": "Mystery", "nodeType": "http_requst", "fields": {} } },
        ],
        "edges": [{ "source": "start", "target": "x" }],
    })
}

on_both! {
    async fn a_workflow_is_made_read_changed_and_deleted(app: &TestApp) {
        let ada = app.person("ada").await;
        let new = json!({ "name": "Report", "description": "d", "definition": echo(), "tags": ["a", "b"] });
        let made = ada.post("/api/v1/workflows", new).await;
        let id = made.id();
        let made = made.expect(201);
        assert_eq!((made["version"].clone(), made["status"].clone()), (json!(1), json!("draft")));
        assert_eq!(made["problems"], json!([]));

        let read = ada.get(&path(id)).await.expect(200);
        assert_eq!(read["definition"]["nodes"].as_array().unwrap().len(), 2);
        let changed = ada.put(&path(id), json!({ "name": "Daily report", "description": null })).await.expect(200);
        assert_eq!((changed["version"].clone(), changed["name"].clone()), (json!(2), json!("Daily report")));
        assert_eq!((changed["description"].clone(), changed["tags"].clone()), (Value::Null, json!(["a", "b"])));

        assert_eq!(ada.delete(&path(id)).await.status, 204);
        ada.get(&path(id)).await.problem(404, "not_found");
        ada.delete(&path(id)).await.problem(404, "not_found");
    }

    async fn a_save_on_another_version_than_expected_changes_nothing(app: &TestApp) {
        let ada = app.person("ada").await;
        let id = ada.workflow("w", echo()).await;
        ada.put(&path(id), json!({ "version": 1, "name": "first" })).await.expect(200);
        let problem = ada.put(&path(id), json!({ "version": 1, "name": "second" })).await.problem(409, "version_conflict");
        assert!(problem["detail"].as_str().unwrap().contains('2'), "{problem}");
        let read = ada.get(&path(id)).await.expect(200);
        assert_eq!((read["version"].clone(), read["name"].clone()), (json!(2), json!("first")));
    }

    async fn every_save_is_a_version_and_any_can_be_restored(app: &TestApp) {
        let ada = app.person("ada").await;
        let id = ada.workflow("w", echo()).await;
        let mut longer = echo();
        longer["nodes"].as_array_mut().unwrap().push(json!({ "id": "n", "data": { "nodeType": "sticky_note", "fields": {} } }));
        ada.put(&path(id), json!({ "definition": longer, "change_summary": "a note" })).await.expect(200);

        let versions = ada.get(&format!("{}/versions", path(id))).await.expect(200);
        let numbers: Vec<_> = versions["items"].as_array().unwrap().iter().map(|version| version["version"].clone()).collect();
        assert_eq!(numbers, [2, 1]);
        assert_eq!(versions["items"][0]["change_summary"], "a note");
        let first = ada.get(&format!("{}/versions/1", path(id))).await.expect(200);
        assert_eq!(first["definition"]["nodes"].as_array().unwrap().len(), 2);

        let restored = ada.post(&format!("{}/versions/1/restore", path(id)), json!({})).await.expect(200);
        assert_eq!(restored["version"], 3);
        assert_eq!(restored["definition"], first["definition"]);
        ada.post(&format!("{}/versions/9/restore", path(id)), json!({})).await.problem(404, "not_found");
        ada.get(&format!("{}/versions/9", path(id))).await.problem(404, "not_found");
        ada.post(&format!("{}/versions/1/restore", path(id)), json!({ "version": 1 })).await.problem(409, "version_conflict");
    }

    async fn a_draft_may_have_problems_but_may_neither_be_active_nor_run(app: &TestApp) {
        let ada = app.person("ada").await;
        let made = ada.post("/api/v1/workflows", json!({ "name": "w", "definition": broken() })).await;
        let id = made.id();
        let problem = &made.expect(201)["problems"][0];
        assert_eq!((problem["code"].clone(), problem["node"].clone()), (json!("unknown_node_type"), json!("Mystery")));

        for action in ["activate", "execute"] {
            let problem = ada.post(&format!("{}/{action}", path(id)), json!({})).await.problem(422, "invalid_workflow");
            let error = &problem["errors"][0];
            assert_eq!((error["node"].clone(), error["code"].clone()), (json!("Mystery"), json!("unknown_node_type")));
            assert!(error["field"].is_string(), "{problem}");
        }
        let active = json!({ "name": "w", "definition": broken(), "active": true });
        ada.post("/api/v1/workflows", active).await.problem(422, "invalid_workflow");

        let id = ada.workflow("sound", echo()).await;
        ada.post(&format!("{}/activate", path(id)), json!({})).await.expect(200);
        ada.put(&path(id), json!({ "definition": broken() })).await.problem(422, "invalid_workflow");
        assert_eq!(ada.get(&path(id)).await.expect(200)["version"], 1);
    }

    async fn a_workflow_is_activated_paused_and_archived(app: &TestApp) {
        let ada = app.person("ada").await;
        let id = ada.workflow("w", echo()).await;
        ada.post(&format!("{}/pause", path(id)), json!({})).await.problem(409, "state_conflict");
        for (action, status) in
            [("activate", "active"), ("activate", "active"), ("pause", "paused"), ("archive", "archived"), ("activate", "active")]
        {
            let workflow = ada.post(&format!("{}/{action}", path(id)), json!({})).await.expect(200);
            assert_eq!(workflow["status"], status);
            assert_eq!(workflow["version"], 1, "a status is no version");
        }
        ada.post(&format!("{}/archive", path(id)), json!({})).await.expect(200);
        ada.post(&format!("{}/execute", path(id)), json!({})).await.problem(409, "state_conflict");
    }

    async fn what_is_no_definition_is_refused_with_its_place(app: &TestApp) {
        let ada = app.person("ada").await;
        for (definition, field) in [
            (json!({ "nodes": [{ "id": 5 }] }), "nodes[0].id"),
            (json!({ "nodes": {} }), "nodes"),
            (json!("text"), ""),
            (json!({ "steps": 5 }), "steps"),
        ] {
            let body = json!({ "name": "w", "definition": definition });
            let problem = ada.post("/api/v1/workflows", body).await.problem(422, "invalid_workflow");
            let found = problem["errors"][0]["field"].as_str().unwrap_or_default();
            assert!(found.starts_with(field), "{problem}");
            let checked = ada.post("/api/v1/workflows/validate", json!({ "definition": definition })).await.expect(200);
            assert_eq!((checked["is_runnable"].clone(), checked["problems"][0]["code"].clone()), (json!(false), json!("shape")));
        }
        ada.post("/api/v1/workflows", json!({ "name": "w" })).await.problem(400, "invalid_request");
        let nul = json!({ "name": "w", "definition": { "nodes": [{ "id": "a\0", "data": { "nodeType": "manual" } }] } });
        let answer = ada.post("/api/v1/workflows", nul).await;
        assert!((400..500).contains(&answer.status), "{}", answer.text);
        let empty = json!({ "name": " ", "definition": echo() });
        assert_eq!(ada.post("/api/v1/workflows", empty).await.problem(400, "invalid_request")["errors"][0]["field"], "name");
    }

    async fn a_list_of_steps_becomes_a_chain(app: &TestApp) {
        let ada = app.person("ada").await;
        let steps = json!({ "steps": [{ "type": "manual", "name": "A" }, { "type": "no_op", "name": "B" }] });
        let made = ada.post("/api/v1/workflows", json!({ "name": "w", "definition": steps })).await.expect(201);
        assert_eq!(made["definition"]["nodes"].as_array().unwrap().len(), 2, "{made}");
        assert_eq!(made["definition"]["edges"].as_array().unwrap().len(), 1);
    }

    async fn a_list_is_read_in_pages_and_filtered(app: &TestApp) {
        let ada = app.person("ada").await;
        for number in 0..5 {
            let new = json!({ "name": format!("Flow {number}"), "definition": echo(), "tags": [format!("t{}", number % 2)] });
            ada.post("/api/v1/workflows", new).await.expect(201);
        }
        let mut names = Vec::new();
        let mut after = String::new();
        loop {
            let page = ada.get(&format!("/api/v1/workflows?limit=2{after}")).await.expect(200);
            names.extend(page["items"].as_array().unwrap().iter().map(|row| row["name"].as_str().unwrap().to_owned()));
            assert!(page["items"][0].get("definition").is_none(), "a list has no definitions");
            match page["next"].as_str() {
                Some(next) => after = format!("&after={next}"),
                None => break,
            }
        }
        assert_eq!(names, ["Flow 4", "Flow 3", "Flow 2", "Flow 1", "Flow 0"]);

        let count = async |query: &str| {
            let page = ada.get(&format!("/api/v1/workflows?{query}")).await.expect(200);
            page["items"].as_array().unwrap().len()
        };
        assert_eq!(count("tag=t1").await, 2);
        assert_eq!(count("q=flow%203").await, 1);
        assert_eq!(count("node_type=no_op").await, 5);
        assert_eq!(count("node_type=http_request").await, 0);
        assert_eq!(count("status=active").await, 0);
        assert_eq!(count("q=%25").await, 0);
        for (query, field) in [("limit=0", "limit"), ("limit=201", "limit"), ("limit=x", "limit"), ("after=zzz", "after"), ("status=odd", "status"), ("colour=red", "colour")] {
            let problem = ada.get(&format!("/api/v1/workflows?{query}")).await.problem(400, "invalid_request");
            assert_eq!(problem["errors"][0]["field"], field, "{query}: {problem}");
        }
    }

    async fn every_change_is_in_the_audit_log(app: &TestApp) {
        let ada = app.person("ada").await;
        let id = ada.workflow("w", echo()).await;
        ada.put(&path(id), json!({ "name": "v" })).await.expect(200);
        ada.post(&format!("{}/activate", path(id)), json!({})).await.expect(200);
        ada.delete(&path(id)).await;
        let page = store::page::PageRequest::default();
        let rows = store::audit::list(app.db.reader(), ada.organization, &Default::default(), page).await.unwrap();
        let actions: Vec<_> = rows.items.iter().rev().map(|row| row.action.as_str()).collect();
        assert_eq!(actions, ["user.sign_up", "workflow.create", "workflow.update", "workflow.status", "workflow.delete"]);
        let update = rows.items.iter().find(|row| row.action == "workflow.update").unwrap();
        assert_eq!(update.old_values.as_ref().unwrap()["name"], "w");
        assert_eq!(update.new_values.as_ref().unwrap()["name"], "v");
        assert_eq!(update.user_id, Some(ada.user));
        assert_eq!(update.ip_address.as_deref(), Some("127.0.0.1"));
    }
}
