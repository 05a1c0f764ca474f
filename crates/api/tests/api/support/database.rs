//! Databases that go when their test ends.

use sea_orm::{ConnectOptions, ConnectionTrait, Database};
use store::ids;

/// Where a test keeps its data.
pub struct Place {
    /// The URL of the database.
    pub url: String,
    kind: Kind,
}

enum Kind {
    Directory(#[allow(dead_code, reason = "it is kept until it is dropped")] tempfile::TempDir),
    Server { admin_url: String, name: String },
}

impl Place {
    /// A temporary SQLite file.
    pub fn sqlite() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}?mode=rwc", directory.path().join("test.db").display());
        Self { url, kind: Kind::Directory(directory) }
    }

    /// A new database of the server in `TIDEMILL_TEST_POSTGRES_URL`, if there is one.
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
        Some(Self { url, kind: Kind::Server { admin_url, name } })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Kind::Server { admin_url, name } = &self.kind {
            let (url, sql) = (admin_url.clone(), format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"));
            // A runtime cannot be waited for inside another one.
            let dropped = std::thread::spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                runtime.block_on(async { admin(&url).await.execute_unprepared(&sql).await.map(|_| ()) })
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
