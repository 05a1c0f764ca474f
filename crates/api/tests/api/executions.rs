//! Executions: started by hand, watched, cancelled, run again. A worker runs in the same process.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::on_both;
use crate::support::{Client, echo};

/// A workflow that fails at its third node.
fn failing() -> Value {
    json!({
        "nodes": [
            { "id": "start", "position": { "x": 0, "y": 0 }, "data": { "label": "Start", "nodeType": "manual", "fields": {} } },
            { "id": "mark", "position": { "x": 1, "y": 0 }, "data": { "label": "Mark", "nodeType": "edit_fields", "fields": {
                "assignments": [{ "name": "mark", "type": "string", "value": "seen" }], "includeOtherFields": "all" } } },
            { "id": "stop", "position": { "x": 2, "y": 0 }, "data": { "label": "Stop", "nodeType": "stop_and_error", "fields": {
                "message": "out of paper" } } },
        ],
        "edges": [{ "source": "start", "target": "mark" }, { "source": "mark", "target": "stop" }],
    })
}

/// A workflow that waits for a request.
fn waiting() -> Value {
    json!({
        "nodes": [
            { "id": "start", "data": { "label": "Start", "nodeType": "manual", "fields": {} } },
            { "id": "wait", "data": { "label": "Wait", "nodeType": "wait", "fields": { "resume": "request" } } },
        ],
        "edges": [{ "source": "start", "target": "wait" }],
    })
}

async fn run(client: &Client, workflow: Uuid, body: Value) -> Value {
    client.post(&format!("/api/v1/workflows/{workflow}/execute?wait=20"), body).await.expect(200)
}

fn path(execution: &Value) -> String {
    format!("/api/v1/executions/{}", execution["id"].as_str().unwrap())
}

/// Reads an execution until it has this status.
async fn until(client: &Client, path: &str, status: &str) -> Value {
    let mut read = Value::Null;
    for _ in 0..200 {
        read = client.get(path).await.expect(200);
        if read["status"] == status {
            return read;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("it did not become {status}: {read}");
}

on_both! {
    async fn a_workflow_runs_and_its_result_is_the_answer(app: &TestApp) {
        let ada = app.person("ada").await;
        let worker = app.work();
        let id = ada.workflow("w", echo()).await;
        let ended = run(&ada, id, json!({ "input": [{ "json": { "n": 1 } }, { "n": 2 }] })).await;
        assert_eq!(ended["status"], "completed", "{ended}");
        let numbers: Vec<_> = ended["output"].as_array().unwrap().iter().map(|item| item["json"]["n"].clone()).collect();
        assert_eq!(numbers, [1, 2]);
        assert_eq!((ended["workflow_name"].clone(), ended["workflow_version"].clone()), (json!("w"), json!(1)));
        assert_eq!((ended["trigger_type"].clone(), ended["steps"]["completed"].clone()), (json!("manual"), json!(2)));
        assert_eq!(ended["user_id"], ada.user.to_string());

        let empty = run(&ada, id, json!({})).await;
        assert_eq!(empty["output"].as_array().unwrap().len(), 1, "one empty item: {empty}");
        let none = ada.send(reqwest::Method::POST, &format!("/api/v1/workflows/{id}/execute?wait=true"), None).await;
        none.expect(200);
        worker.stop().await;
    }

    async fn without_a_worker_the_execution_is_stored_and_answered_at_once(app: &TestApp) {
        let ada = app.person("ada").await;
        let id = ada.workflow("w", echo()).await;
        let answer = ada.post(&format!("/api/v1/workflows/{id}/execute"), json!({})).await;
        assert_eq!(answer.headers.get("location").unwrap().to_str().unwrap(), path(&answer.body));
        let started = answer.expect(202);
        assert_eq!(started["status"], "pending");
        let read = ada.get(&path(&started)).await.expect(200);
        assert_eq!((read["status"].clone(), read["output"].clone()), (json!("pending"), Value::Null));
        let late = ada.post(&format!("/api/v1/workflows/{id}/execute?wait=0.1"), json!({})).await.expect(202);
        assert_eq!(late["status"], "pending");
    }

    async fn an_execution_can_pin_an_earlier_version(app: &TestApp) {
        let ada = app.person("ada").await;
        let worker = app.work();
        let id = ada.workflow("w", echo()).await;
        ada.put(&format!("/api/v1/workflows/{id}"), json!({ "definition": failing() })).await.expect(200);
        assert_eq!(run(&ada, id, json!({ "version": 1 })).await["status"], "completed");
        assert_eq!(run(&ada, id, json!({})).await["status"], "failed");
        let unknown = ada.post(&format!("/api/v1/workflows/{id}/execute"), json!({ "version": 7 })).await;
        assert_eq!(unknown.problem(400, "invalid_request")["errors"][0]["field"], "version");
        worker.stop().await;
    }

    async fn steps_logs_and_trace_tell_what_happened(app: &TestApp) {
        let ada = app.person("ada").await;
        let worker = app.work();
        let id = ada.workflow("w", failing()).await;
        let ended = run(&ada, id, json!({ "input": { "a": 1 } })).await;
        assert_eq!(ended["status"], "failed");
        assert_eq!(ended["error"]["message"], "out of paper", "{ended}");
        assert_eq!(ended["error"]["node_id"], "stop");

        let steps = ada.get(&format!("{}/steps", path(&ended))).await.expect(200);
        let names: Vec<_> = steps["items"].as_array().unwrap().iter().map(|step| step["node_name"].clone()).collect();
        assert_eq!(names, ["Start", "Mark", "Stop"]);
        let (mut paged, mut after) = (Vec::new(), String::new());
        loop {
            let page = ada.get(&format!("{}/steps?limit=1{after}", path(&ended))).await.expect(200);
            paged.extend(page["items"].as_array().unwrap().clone());
            match page["next"].as_str() {
                Some(next) => after = format!("&after={next}"),
                None => break,
            }
        }
        assert_eq!(&paged, steps["items"].as_array().unwrap());

        let step = format!("{}/steps/{}", path(&ended), steps["items"][1]["id"].as_str().unwrap());
        let step = ada.get(&step).await.expect(200);
        assert_eq!(step["inputs"][0]["items"][0]["json"], json!({ "a": 1 }));
        assert_eq!(step["inputs"][0]["sources"][0]["node"], "start");
        assert_eq!(step["outputs"][0][0]["json"], json!({ "a": 1, "mark": "seen" }));

        let logs = ada.get(&format!("{}/logs", path(&ended))).await.expect(200);
        assert!(logs["items"].as_array().unwrap().len() >= 3, "{logs}");
        let errors = ada.get(&format!("{}/logs?level=error", path(&ended))).await.expect(200);
        assert!(errors["items"][0]["message"].as_str().unwrap().contains("out of paper"), "{errors}");
        assert!(errors["items"].as_array().unwrap().len() < logs["items"].as_array().unwrap().len());

        let trace = ada.get(&format!("{}/trace", path(&ended))).await.expect(200);
        assert_eq!(trace["order"], json!(["Start", "Mark"]));
        assert_eq!(trace["nodes"]["Mark"][0]["outputs"][0][0]["json"]["mark"], "seen");
        assert_eq!((trace["status"].clone(), trace["error"].clone()), (json!("failed"), json!("out of paper")));
        worker.stop().await;
    }

    async fn a_retry_goes_on_where_it_failed_with_the_version_that_is_asked_for(app: &TestApp) {
        let ada = app.person("ada").await;
        let worker = app.work();
        let id = ada.workflow("w", failing()).await;
        let failed = run(&ada, id, json!({ "input": { "a": 1 } })).await;
        let mut repaired = failing();
        repaired["nodes"][2]["data"] = json!({ "label": "Stop", "nodeType": "no_op", "fields": {} });
        ada.put(&format!("/api/v1/workflows/{id}"), json!({ "definition": repaired })).await.expect(200);

        let retry = async |body: Value| ada.post(&format!("{}/retry?wait=20", path(&failed)), body).await;
        let again = retry(json!({ "from": "failed", "version": "pinned" })).await.expect(200);
        assert_eq!((again["status"].clone(), again["workflow_version"].clone()), (json!("failed"), json!(1)));
        let went_on = retry(json!({ "from": "failed", "version": "current" })).await.expect(200);
        assert_eq!((went_on["status"].clone(), went_on["workflow_version"].clone()), (json!("completed"), json!(2)), "{went_on}");
        assert_eq!(went_on["origin_execution_id"], failed["id"]);
        assert_eq!(went_on["trigger_type"], "retry");
        assert_eq!(went_on["output"][0]["json"], json!({ "a": 1, "mark": "seen" }));

        // What ran before is taken over: its step has the times of the first run.
        let steps = async |execution: &Value| ada.get(&format!("{}/steps", path(execution))).await.expect(200)["items"].clone();
        let (old, new) = (steps(&failed).await, steps(&went_on).await);
        assert_eq!(old[1]["started_at"], new[1]["started_at"]);
        let from_mark = retry(json!({ "from": "Mark" })).await.expect(200);
        let newer = steps(&from_mark).await;
        assert_eq!(old[0]["started_at"], newer[0]["started_at"]);
        assert_ne!(old[1]["started_at"], newer[1]["started_at"]);
        assert_eq!(retry(json!({})).await.expect(200)["status"], "failed");

        retry(json!({ "from": "Nowhere" })).await.problem(400, "invalid_request");
        repaired["nodes"][1]["data"]["fields"]["assignments"][0]["value"] = json!("changed");
        ada.put(&format!("/api/v1/workflows/{id}"), json!({ "definition": repaired })).await.expect(200);
        let problem = retry(json!({ "from": "failed", "version": "current" })).await.problem(409, "state_conflict");
        assert!(problem["detail"].as_str().unwrap().contains("mark"), "{problem}");
        let fresh = retry(json!({ "from": "start", "version": "current" })).await.expect(200);
        assert_eq!(fresh["output"][0]["json"]["mark"], "changed");
        let path = path(&fresh);
        ada.post(&format!("{path}/retry"), json!({ "from": "failed" })).await.problem(409, "state_conflict");
        worker.stop().await;
    }

    async fn a_waiting_execution_and_a_pending_one_are_cancelled_at_once(app: &TestApp) {
        let ada = app.person("ada").await;
        let id = ada.workflow("w", waiting()).await;
        let started = ada.post(&format!("/api/v1/workflows/{id}/execute"), json!({})).await.expect(202);
        ada.post(&format!("{}/retry", path(&started)), json!({})).await.problem(409, "state_conflict");
        let cancelled = ada.post(&format!("{}/cancel", path(&started)), json!({})).await.expect(200);
        assert_eq!(cancelled["status"], "cancelled");
        ada.post(&format!("{}/cancel", path(&started)), json!({})).await.problem(409, "state_conflict");

        let worker = app.work();
        let started = ada.post(&format!("/api/v1/workflows/{id}/execute"), json!({})).await.expect(202);
        until(&ada, &path(&started), "waiting").await;
        let cancelled = ada.post(&format!("{}/cancel", path(&started)), json!({})).await.expect(200);
        assert_eq!(cancelled["status"], "cancelled");
        worker.stop().await;
    }

    async fn executions_are_listed_in_pages_and_filtered(app: &TestApp) {
        let ada = app.person("ada").await;
        let (one, two) = (ada.workflow("one", echo()).await, ada.workflow("two", echo()).await);
        let mut ids = Vec::new();
        for workflow in [one, two, one, two, one] {
            ids.push(ada.post(&format!("/api/v1/workflows/{workflow}/execute"), json!({ "input": { "big": "x" } })).await.id());
        }
        ada.post(&format!("/api/v1/executions/{}/cancel", ids[0]), json!({})).await.expect(200);
        let (mut found, mut after) = (Vec::new(), String::new());
        loop {
            let page = ada.get(&format!("/api/v1/executions?limit=2{after}")).await.expect(200);
            for row in page["items"].as_array().unwrap() {
                assert!(row.get("input").is_none() && row.get("output").is_none(), "a list has no items: {row}");
                found.push(row["id"].as_str().unwrap().parse::<Uuid>().unwrap());
            }
            match page["next"].as_str() {
                Some(next) => after = format!("&after={next}"),
                None => break,
            }
        }
        ids.reverse();
        assert_eq!(found, ids);
        let count = async |query: String| {
            ada.get(&format!("/api/v1/executions?{query}")).await.expect(200)["items"].as_array().unwrap().len()
        };
        assert_eq!(count(format!("workflow_id={one}")).await, 3);
        assert_eq!(count("status=cancelled".to_owned()).await, 1);
        assert_eq!(count("status=cancelled,pending".to_owned()).await, 5);
        assert_eq!(count("trigger_type=schedule".to_owned()).await, 0);
        assert_eq!(count("since=2999-01-01T00:00:00Z".to_owned()).await, 0);
        assert_eq!(count("until=2999-01-01T00:00:00Z".to_owned()).await, 5);
        for (query, field) in [("status=odd", "status"), ("workflow_id=7", "workflow_id"), ("trigger_type=x", "trigger_type"), ("since=now", "since")] {
            let problem = ada.get(&format!("/api/v1/executions?{query}")).await.problem(400, "invalid_request");
            assert_eq!(problem["errors"][0]["field"], field, "{problem}");
        }
    }

    async fn what_cannot_be_run_is_refused_by_field(app: &TestApp) {
        let ada = app.person("ada").await;
        let id = ada.workflow("w", echo()).await;
        for (body, field) in [
            (json!({ "input": [5] }), "input"),
            (json!({ "input": "text" }), "input"),
            (json!({ "trigger_node": "End" }), "trigger_node"),
            (json!({ "trigger_node": "Nowhere" }), "trigger_node"),
            (json!({ "version": "one" }), "version"),
            (json!({ "priority": 9 }), "priority"),
        ] {
            let problem = ada.post(&format!("/api/v1/workflows/{id}/execute"), body).await.problem(400, "invalid_request");
            assert_eq!(problem["errors"][0]["field"], field, "{problem}");
        }
        let wait = ada.post(&format!("/api/v1/workflows/{id}/execute?wait=soon"), json!({})).await;
        assert_eq!(wait.problem(400, "invalid_request")["errors"][0]["field"], "wait");
    }
}
