//! An organization with workflows, and workers that run them.

use std::sync::Arc;
use std::time::Duration;

use engine::item::Items;
use entity::executions;
use serde_json::{Value, json};
use store::Db;
use store::files::FileStore;
use store::integrations::{Credentials, NewIntegration};
use store::journal::{StepRecord, StepStatus, steps_of};
use store::queue::{NewExecution, TriggerType};
use store::settings::Settings;
use store::vault::{Keyring, Vault};
use store::workflows::{NewWorkflow, SaveContext, Status, Workflow};
use uuid::Uuid;
use worker::journal::Sink;
use worker::resume::ResumeUrls;
use worker::{Options, Services, Worker};

use crate::flows::{Calls, NoScripts, catalogue};
use crate::support::TestDb;

/// More rounds than any of these executions needs.
const MANY: usize = 200;

pub(crate) struct Fixture<'a> {
    pub(crate) db: &'a TestDb,
    pub(crate) calls: Calls,
    pub(crate) organization_id: Uuid,
    pub(crate) urls: ResumeUrls,
    vault: Arc<Vault>,
    files: FileStore,
    _folder: tempfile::TempDir,
}

impl<'a> Fixture<'a> {
    pub(crate) async fn new(db: &'a TestDb) -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self {
            organization_id: db.organization(None).await,
            calls: Calls::default(),
            urls: ResumeUrls::new([3; 32], "http://localhost"),
            vault: Arc::new(Vault::open(Keyring::generate())),
            files: FileStore::open(folder.path()).await.unwrap(),
            _folder: folder,
            db,
        }
    }

    pub(crate) fn services(&self, db: Db) -> Services {
        Services {
            db,
            vault: Arc::clone(&self.vault),
            files: self.files.clone(),
            max_file_bytes: 1_000_000,
            catalogue: catalogue(&self.calls),
            evaluator: Arc::new(NoScripts),
            resume_urls: self.urls.clone(),
        }
    }

    /// A worker as another process would have it.
    pub(crate) async fn worker(&self) -> Worker {
        Worker::new(self.services(self.db.connect_again().await), options())
    }

    pub(crate) async fn worker_with(&self, options: Options) -> Worker {
        Worker::new(self.services(self.db.connect_again().await), options)
    }

    pub(crate) async fn worker_over(&self, sink: Arc<dyn Sink>) -> Worker {
        Worker::with_sink(self.services(self.db.connect_again().await), options(), sink)
    }

    pub(crate) async fn workflow(&self, name: &str, definition: Value) -> Workflow {
        let catalogue = catalogue(&self.calls);
        let context = SaveContext { now: self.db.now(), catalogue: &catalogue, vault: &self.vault };
        let new = NewWorkflow {
            organization_id: self.organization_id,
            user_id: None,
            name: name.into(),
            description: None,
            definition,
            tags: Vec::new(),
            status: Status::Draft,
            is_public: false,
            retention_days: None,
            retention_count: None,
            change_summary: None,
            chat_session_id: None,
        };
        let tx = self.db.db.begin().await.unwrap();
        let workflow = store::workflows::create(&tx, context, new).await.unwrap();
        tx.commit().await.unwrap();
        workflow
    }

    pub(crate) async fn enqueue(&self, workflow: &Workflow) -> Uuid {
        self.enqueue_at(workflow, None).await
    }

    /// Enqueues an execution that starts at this node.
    pub(crate) async fn enqueue_at(&self, workflow: &Workflow, trigger: Option<&str>) -> Uuid {
        let now = self.db.now();
        let new = NewExecution {
            id: store::ids::new_id(),
            organization_id: self.organization_id,
            workflow_id: workflow.id,
            workflow_version: workflow.version,
            user_id: None,
            trigger_type: TriggerType::Manual,
            trigger_node_id: trigger.map(str::to_owned),
            trigger_data: None,
            input_data: Some(json!([{ "json": {} }])),
            priority: 0,
            run_at: now,
            concurrency_key: None,
            parent: None,
            origin_execution_id: None,
            schedule: None,
            webhook_id: None,
            metadata: json!({}),
        };
        let tx = self.db.db.begin().await.unwrap();
        let ids = store::queue::enqueue(&tx, now, &[new]).await.unwrap();
        tx.commit().await.unwrap();
        ids[0]
    }

    /// Stores a workflow of this definition and enqueues an execution of it.
    pub(crate) async fn start(&self, definition: Value) -> Uuid {
        let workflow = self.workflow("flow", definition).await;
        self.enqueue(&workflow).await
    }

    pub(crate) async fn integration(&self, name: &str, token: &str) {
        let tx = self.db.db.begin().await.unwrap();
        let new = NewIntegration {
            organization_id: self.organization_id,
            user_id: None,
            service_name: "http_bearer".into(),
            display_name: name.into(),
            credentials: Credentials::new(json!({ "token": token }).as_object().unwrap().clone()),
            configuration: json!({}),
            metadata: json!({}),
            expires_at: None,
            refresh_token_expires_at: None,
        };
        store::integrations::create(&tx, self.db.now(), &self.vault, new).await.unwrap();
        tx.commit().await.unwrap();
    }

    /// Lets every lease pass, and gives the executions to others.
    pub(crate) async fn rescue(&self) {
        let now = self.db.advance_ms(3_600_000);
        store::queue::requeue_lost(&self.db.db, now, 100, 1_000).await.unwrap();
    }

    /// Moves the clock, and resumes what waited for that.
    pub(crate) async fn pass(&self, ms: i64) {
        let now = self.db.advance_ms(ms);
        store::queue::resume_due(&self.db.db, now, 100).await.unwrap();
    }

    pub(crate) async fn execution(&self, id: Uuid) -> executions::Model {
        store::executions::find(self.db.db.reader(), self.organization_id, id).await.unwrap().unwrap()
    }

    pub(crate) async fn all_executions(&self) -> Vec<executions::Model> {
        use sea_orm::EntityTrait as _;
        executions::Entity::find().all(self.db.db.reader()).await.unwrap()
    }

    pub(crate) async fn steps(&self, id: Uuid) -> Vec<StepRecord> {
        steps_of(&self.db.db, id).await.unwrap()
    }

    /// `(node, attempt, status)` of every row.
    pub(crate) async fn rows(&self, id: Uuid) -> Vec<(String, i64, StepStatus)> {
        self.steps(id).await.into_iter().map(|step| (step.node_id, step.attempt, step.status)).collect()
    }

    /// The nodes that the result has visited.
    pub(crate) async fn visits(&self, id: Uuid) -> Vec<String> {
        let output: Items = serde_json::from_value(self.execution(id).await.output_data.unwrap()).unwrap();
        crate::flows::visits(&output)
    }
}

fn settings() -> Settings {
    store::settings::load_from(None, []).unwrap()
}

pub(crate) fn options() -> Options {
    let mut options = Options::of(&settings());
    options.concurrency = 8;
    options
}

/// Claims and runs until there is nothing left to claim.
pub(crate) async fn work(worker: &Worker) {
    for _ in 0..MANY {
        let claimed = worker.tick().await.unwrap().claimed;
        worker.idle().await;
        if claimed == 0 {
            return;
        }
    }
    panic!("there is always something left to claim");
}

/// Fails a test that would wait for ever.
pub(crate) async fn soon<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(30), future).await.expect("this takes too long")
}
