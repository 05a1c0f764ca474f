//! The service around the routes: probes, headers, start-up failures, shutdown.

use std::process::Output;

use serde_json::json;
use tokio::process::Command;

use crate::on_both;
use crate::support::{Place, TestApp, echo};

on_both! {
    async fn the_probes_answer_without_credentials(app: &TestApp) {
        let nobody = app.nobody();
        assert_eq!(nobody.get("/healthz").await.expect(200)["service"], "api");
        assert_eq!(nobody.get("/readyz").await.expect(200)["status"], "ready");
        assert_eq!(nobody.get("/metrics").await.status, 200);
    }

    async fn every_answer_has_the_headers_that_protect_it(app: &TestApp) {
        for path in ["/healthz", "/api/v1/auth/me", "/nothing", "/docs/"] {
            let answer = app.nobody().get(path).await;
            for (name, value) in [("x-content-type-options", "nosniff"), ("referrer-policy", "no-referrer"), ("x-frame-options", "DENY")] {
                assert_eq!(answer.headers.get(name).unwrap(), value, "{path}");
            }
            assert!(answer.headers.get("server").is_none(), "{path}");
            assert!(answer.headers.get("x-request-id").is_some(), "{path}");
            let policy = answer.headers.get("content-security-policy").unwrap().to_str().unwrap();
            assert!(policy.contains("frame-ancestors 'none'"), "{path}: {policy}");
        }
        let answer = app.nobody().get("/api/v1/auth/me").await;
        assert_eq!(answer.headers.get("cache-control").unwrap(), "no-store");
    }

    async fn whoever_waits_for_a_result_is_answered_when_the_service_stops(app: &TestApp) {
        let ada = app.person("ada").await;
        let id = ada.workflow("w", echo()).await;
        let waiting = ada.clone();
        let waiting = tokio::spawn(async move {
            waiting.post(&format!("/api/v1/workflows/{id}/execute?wait=true"), json!({})).await
        });
        // It waits once its execution is stored.
        loop {
            let page = ada.get("/api/v1/executions").await.expect(200);
            if !page["items"].as_array().unwrap().is_empty() {
                break;
            }
            tokio::task::yield_now().await;
        }
        app.tell_to_stop();
        assert_eq!(waiting.await.unwrap().expect(202)["status"], "pending");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn the_connections_of_the_database_outlive_the_web_server() {
    let Some(place) = Place::postgres().await else { return };
    let app = TestApp::spawn(place).await;
    let ada = app.person("ada").await;
    // Requests at once open as many connections as there may be.
    let requests: Vec<_> = (0..20)
        .map(|_| {
            let ada = ada.clone();
            tokio::spawn(async move { ada.get("/api/v1/auth/me").await.status })
        })
        .collect();
    for request in requests {
        assert_eq!(request.await.unwrap(), 200);
    }
    let (db, _place) = app.stop_serving().await;
    let queries: Vec<_> = (0..20)
        .map(|_| {
            let (db, user) = (db.clone(), ada.user);
            tokio::spawn(async move { store::users::find(db.reader(), user).await.unwrap().is_some() })
        })
        .collect();
    for query in queries {
        assert!(query.await.unwrap());
    }
    db.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn uses_of_a_key_are_written_down_at_the_latest_when_the_service_stops() {
    let app = TestApp::spawn(Place::sqlite()).await;
    let ada = app.person("ada").await;
    let made =
        ada.post("/api/v1/api-keys", json!({ "name": "k", "permissions": ["read"] })).await.expect(201);
    let program = app.nobody().with_token(made["key"].as_str().unwrap());
    for _ in 0..3 {
        program.get("/api/v1/workflows").await.expect(200);
    }
    let (db, _place) = app.stop_serving().await;
    let id = made["id"].as_str().unwrap().parse().unwrap();
    let key = store::api_keys::find(db.reader(), ada.organization, id).await.unwrap().unwrap();
    assert_eq!(key.usage_count, 3);
    assert!(key.last_used_at.is_some());
    db.close().await.unwrap();
}

/// Runs the binary until it fails.
async fn run(arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_api"))
        .args(arguments)
        .envs(variables.iter().copied())
        .output()
        .await
        .unwrap()
}

#[track_caller]
fn is_one_line(output: &Output, expected: &[&str]) {
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert_eq!(text.trim_end().lines().count(), 1, "{text}");
    assert!(text.starts_with("api: "), "{text}");
    for part in expected {
        assert!(text.contains(part), "{text}");
    }
}

/// A migrated SQLite file, a key file beside it, and the variables that name the two.
struct Setting {
    directory: tempfile::TempDir,
}

impl Setting {
    async fn new(is_migrated: bool) -> Self {
        let directory = tempfile::tempdir().unwrap();
        store::vault::Keyring::load_or_create(&directory.path().join("vault.key")).unwrap();
        let setting = Self { directory };
        if is_migrated {
            let db = sea_orm::Database::connect(setting.url("rwc")).await.unwrap();
            migration::up_locked(&db).await.unwrap();
            db.close().await.unwrap();
        }
        setting
    }

    fn url(&self, mode: &str) -> String {
        format!("sqlite://{}?mode={mode}", self.directory.path().join("t.db").display())
    }

    fn path(&self, name: &str) -> String {
        self.directory.path().join(name).display().to_string()
    }

    async fn run(&self, url: &str, key: &str, listen: &str) -> Output {
        let (key, files) = (self.path(key), self.path("files"));
        let variables = [
            ("TIDEMILL__VAULT__KEY_FILE", key.as_str()),
            ("TIDEMILL__FILES__DIRECTORY", &files),
            ("TIDEMILL__LOG__FILTER", "error"),
            ("TIDEMILL__DATABASE__ACQUIRE_TIMEOUT_MS", "500"),
        ];
        run(&["--database-url", url, "--listen", listen], &variables).await
    }
}

#[tokio::test]
async fn a_missing_database_is_one_line() {
    let setting = Setting::new(false).await;
    is_one_line(
        &setting.run(&setting.url("rw"), "vault.key", "127.0.0.1:0").await,
        &["cannot reach the database", "t.db"],
    );
    let nowhere = "postgres://nobody:hunter2@127.0.0.1:1/none";
    let output = setting.run(nowhere, "vault.key", "127.0.0.1:0").await;
    is_one_line(&output, &["cannot reach the database", "127.0.0.1:1"]);
    assert!(!String::from_utf8_lossy(&output.stderr).contains("hunter2"));
}

#[tokio::test]
async fn an_old_schema_is_one_line() {
    let setting = Setting::new(false).await;
    is_one_line(&setting.run(&setting.url("rwc"), "vault.key", "127.0.0.1:0").await, &["migration up"]);
}

#[tokio::test]
async fn a_missing_key_and_a_wrong_one_are_one_line() {
    let setting = Setting::new(true).await;
    let url = setting.url("rwc");
    is_one_line(&setting.run(&url, "no.key", "127.0.0.1:0").await, &["encryption key", "no.key"]);

    // A first start leaves the mark of its key; it fails only at the port.
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let listen = taken.local_addr().unwrap().to_string();
    is_one_line(&setting.run(&url, "vault.key", &listen).await, &["cannot listen on", &listen]);
    store::vault::Keyring::load_or_create(&setting.directory.path().join("other.key")).unwrap();
    is_one_line(&setting.run(&url, "other.key", "127.0.0.1:0").await, &["encryption key does not fit"]);
}

#[tokio::test]
async fn a_sound_service_says_that_it_is_ready_and_ends_with_sigterm() {
    let setting = Setting::new(true).await;
    // A free port; taken again a moment later by the service.
    let listen = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut service = Command::new(env!("CARGO_BIN_EXE_api"))
        .args(["--database-url", &setting.url("rwc"), "--listen", &listen.to_string()])
        .envs([
            ("TIDEMILL__VAULT__KEY_FILE", setting.path("vault.key")),
            ("TIDEMILL__FILES__DIRECTORY", setting.path("files")),
        ])
        .stderr(std::process::Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let mut tries = 0;
    while !client
        .get(format!("http://{listen}/readyz"))
        .send()
        .await
        .is_ok_and(|answer| answer.status() == 200)
    {
        tries += 1;
        assert!(tries < 200, "it did not become ready");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    client.get(format!("http://{listen}/api/v1/nothing")).send().await.unwrap();
    let metrics = client.get(format!("http://{listen}/metrics")).send().await.unwrap().text().await.unwrap();
    assert!(
        metrics.contains(r#"tidemill_http_requests_total{method="GET",route="/readyz",status="200"}"#),
        "{metrics}"
    );
    assert!(metrics.contains(r#"route="none",status="404""#), "{metrics}");
    assert!(metrics.contains("tidemill_http_requests_seconds_bucket"), "{metrics}");

    let pid = service.id().unwrap().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().await.unwrap().success());
    let ended =
        tokio::time::timeout(std::time::Duration::from_secs(10), service.wait()).await.unwrap().unwrap();
    assert_eq!(ended.code(), Some(0));
}

#[tokio::test]
async fn a_setting_that_does_not_exist_is_one_line() {
    is_one_line(&run(&[], &[("TIDEMILL__API__LISSEN", "x")]).await, &["api.lissen"]);
    is_one_line(&run(&["--config", "/no/such/file.toml"], &[]).await, &["/no/such/file.toml"]);
}
