//! Databases that go when their test ends.

use std::path::{Path, PathBuf};

use sea_orm::{ConnectOptions, ConnectionTrait, Database, DatabaseConnection};
use uuid::Uuid;

/// Where an installation keeps its data.
#[derive(Debug)]
pub enum Place {
    /// A file, made by whoever opens it first.
    Sqlite(PathBuf),
    /// A database of its own on a server.
    Postgres(Server),
}

/// A database on a server; dropping it drops the database.
#[derive(Debug)]
pub struct Server {
    admin_url: String,
    url: String,
    name: String,
}

impl Place {
    /// A file in a folder.
    #[must_use]
    pub fn sqlite(folder: &Path) -> Self {
        Self::Sqlite(folder.join("tidemill.db"))
    }

    /// A new database of the server in `TIDEMILL_TEST_POSTGRES_URL`; `None`, with a line that says so, when that is
    /// not set.
    #[expect(clippy::disallowed_methods, reason = "tests get their server from the environment")]
    pub async fn postgres() -> Option<Self> {
        let Ok(admin_url) = std::env::var("TIDEMILL_TEST_POSTGRES_URL") else {
            eprintln!("passed over: TIDEMILL_TEST_POSTGRES_URL is not set");
            return None;
        };
        let name = format!("tidemill_e2e_{}", Uuid::now_v7().simple());
        connect(&admin_url).await.execute_unprepared(&format!("CREATE DATABASE {name}")).await.unwrap();
        let (server, query) = admin_url.split_once('?').unwrap_or((&admin_url, ""));
        let server = server.rsplit_once('/').expect("a URL with the name of a database").0;
        let query = if query.is_empty() { String::new() } else { format!("?{query}") };
        let url = format!("{server}/{name}{query}");
        Some(Self::Postgres(Server { admin_url, url, name }))
    }

    /// The URL for a service; an SQLite file is made where there is none.
    #[must_use]
    pub fn url(&self) -> String {
        match self {
            Self::Sqlite(path) => format!("sqlite://{}?mode=rwc", path.display()),
            Self::Postgres(server) => server.url.clone(),
        }
    }

    /// A connection, to look at what is stored.
    pub async fn connect(&self) -> DatabaseConnection {
        connect(&self.url()).await
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let (url, sql) =
            (self.admin_url.clone(), format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name));
        // A runtime cannot be waited for inside another one.
        let dropped = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async { connect(&url).await.execute_unprepared(&sql).await.map(|_| ()) })
        });
        if let Ok(Err(error)) = dropped.join() {
            eprintln!("{} was not dropped: {error}", self.name);
        }
    }
}

async fn connect(url: &str) -> DatabaseConnection {
    let mut options = ConnectOptions::new(url);
    options.max_connections(1).sqlx_logging(false);
    Database::connect(options).await.unwrap()
}
