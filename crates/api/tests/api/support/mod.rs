//! A service of its own for each test, with a fresh database, and people who use it.

mod client;
mod database;

use std::sync::Arc;

use api::{Deps, Serving};
use engine::sandbox::LocalEvaluator;
use serde_json::{Value, json};
use store::files::FileStore;
use store::probe::Probe;
use store::settings::{self, Settings};
use store::telemetry::Telemetry;
use store::vault::{Keyring, Vault};
use store::{Db, SystemClock};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use worker::resume::ResumeUrls;
use worker::{Options, Services, Worker};

pub use client::{Answer, Client, Method};
pub use database::Place;

/// Makes `name::on_sqlite` and `name::on_postgres` of each `async fn name(app: &TestApp)`.
#[macro_export]
macro_rules! on_both {
    ($($(#[$meta:meta])* async fn $name:ident($app:ident: &TestApp) $body:block)+) => {
        $(mod $name {
            #[allow(unused_imports, clippy::allow_attributes, reason = "not every test needs all")]
            use super::*;

            async fn check($app: &$crate::support::TestApp) $body

            $(#[$meta])*
            #[tokio::test(flavor = "multi_thread", worker_threads = 3)]
            async fn on_sqlite() {
                let app = $crate::support::TestApp::spawn($crate::support::Place::sqlite()).await;
                check(&app).await;
                app.stop().await;
            }

            $(#[$meta])*
            #[tokio::test(flavor = "multi_thread", worker_threads = 3)]
            async fn on_postgres() {
                if let Some(place) = $crate::support::Place::postgres().await {
                    let app = $crate::support::TestApp::spawn(place).await;
                    check(&app).await;
                    app.stop().await;
                }
            }
        })+
    };
}

/// A service that listens on a port of its own.
pub struct TestApp {
    /// Its URL, without a slash at its end.
    pub url: String,
    /// Its database, to look behind it.
    pub db: Db,
    /// Encrypts what is stored.
    pub vault: Arc<Vault>,
    /// How it is set up.
    pub settings: Arc<Settings>,
    http: reqwest::Client,
    files: FileStore,
    catalogue: Arc<engine::node::Catalogue>,
    serving: Serving,
    shutdown: CancellationToken,
    _directory: tempfile::TempDir,
    place: Place,
}

impl TestApp {
    /// Starts one with the default settings.
    pub async fn spawn(place: Place) -> Self {
        Self::spawn_with(place, &[]).await
    }

    /// Starts one with other settings, as `("API__SIGN_UP", "closed")`.
    pub async fn spawn_with(place: Place, changes: &[(&str, &str)]) -> Self {
        // An error only says that another test was faster.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let directory = tempfile::tempdir().unwrap();
        let mut variables = vec![
            ("TIDEMILL__API__LISTEN".to_owned(), "127.0.0.1:0".to_owned()),
            ("TIDEMILL__API__THREADS".to_owned(), "2".to_owned()),
            ("TIDEMILL__DATABASE__URL".to_owned(), place.url.clone()),
            ("TIDEMILL__DATABASE__MAX_CONNECTIONS".to_owned(), "6".to_owned()),
            // Every test makes a database; a busy disk is no reason to fail.
            ("TIDEMILL__DATABASE__ACQUIRE_TIMEOUT_MS".to_owned(), "60000".to_owned()),
            ("TIDEMILL__EGRESS__ALLOW".to_owned(), "127.0.0.1".to_owned()),
        ];
        variables
            .extend(changes.iter().map(|(key, value)| (format!("TIDEMILL__{key}"), (*value).to_owned())));
        let settings = Arc::new(settings::load_from(None, variables).unwrap());

        let db = Db::connect(&settings.database, Arc::new(SystemClock)).await.unwrap();
        migration::up_locked(db.writer()).await.unwrap();
        let vault = Arc::new(Vault::open(Keyring::generate()));
        let egress = nodes::egress::Client::new(&settings.egress.read("egress").unwrap()).unwrap();
        let catalogue = Arc::new(nodes::catalogue(&egress));
        let files = FileStore::open(directory.path().join("files")).await.unwrap();
        let deps = Deps {
            db: db.clone(),
            vault: Arc::clone(&vault),
            catalogue: Arc::clone(&catalogue),
            egress,
            files: files.clone(),
            settings: Arc::clone(&settings),
            probe: Probe::new("api", db.clone(), Telemetry::detached()),
        };
        let shutdown = CancellationToken::new();
        let serving = api::serve(deps, shutdown.clone()).unwrap();
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()
            .unwrap();
        Self {
            url: format!("http://{}", serving.address),
            db,
            vault,
            settings,
            http,
            files,
            catalogue,
            serving,
            shutdown,
            _directory: directory,
            place,
        }
    }

    /// Stops the service, and fails if it does not stop.
    pub async fn stop(self) {
        let (db, _place) = self.stop_serving().await;
        db.close().await.unwrap();
    }

    /// Stops the service; the database goes on.
    pub async fn stop_serving(self) -> (Db, Place) {
        self.shutdown.cancel();
        let stopped = tokio::time::timeout(std::time::Duration::from_secs(15), self.serving.stopped());
        stopped.await.expect("the service did not stop");
        (self.db, self.place)
    }

    /// Tells the service to stop, without waiting.
    pub fn tell_to_stop(&self) {
        self.shutdown.cancel();
    }

    /// Somebody without credentials.
    pub fn nobody(&self) -> Client {
        Client::new(self.http.clone(), self.url.clone())
    }

    /// Somebody with an account and an organization of their own, signed in.
    pub async fn person(&self, name: &str) -> Client {
        let body = json!({ "email": format!("{name}@example.org"), "password": PASSWORD, "full_name": name });
        let answer = self.nobody().post("/api/v1/auth/sign-up", body).await;
        assert_eq!(answer.status, 201, "{}", answer.body);
        let organization = answer.body["organization"]["id"].as_str().unwrap().parse().unwrap();
        let user = answer.body["user"]["id"].as_str().unwrap().parse().unwrap();
        self.nobody().with_token(answer.body["token"].as_str().unwrap()).with_identity(user, organization)
    }

    /// Starts a worker in this process. It works until its guard is dropped.
    pub fn work(&self) -> Working {
        let services = Services {
            db: self.db.clone(),
            vault: Arc::clone(&self.vault),
            files: self.files.clone(),
            max_file_bytes: self.settings.files.max_file_bytes,
            catalogue: Arc::clone(&self.catalogue),
            evaluator: Arc::new(LocalEvaluator::default()),
            resume_urls: ResumeUrls::new(self.vault.derive("resume"), &self.url),
        };
        let worker = Worker::new(services, Options::of(&self.settings));
        let shutdown = CancellationToken::new();
        let token = shutdown.clone();
        let task = tokio::spawn(async move { worker.run(token, || {}).await });
        Working { shutdown, task }
    }
}

/// What everybody's password is.
pub const PASSWORD: &str = "correct horse battery staple";

/// A worker that works.
pub struct Working {
    shutdown: CancellationToken,
    task: JoinHandle<()>,
}

impl Working {
    /// Ends it, and waits until it has handed back what it had.
    pub async fn stop(self) {
        self.shutdown.cancel();
        self.task.await.unwrap();
    }
}

/// A workflow that gives out what it is given.
pub fn echo() -> Value {
    json!({
        "nodes": [
            { "id": "start", "data": { "label": "Start", "nodeType": "manual", "fields": {} } },
            { "id": "end", "data": { "label": "End", "nodeType": "no_op", "fields": {} } },
        ],
        "edges": [{ "source": "start", "target": "end" }],
    })
}
