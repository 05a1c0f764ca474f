//! The command line of `tidemill`, without a server.

use end_to_end::workflow::{chain, condition, edit, graph, manual, node};
use end_to_end::{Finished, Installation, PASSWORD, PATIENCE, run, take_turn};
use serde_json::{Value, json};

async fn tidemill(installation: &Installation, arguments: &[&str], input: &str) -> Finished {
    run(installation.command("tidemill", arguments), input, PATIENCE).await
}

fn write(installation: &Installation, name: &str, definition: &Value) {
    let _ = installation.write(name, &definition.to_string());
}

fn lines(values: &[Value]) -> String {
    values.iter().map(|value| format!("{value}\n")).collect()
}

#[tokio::test]
async fn a_workflow_file_is_checked_and_run_without_a_server() {
    let _turn = take_turn().await;
    let installation = Installation::sqlite();
    let code =
        json!({ "jsCode": "return $input.all().map(item => ({ json: { double: item.json.n * 2 } }));" });
    let large = json!({ "conditions": condition("={{ $json.double }}", "number", "gt", json!(10)) });
    let definition = graph(
        vec![
            manual(),
            node("Double", "code", code),
            node("Large?", "if", large),
            edit("Large", &[("size", "large")]),
        ],
        &[("Start", "", "Double", ""), ("Double", "", "Large?", ""), ("Large?", "true", "Large", "")],
    );
    write(&installation, "double.json", &definition);
    assert!(tidemill(&installation, &["validate", "double.json"], "").await.expect(0).contains("valid"));

    let input = r#"[{"n": 1}, {"json": {"n": 21}}]"#;
    let arguments = ["run", "double.json", "--input", input, "--trace", "trace.json", "--progress"];
    let finished = tidemill(&installation, &arguments, "").await;
    assert!(finished.err.contains("completed Double"), "{}", finished.err);
    let result = finished.json();
    assert_eq!((&result["status"], &result["error"]), (&json!("completed"), &Value::Null));
    assert_eq!(result["items"][0]["json"], json!({ "double": 42, "size": "large" }));
    finished.expect(0);
    let trace = std::fs::read_to_string(installation.folder().join("trace.json")).unwrap();
    let trace: Value = serde_json::from_str(&trace).unwrap();
    assert_eq!(trace["order"], json!(["Start", "Double", "Large?", "Large"]));
    assert_eq!(trace["nodes"]["Double"][0]["outputs"][0][0]["json"]["double"], 2);
    assert_eq!(trace["nodes"]["Large?"][0]["outputs"][1][0]["json"]["double"], 2);
    // The same, from standard input.
    tidemill(&installation, &["run", "-", "--input", "{\"n\": 1}"], &definition.to_string()).await.expect(0);
}

#[tokio::test]
async fn the_exit_code_tells_how_a_run_ended() {
    let _turn = take_turn().await;
    let installation = Installation::sqlite();
    let stop = node("Stop", "stop_and_error", json!({ "message": "no stock" }));
    write(&installation, "stop.json", &chain(vec![manual(), stop]));
    let failed = tidemill(&installation, &["run", "stop.json"], "").await;
    assert_eq!((&failed.json()["status"], failed.code), (&json!("failed"), Some(1)));
    assert!(failed.json()["error"].as_str().unwrap().contains("no stock"), "{}", failed.out);

    write(&installation, "bad.json", &chain(vec![manual(), node("What", "no_such_node", json!({}))]));
    let bad = tidemill(&installation, &["run", "bad.json"], "").await;
    assert!(bad.err.contains("What") && bad.err.contains("no_such_node"), "{}", bad.err);
    bad.expect(2);
    let invalid = tidemill(&installation, &["validate", "bad.json", "--json"], "").await;
    assert_eq!(invalid.json()["valid"], false);
    assert!(invalid.out.contains("What"), "{}", invalid.out);
    invalid.expect(1);
    tidemill(&installation, &["run", "none.json"], "").await.is_refusal(&["cannot read none.json"]);
    tidemill(&installation, &["run", "stop.json", "--input", "{"], "").await.is_refusal(&["--input"]);
}

#[tokio::test]
async fn cron_expressions_are_answered_one_by_one_and_in_batches() {
    let _turn = take_turn().await;
    let installation = Installation::sqlite();
    let arguments =
        ["cron", "next", "30 2 * * *", "--tz", "Europe/Berlin", "--after", "2026-01-01T00:00:00Z", "-n", "2"];
    let out = tidemill(&installation, &arguments, "").await.expect(0);
    assert_eq!(out.lines().collect::<Vec<_>>(), ["2026-01-01T01:30:00Z", "2026-01-02T01:30:00Z"]);
    tidemill(&installation, &["cron", "next", "61 * * * *"], "").await.is_refusal(&["61"]);

    let batch = lines(&[
        json!({ "expression": "0 0 * * 7", "timezone": "UTC", "after": "2026-03-01T00:00:00Z", "count": 1 }),
        json!({ "expression": "0 0 * * 1", "timezone": "Moon/Base", "after": "2026-03-01T00:00:00Z", "count": 1 }),
        json!({ "expression": "*/15 * * * * *", "timezone": "UTC", "after": "2026-03-01T00:00:00Z", "count": 2 }),
    ]);
    let answers = tidemill(&installation, &["cron", "next", "--batch", "-"], &(batch + "not json\n")).await;
    let answers = answers.json_lines();
    assert_eq!(answers[0], json!({ "next": ["2026-03-08T00:00:00Z"] }));
    assert!(answers[1]["error"].as_str().unwrap().contains("Moon/Base"), "{}", answers[1]);
    assert_eq!(answers[2], json!({ "next": ["2026-03-01T00:00:15Z", "2026-03-01T00:00:30Z"] }));
    assert!(answers[3]["error"].is_string() && answers.len() == 4, "{answers:?}");
}

#[tokio::test]
async fn expressions_are_evaluated_one_by_one_and_in_batches() {
    let _turn = take_turn().await;
    let installation = Installation::sqlite();
    let _ = installation.write("items.json", r#"[{"n": 1}, {"n": 41}]"#);
    let arguments = ["eval", "={{ $json.n + 1 }}", "--items", "items.json", "--item", "1"];
    assert_eq!(tidemill(&installation, &arguments, "").await.expect(0).trim(), "42");

    let batch = installation.write(
        "batch.jsonl",
        &lines(&[
            json!({ "expression": "={{ $json.name }}", "items": [{ "json": { "name": "Ada" } }] }),
            json!({ "expression": "Hello {{ $json.name.toUpperCase() }}!", "items": [{ "name": "Ada" }] }),
            json!({ "expression": "={{ while (true) {} }}", "items": [] }),
            json!({ "expression": "={{ nobody.knows }}", "items": [{}] }),
            json!({ "expression": "={{ $input.all().length }}", "items": [{}, {}, {}] }),
        ]),
    );
    let answers = tidemill(&installation, &["eval", "--batch", &batch.display().to_string()], "").await;
    let answers = answers.json_lines();
    assert_eq!(answers[0], json!({ "result": "Ada" }));
    assert_eq!(answers[1], json!({ "result": "Hello ADA!" }));
    assert!(answers[2]["error"].is_string() && answers[3]["error"].is_string(), "{answers:?}");
    assert_eq!(answers[4], json!({ "result": 3 }));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn users_and_workflows_are_brought_in_and_out() {
    let _turn = take_turn().await;
    let installation = Installation::sqlite();
    installation.make_key();
    let first = tidemill(&installation, &["migrate"], "").await.expect(0);
    assert!(first.contains("applied"), "{first}");
    let again = tidemill(&installation, &["migrate"], "").await.expect(0);
    assert_eq!(again.trim(), "the schema is up to date");

    let create = ["admin", "create-user", "ada@example.org", "--password-file", "-", "--admin"];
    let made = tidemill(&installation, &create, &format!("{PASSWORD}\n")).await.expect(0);
    assert!(made.contains("ada@example.org") && !made.contains(PASSWORD), "{made}");
    tidemill(&installation, &create, PASSWORD).await.is_refusal(&["ada@example.org already"]);

    let definition = chain(vec![manual(), edit("End", &[("done", "yes")])]);
    let file = json!({ "name": "Näh & Co", "tags": ["a"], "activate": true, "definition": definition });
    write(&installation, "in.json", &file);
    let ada = ["--user", "ada@example.org"];
    let stored = tidemill(&installation, &[&["import", "in.json"], &ada[..]].concat(), "").await.expect(0);
    assert!(stored.contains("Näh & Co (active)"), "{stored}");
    let id = stored.split_once(' ').unwrap().0;
    let out = tidemill(&installation, &[&["export", id], &ada[..]].concat(), "").await;
    assert_eq!(out.json(), file);
    let out =
        tidemill(&installation, &[&["export", "--output", "out"], &ada[..]].concat(), "").await.expect(0);
    let text = std::fs::read_to_string(installation.folder().join(out.trim())).unwrap();
    assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), file);

    let mut service = installation.serve().await;
    let ada = installation.nobody().log_in("ada@example.org", PASSWORD).await;
    let execution = ada.post(&format!("/api/v1/workflows/{id}/execute?wait=30"), json!({})).await.expect(200);
    assert_eq!(execution["output"][0]["json"]["done"], "yes", "{execution}");
    assert_eq!(service.stop(PATIENCE).await, Some(0), "{}", service.log());
}

#[tokio::test]
async fn versions_and_completions_are_told() {
    let _turn = take_turn().await;
    let installation = Installation::sqlite();
    let version = env!("CARGO_PKG_VERSION");
    for program in ["tidemill", "api", "scheduler", "worker", "migration"] {
        let out = run(installation.command(program, &["--version"]), "", PATIENCE).await.expect(0);
        assert_eq!(out.trim(), format!("{program} {version}"));
    }
    for shell in ["bash", "zsh", "fish"] {
        let script = tidemill(&installation, &["completions", shell], "").await.expect(0);
        assert!(script.contains("create-user"), "{shell}");
    }
    assert_eq!(tidemill(&installation, &["fly"], "").await.code, Some(2));
}
