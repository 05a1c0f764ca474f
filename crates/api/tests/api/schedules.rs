//! Schedules: made, previewed, changed.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::on_both;
use crate::support::echo;
use crate::webhook_settings::audit_actions;
use crate::webhooks::activate;

on_both! {
    async fn a_schedule_is_made_read_changed_and_deleted(app: &TestApp) {
        let ada = app.person("ada").await;
        let workflow = activate(&ada, echo()).await;
        let new = json!({
            "workflow_id": workflow, "name": "mornings", "cron_expression": "0 9 * * *", "timezone": "Europe/Berlin",
            "starts_at": "2040-01-01T00:00:00Z", "overlap_policy": "skip", "input_data": { "a": 1 },
        });
        let made = ada.post("/api/v1/schedules", new).await;
        let path = format!("/api/v1/schedules/{}", made.id());
        let made = made.expect(201);
        assert_eq!(made["next_run_at"], "2040-01-01T08:00:00Z");
        assert_eq!((made["overlap_policy"].clone(), made["missed_run_policy"].clone()), (json!("skip"), json!("run_once")));

        let change = json!({ "timezone": "UTC", "jitter_ms": 5, "input_data": null });
        let changed = ada.put(&path, change).await.expect(200);
        assert_eq!((changed["next_run_at"].clone(), changed["jitter_ms"].clone()), (json!("2040-01-01T09:00:00Z"), json!(5)));
        assert_eq!((changed["input_data"].clone(), changed["starts_at"].clone()), (Value::Null, json!("2040-01-01T00:00:00Z")));
        ada.put(&path, json!({ "input_data": "text" })).await.problem(400, "invalid_request");
        let off = ada.put(&path, json!({ "is_active": false })).await.expect(200);
        assert_eq!(off["next_run_at"], Value::Null);
        let next = ada.get(&format!("{path}/next?count=2")).await.expect(200);
        assert_eq!(next["next"], json!(["2040-01-01T09:00:00Z", "2040-01-02T09:00:00Z"]));
        assert_eq!(ada.get("/api/v1/schedules?is_active=false").await.expect(200)["items"][0]["name"], "mornings");
        assert_eq!(ada.get("/api/v1/schedules?is_active=true").await.expect(200)["items"], json!([]));

        assert_eq!(ada.delete(&path).await.status, 204);
        ada.get(&path).await.problem(404, "not_found");
        let actions = audit_actions(app, &ada).await;
        for action in ["schedule.create", "schedule.update", "schedule.delete"] {
            assert!(actions.iter().any(|found| found == action), "{action} is not in {actions:?}");
        }
    }

    async fn a_preview_tells_the_occurrences_across_a_change_of_the_clock(app: &TestApp) {
        let ada = app.person("ada").await;
        let ask = json!({
            "cron_expression": "30 2 * * *", "timezone": "Europe/Berlin", "after": "2026-03-27T12:00:00Z", "count": 3,
        });
        let preview = ada.post("/api/v1/schedules/preview", ask).await.expect(200);
        assert_eq!(preview["next"], json!(["2026-03-28T01:30:00Z", "2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"]));
        assert!(preview["description"].as_str().unwrap().contains("02:30"), "{preview}");
        let never = json!({ "cron_expression": "0 0 30 2 *" });
        let answer = ada.post("/api/v1/schedules/preview", never).await;
        assert!(answer.status == 400 || answer.body["next"] == json!([]), "{}", answer.text);
    }

    async fn what_cannot_be_a_schedule_is_refused_with_the_field(app: &TestApp) {
        let ada = app.person("ada").await;
        let workflow = activate(&ada, echo()).await;
        for (change, field) in [
            (json!({ "cron_expression": "61 * * * *" }), "cron_expression"),
            (json!({ "timezone": "Mars/Olympus" }), "timezone"),
            (json!({ "overlap_policy": "perhaps" }), "overlap_policy"),
            (json!({ "name": " " }), "name"),
            (json!({ "name": "a\u{0}b" }), "name"),
            (json!({ "max_catch_up": 0 }), "max_catch_up"),
            (json!({ "jitter_ms": 100_000_000 }), "jitter_ms"),
            (json!({ "starts_at": "2030-01-02T00:00:00Z", "ends_at": "2030-01-01T00:00:00Z" }), "ends_at"),
            (json!({ "starts_at": "soon" }), "starts_at"),
            (json!({ "input_data": 5 }), "input_data"),
            (json!({ "input_data": [{ "a": 1 }, "b"] }), "input_data"),
        ] {
            let mut new = json!({ "workflow_id": workflow, "name": "n", "cron_expression": "@daily" });
            for (name, value) in change.as_object().unwrap() {
                new[name] = value.clone();
            }
            let problem = ada.post("/api/v1/schedules", new).await.problem(400, "invalid_request");
            assert_eq!(problem["errors"][0]["field"], field, "{problem}");
        }
        let ask = json!({ "cron_expression": "* * * * *", "count": 1_000 });
        ada.post("/api/v1/schedules/preview", ask).await.problem(400, "invalid_request");
    }

    async fn the_ends_of_the_calendar_do_no_harm(app: &TestApp) {
        let ada = app.person("ada").await;
        let workflow = activate(&ada, echo()).await;
        for moment in [
            "0000-01-01T00:00:00Z",
            "9999-12-31T23:59:59Z",
            "+10000-01-01T00:00:00Z",
            "-4800-01-01T00:00:00Z",
            "-262143-01-01T00:00:00Z",
            "+262142-12-31T23:59:59.999999999Z",
        ] {
            for zone in ["UTC", "Pacific/Auckland", "America/Los_Angeles"] {
                let ask = json!({ "cron_expression": "30 2 1 1 *", "timezone": zone, "after": moment, "count": 3 });
                let answer = ada.post("/api/v1/schedules/preview", ask).await;
                assert!(matches!(answer.status, 200 | 400), "{moment} {zone}: {}", answer.text);
            }
            for bound in ["starts_at", "ends_at"] {
                let mut new = json!({ "workflow_id": workflow, "name": "n", "cron_expression": "@daily" });
                new[bound] = json!(moment);
                let answer = ada.post("/api/v1/schedules", new).await;
                assert!(matches!(answer.status, 201 | 400), "{bound} {moment}: {}", answer.text);
            }
        }
        for moment in ["-4800-01-01T00:00:00Z", "%2B262142-12-31T23:59:59Z"] {
            let answer = ada.get(&format!("/api/v1/executions?since={moment}&until={moment}")).await;
            answer.problem(400, "invalid_request");
        }
        for micros in [i64::MIN, i64::MAX, -300_000_000_000_000_000, 253_402_300_800_000_000] {
            let mut bytes = [0; 24];
            bytes[..8].copy_from_slice(&micros.to_be_bytes());
            let cursor = URL_SAFE_NO_PAD.encode(bytes);
            for list in ["schedules", "webhooks", "integrations", "files", "workflows", "executions"] {
                let answer = ada.get(&format!("/api/v1/{list}?after={cursor}")).await;
                assert!(matches!(answer.status, 200 | 400), "{list} {micros}: {}", answer.text);
            }
        }
    }

    async fn a_schedule_of_a_node_is_changed_with_its_workflow(app: &TestApp) {
        let ada = app.person("ada").await;
        let definition = json!({
            "nodes": [
                { "id": "clock", "data": { "label": "Clock", "nodeType": "schedule", "fields": { "cron": "@hourly" } } },
                { "id": "end", "data": { "label": "End", "nodeType": "no_op", "fields": {} } },
            ],
            "edges": [{ "source": "clock", "target": "end" }],
        });
        let workflow = activate(&ada, definition).await;
        let list = ada.get(&format!("/api/v1/schedules?workflow_id={workflow}")).await.expect(200);
        let schedule = &list["items"][0];
        assert_eq!(schedule["node_id"], "clock");
        assert!(schedule["next_run_at"].is_string(), "{schedule}");
        let path = format!("/api/v1/schedules/{}", schedule["id"].as_str().unwrap());
        ada.put(&path, json!({ "name": "x" })).await.problem(400, "invalid_request");
        ada.delete(&path).await.problem(400, "invalid_request");
    }

    async fn a_schedule_of_another_organization_is_not_there(app: &TestApp) {
        let (ada, eve) = (app.person("ada").await, app.person("eve").await);
        let workflow = activate(&ada, echo()).await;
        let new = json!({ "workflow_id": workflow, "name": "n", "cron_expression": "@daily" });
        let path = format!("/api/v1/schedules/{}", ada.post("/api/v1/schedules", new.clone()).await.id());
        eve.get(&path).await.problem(404, "not_found");
        eve.get(&format!("{path}/next")).await.problem(404, "not_found");
        eve.put(&path, json!({ "name": "x" })).await.problem(404, "not_found");
        eve.delete(&path).await.problem(404, "not_found");
        eve.post("/api/v1/schedules", new).await.problem(404, "not_found");
        assert_eq!(eve.get("/api/v1/schedules").await.expect(200)["items"], json!([]));
    }
}
