//! What `make run` promises: `tidemill serve --examples` in an empty folder.

use std::os::unix::fs::PermissionsExt as _;

use chrono::{DateTime, TimeDelta, Utc};
use end_to_end::{Installation, PATIENCE, take_turn, wait_for};
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[expect(clippy::disallowed_methods, reason = "the service reads the clock of this machine, too")]
async fn an_empty_folder_becomes_an_example_workspace_with_a_schedule_for_every_minute() {
    let _turn = take_turn().await;
    let installation = Installation::sqlite();
    let mut service = installation.start("tidemill", &["serve", "--examples"]);
    service.ready().await;
    let line = format!("ready at http://{}", installation.api_address());
    wait_for("the line that says so", PATIENCE, async || service.log().contains(&line).then_some(())).await;

    let file = installation.folder().join("example-account.txt");
    for secret in [&file, &installation.folder().join("vault.key")] {
        let mode = std::fs::metadata(secret).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{}", secret.display());
    }
    let account = std::fs::read_to_string(file).unwrap();
    let (email, password) = account.trim().split_once('\n').unwrap();
    let demo = installation.nobody().log_in(email, password).await;

    let workflows = demo.list("/api/v1/workflows?limit=50").await;
    assert!(workflows.len() >= 4, "{workflows:?}");
    assert!(workflows.iter().all(|workflow| workflow["status"] == "active"), "{workflows:?}");
    let schedules = demo.list("/api/v1/schedules?is_active=true").await;
    let minutely: Vec<&Value> =
        schedules.iter().filter(|one| one["cron_expression"] == "* * * * *").collect();
    let next: DateTime<Utc> = minutely[0]["next_run_at"].as_str().unwrap().parse().unwrap();
    let now = Utc::now();
    assert!(next > now - TimeDelta::seconds(5) && next <= now + TimeDelta::seconds(60), "{next}");

    let watch = workflows.iter().find(|workflow| workflow["name"] == "Deadline watch").unwrap();
    let path = format!("/api/v1/workflows/{}/execute?wait=30", watch["id"].as_str().unwrap());
    let execution = demo.post(&path, json!({})).await.expect(200);
    assert_eq!(execution["status"], "completed", "{execution}");
    assert_eq!(execution["output"][0]["json"]["summary"], "1 overdue, 1 soon");

    let line = json!({ "quantity": 2, "price": 600 });
    let order = json!({ "customer": "Ada", "lines": [line] });
    let answer = installation.nobody().post("/webhooks/example/orders", order).await.expect(201);
    assert_eq!(answer, json!({ "accepted": true, "customer": "Ada", "total": 1080 }));
    let refused =
        installation.nobody().post("/webhooks/example/orders", json!({ "lines": [] })).await.expect(422);
    assert_eq!(refused["problems"], json!(["customer is missing", "there are no lines"]));
    assert_eq!(service.stop(PATIENCE).await, Some(0), "{}", service.log());
}
