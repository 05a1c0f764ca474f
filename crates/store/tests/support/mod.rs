//! A fresh database for each test, on SQLite and on PostgreSQL.
//!
//! [`conformance!`] makes two tests of each function: one on a temporary SQLite file, one in a new database of the
//! server that `TIDEMILL_TEST_POSTGRES_URL` names, which is passed over when it names none.

#![allow(
    dead_code,
    unreachable_pub,
    clippy::allow_attributes,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "each test binary uses a part of this, and all of it is for tests"
)]

pub mod queue;

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use entity::{organizations, schedules, workflows};
use sea_orm::{ActiveModelTrait, ActiveValue::Set, ConnectOptions, ConnectionTrait, Database};
use serde_json::json;
use store::queue::{NewExecution, TriggerType};
use store::settings::{self, Secret};
use store::{Db, ManualClock, ids};
use uuid::Uuid;

/// Makes `name::on_sqlite` and `name::on_postgres` of each `async fn name(db: &TestDb)`.
#[macro_export]
macro_rules! conformance {
    ($($(#[$meta:meta])* async fn $name:ident($db:ident: &TestDb) $body:block)+) => {
        $(mod $name {
            #[allow(unused_imports, clippy::allow_attributes, reason = "not every test needs all")]
            use super::*;

            async fn check($db: &$crate::support::TestDb) $body

            $(#[$meta])*
            #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn on_sqlite() {
                check(&$crate::support::TestDb::sqlite().await).await;
            }

            $(#[$meta])*
            #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn on_postgres() {
                if let Some(db) = $crate::support::TestDb::postgres().await {
                    check(&db).await;
                }
            }
        })+
    };
}

/// A migrated, empty database that goes with it.
pub struct TestDb {
    /// The database.
    pub db: Db,
    /// Its clock.
    pub clock: Arc<ManualClock>,
    /// How it was connected to, for a second connection.
    pub settings: settings::Database,
    _place: Place,
}

enum Place {
    Directory(tempfile::TempDir),
    Server { admin_url: String, name: String },
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Self::Server { admin_url, name } = self {
            let (url, sql) = (admin_url.clone(), format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"));
            // A runtime cannot be waited for inside another one.
            let dropped = std::thread::spawn(move || {
                tokio::runtime::Builder::new_current_thread()
                    .enable_all()
                    .build()
                    .unwrap()
                    .block_on(async { admin(&url).await.execute_unprepared(&sql).await.map(|_| ()) })
            });
            if let Err(error) = dropped.join().unwrap() {
                eprintln!("{name} was not dropped: {error}");
            }
        }
    }
}

async fn admin(url: &str) -> sea_orm::DatabaseConnection {
    let mut options = ConnectOptions::new(url);
    options.max_connections(1).sqlx_logging(false);
    Database::connect(options).await.unwrap()
}

fn settings_for(url: String) -> settings::Database {
    settings::Database {
        url: Secret::new(url),
        url_file: None,
        max_connections: 12,
        acquire_timeout_ms: 20_000,
        statement_timeout_ms: 20_000,
    }
}

impl TestDb {
    /// On a temporary SQLite file.
    pub async fn sqlite() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}?mode=rwc", directory.path().join("test.db").display());
        Self::open(url, Place::Directory(directory)).await
    }

    /// In a new database of the test server, if there is one.
    #[expect(clippy::disallowed_methods, reason = "tests get their server from the environment")]
    pub async fn postgres() -> Option<Self> {
        let Ok(admin_url) = std::env::var("TIDEMILL_TEST_POSTGRES_URL") else {
            eprintln!("passed over: TIDEMILL_TEST_POSTGRES_URL is not set");
            return None;
        };
        let name = format!("tidemill_{}", ids::new_id().simple());
        admin(&admin_url).await.execute_unprepared(&format!("CREATE DATABASE {name}")).await.unwrap();
        let (server, query) = admin_url.split_once('?').unwrap_or((&admin_url, ""));
        let url = format!("{}/{name}?{query}", server.rsplit_once('/').unwrap().0);
        Some(Self::open(url, Place::Server { admin_url, name }).await)
    }

    async fn open(url: String, place: Place) -> Self {
        let settings = settings_for(url);
        let clock = Arc::new(ManualClock::default());
        let db = Db::connect(&settings, clock.clone()).await.unwrap();
        migration::up_locked(db.writer()).await.unwrap();
        Self { db, clock, settings, _place: place }
    }

    /// The same database, as another process would connect to it.
    pub async fn connect_again(&self) -> Db {
        Db::connect(&self.settings, self.clock.clone()).await.unwrap()
    }

    /// The present moment.
    pub fn now(&self) -> DateTime<Utc> {
        self.db.now()
    }

    /// Moves the clock.
    pub fn advance_ms(&self, ms: i64) -> DateTime<Utc> {
        self.clock.set(self.now() + TimeDelta::milliseconds(ms));
        self.now()
    }

    /// A new organization.
    pub async fn organization(&self, max_concurrency: Option<i64>) -> Uuid {
        let id = ids::new_id();
        let row = organizations::ActiveModel {
            id: Set(id),
            name: Set("Test".to_owned()),
            slug: Set(id.simple().to_string()),
            max_concurrency: Set(max_concurrency),
            created_at: Set(self.now().fixed_offset()),
            updated_at: Set(self.now().fixed_offset()),
            ..Default::default()
        };
        row.insert(self.db.writer()).await.unwrap();
        id
    }

    /// A new workflow.
    pub async fn workflow(&self, organization_id: Uuid, concurrency_limit: Option<i64>) -> Uuid {
        let id = ids::new_id();
        let row = workflows::ActiveModel {
            id: Set(id),
            organization_id: Set(organization_id),
            name: Set("Test".to_owned()),
            definition: Set(json!({ "nodes": [], "edges": [] })),
            trigger_type: Set("manual".to_owned()),
            concurrency_limit: Set(concurrency_limit),
            created_at: Set(self.now().fixed_offset()),
            updated_at: Set(self.now().fixed_offset()),
            ..Default::default()
        };
        row.insert(self.db.writer()).await.unwrap();
        id
    }

    /// A new schedule.
    pub async fn schedule(&self, organization_id: Uuid, workflow_id: Uuid) -> Uuid {
        let id = ids::new_id();
        let row = schedules::ActiveModel {
            id: Set(id),
            organization_id: Set(organization_id),
            workflow_id: Set(workflow_id),
            name: Set("Test".to_owned()),
            cron_expression: Set("* * * * *".to_owned()),
            created_at: Set(self.now().fixed_offset()),
            updated_at: Set(self.now().fixed_offset()),
            ..Default::default()
        };
        row.insert(self.db.writer()).await.unwrap();
        id
    }

    /// An execution that could be enqueued.
    pub fn execution(&self, organization_id: Uuid, workflow_id: Uuid) -> NewExecution {
        NewExecution {
            id: ids::new_id(),
            organization_id,
            workflow_id,
            workflow_version: 1,
            user_id: None,
            trigger_type: TriggerType::Manual,
            trigger_node_id: None,
            trigger_data: None,
            input_data: None,
            priority: 0,
            run_at: self.now(),
            concurrency_key: None,
            parent: None,
            origin_execution_id: None,
            schedule: None,
            webhook_id: None,
            metadata: json!({}),
        }
    }
}
