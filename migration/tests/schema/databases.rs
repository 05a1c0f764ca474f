//! A fresh database for each test.

use std::future::Future;

use sea_orm::{ConnectOptions, ConnectionTrait, Database, DatabaseConnection};
use uuid::Uuid;

/// The server whose user may create databases.
const POSTGRES: &str = "TIDEMILL_TEST_POSTGRES_URL";

/// A database that nobody else uses.
#[derive(Clone)]
pub(crate) struct Fresh {
    url: String,
}

impl Fresh {
    /// A connection of its own, as another process would have.
    pub(crate) async fn connect(&self) -> DatabaseConnection {
        let mut options = ConnectOptions::new(self.url.clone());
        options.max_connections(1).sqlx_logging(false);
        Database::connect(options).await.unwrap()
    }

    /// A connection to the migrated database.
    pub(crate) async fn migrated(&self) -> DatabaseConnection {
        let db = self.connect().await;
        migration::up_locked(&db).await.unwrap();
        db
    }
}

/// Runs the test on SQLite and, if there is a server, on PostgreSQL.
pub(crate) async fn on_each_database<F: Future<Output = ()> + Send + 'static>(test: impl Fn(Fresh) -> F) {
    on_sqlite(&test).await;
    on_postgres(&test).await;
}

pub(crate) async fn on_sqlite<F: Future<Output = ()> + Send + 'static>(test: impl Fn(Fresh) -> F) {
    let directory = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}?mode=rwc", directory.path().join("test.db").display());
    test(Fresh { url }).await;
}

/// Drops the database afterwards, also when the test panics.
pub(crate) async fn on_postgres<F: Future<Output = ()> + Send + 'static>(test: impl Fn(Fresh) -> F) {
    let Some(server) = postgres_url() else {
        println!("PostgreSQL is left out: {POSTGRES} is not set");
        return;
    };
    let admin =
        Database::connect(ConnectOptions::new(server.clone()).sqlx_logging(false).to_owned()).await.unwrap();
    let name = format!("schema_{}", Uuid::now_v7().simple());
    admin.execute_unprepared(&format!("CREATE DATABASE {name}")).await.unwrap();
    let outcome = tokio::spawn(test(Fresh { url: with_database(&server, &name) })).await;
    admin.execute_unprepared(&format!("DROP DATABASE {name} WITH (FORCE)")).await.unwrap();
    outcome.unwrap();
}

#[expect(clippy::disallowed_methods, reason = "a test asks for its server")]
fn postgres_url() -> Option<String> {
    std::env::var(POSTGRES).ok().filter(|url| !url.is_empty())
}

fn with_database(server: &str, name: &str) -> String {
    let (address, parameters) =
        server.split_once('?').map_or((server, None), |(address, rest)| (address, Some(rest)));
    let base =
        address.rsplit_once('/').filter(|(base, _)| !base.ends_with('/')).map_or(address, |(base, _)| base);
    match parameters {
        Some(parameters) => format!("{base}/{name}?{parameters}"),
        None => format!("{base}/{name}"),
    }
}
