//! Opening the connections.

use std::time::Duration;

use sea_orm::sqlx::sqlite::{SqliteAutoVacuum, SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sea_orm::{ConnectOptions, Database, DatabaseConnection, DbErr};

use crate::{Backend, Error, Result, settings};

/// How long SQLite waits for a lock that another process holds.
const SQLITE_BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Pages kept in memory by each connection to SQLite, in KiB.
const SQLITE_CACHE_KIB: u32 = 16 * 1024;

/// Bytes of the SQLite file that are mapped into memory.
const SQLITE_MMAP_BYTES: u32 = 256 * 1024 * 1024;

/// The log of SQLite is cut to this length after a checkpoint, so that a burst does not occupy the disk for ever.
const SQLITE_WAL_LIMIT_BYTES: u32 = 64 * 1024 * 1024;

/// Texts of statements that a connection to SQLite keeps prepared.
const SQLITE_STATEMENTS: usize = 256;

/// How long a statement on PostgreSQL waits for a lock.
const POSTGRES_LOCK_TIMEOUT_MS: u32 = 5_000;

/// PostgreSQL ends a transaction whose client does nothing for this long. A frozen worker must not hold the locks that
/// the rescue of its executions needs.
const POSTGRES_IDLE_TRANSACTION_MS: u32 = 10_000;

/// A connection that was idle for longer is tested before it is used. Testing each time would cost a round trip.
const TEST_IF_IDLE: Duration = Duration::from_secs(30);

/// What was opened.
pub(super) struct Opened {
    pub(super) backend: Backend,
    pub(super) reader: DatabaseConnection,
    pub(super) writer: DatabaseConnection,
}

pub(super) async fn open(settings: &settings::Database) -> Result<Opened> {
    let url = settings.url.expose();
    if url.starts_with("sqlite:") {
        open_sqlite(settings, url).await
    } else if url.starts_with("postgres://") || url.starts_with("postgresql://") {
        open_postgres(settings, url).await
    } else {
        Err(Error::invalid("database.url", "has to start with sqlite: or postgres://"))
    }
}

async fn open_sqlite(settings: &settings::Database, url: &str) -> Result<Opened> {
    let writer = connect(url, sqlite(settings, url, 1)).await?;
    // A database in memory belongs to its one connection.
    let is_in_memory = url.contains(":memory:") || url.contains("mode=memory");
    let reader = if is_in_memory {
        writer.clone()
    } else {
        connect(url, sqlite(settings, url, settings.max_connections.max(1))).await?
    };
    Ok(Opened { backend: Backend::Sqlite, reader, writer })
}

async fn open_postgres(settings: &settings::Database, url: &str) -> Result<Opened> {
    // One more for the connection that listens.
    let mut options = pool(settings, url, settings.max_connections.max(2) + 1);
    options
        .set_application_name("tidemill")
        .statement_timeout(Duration::from_millis(settings.statement_timeout_ms))
        .map_sqlx_postgres_opts(|options| {
            options.options([
                ("lock_timeout", POSTGRES_LOCK_TIMEOUT_MS.to_string()),
                ("idle_in_transaction_session_timeout", POSTGRES_IDLE_TRANSACTION_MS.to_string()),
                // Compiling one of our statements takes longer than running it.
                ("jit", "off".to_owned()),
            ])
        });
    let writer = connect(url, options).await?;
    Ok(Opened { backend: Backend::Postgres, reader: writer.clone(), writer })
}

fn pool(settings: &settings::Database, url: &str, connections: u32) -> ConnectOptions {
    let timeout = Duration::from_millis(settings.acquire_timeout_ms);
    let mut options = ConnectOptions::new(url);
    options
        .max_connections(connections)
        .connect_timeout(timeout)
        .acquire_timeout(timeout)
        .sqlx_logging(false)
        .test_before_acquire(false)
        .test_before_acquire_if_idle_for(TEST_IF_IDLE);
    options
}

fn sqlite(settings: &settings::Database, url: &str, connections: u32) -> ConnectOptions {
    let mut options = pool(settings, url, connections);
    // Opening the file again costs its caches, and with a database in memory its content.
    options.idle_timeout(None::<Duration>).max_lifetime(None::<Duration>).min_connections(1);
    options.map_sqlx_sqlite_opts(|options: SqliteConnectOptions| {
        options
            .auto_vacuum(SqliteAutoVacuum::Incremental)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(SQLITE_BUSY_TIMEOUT)
            .foreign_keys(true)
            .statement_cache_capacity(SQLITE_STATEMENTS)
            .pragma("temp_store", "memory")
            .pragma("cache_size", format!("-{SQLITE_CACHE_KIB}"))
            .pragma("mmap_size", SQLITE_MMAP_BYTES.to_string())
            .pragma("journal_size_limit", SQLITE_WAL_LIMIT_BYTES.to_string())
    });
    options
}

async fn connect(url: &str, options: ConnectOptions) -> Result<DatabaseConnection> {
    Database::connect(options)
        .await
        .map_err(|error| Error::Unreachable { url: redact(url), reason: reason(&error) })
}

/// The innermost cause: what surrounds it repeats it.
fn reason(error: &DbErr) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}

/// The URL without user, password and query, which can hold a password too.
fn redact(url: &str) -> String {
    let url = url.split_once('?').map_or(url, |(before, _)| before);
    match url.split_once("://") {
        Some((scheme, rest)) => {
            let host = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
            format!("{scheme}://{host}")
        }
        None => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_shown_without_its_password() {
        assert_eq!(redact("postgres://me:p@ss@db:5432/x?password=y"), "postgres://db:5432/x");
        assert_eq!(redact("sqlite://data/x.db?mode=rwc"), "sqlite://data/x.db");
        assert_eq!(redact("sqlite::memory:"), "sqlite::memory:");
    }
}
