//! Where the two databases differ.
//!
//! - [`rows`] hands many rows to one statement: arrays on PostgreSQL, so that one prepared text serves any number of
//!   rows; `VALUES` lists of few lengths on SQLite.
//! - [`lock`] locks the queue rows of executions. SQLite has one writer at a time, so there it only reads.
//! - [`json`] writes `json` columns as they are, and looks into arrays: by the GIN index on PostgreSQL, by `json_each`
//!   on SQLite.
//! - The claim of the queue (`queue::claim`) asks here for its lock and for the heads of the organizations' queues.

pub(crate) mod json;
pub(crate) mod lock;
pub(crate) mod rows;

use sea_orm::{ConnectionTrait, DbBackend, QueryResult, Statement, Value};

use crate::{Error, Result};

/// Which database it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backend {
    /// An embedded file.
    Sqlite,
    /// A server.
    Postgres,
}

impl Backend {
    /// The database behind a connection.
    pub(crate) fn of(connection: &impl ConnectionTrait) -> Self {
        match connection.get_database_backend() {
            DbBackend::Postgres => Self::Postgres,
            _ => Self::Sqlite,
        }
    }

    pub(crate) fn sea_orm(self) -> DbBackend {
        match self {
            Self::Sqlite => DbBackend::Sqlite,
            Self::Postgres => DbBackend::Postgres,
        }
    }

    /// An expression for the whole milliseconds from one moment to another.
    pub(crate) fn elapsed_ms(self, from: &str, to: &str) -> String {
        match self {
            Self::Sqlite => {
                format!("MAX(0, CAST(ROUND((julianday({to}) - julianday({from})) * 86400000) AS INTEGER))")
            }
            Self::Postgres => {
                format!("GREATEST(0, ROUND(EXTRACT(EPOCH FROM ({to} - {from})) * 1000))::bigint")
            }
        }
    }

    /// What follows a `SELECT` to lock the rows of `table` against other writers; nothing on SQLite, whose write
    /// transactions exclude each other.
    pub(crate) fn for_update(self, table: &str) -> String {
        match self {
            Self::Sqlite => String::new(),
            Self::Postgres => format!(" FOR UPDATE OF {table}"),
        }
    }

    /// The same, passing over rows that somebody else has locked.
    pub(crate) fn for_update_skip_locked(self, table: &str) -> String {
        match self {
            Self::Sqlite => String::new(),
            Self::Postgres => format!(" FOR UPDATE OF {table} SKIP LOCKED"),
        }
    }

    /// A statement whose parameters are written `?`; PostgreSQL gets them numbered. The text has no other `?`.
    pub(crate) fn statement(self, sql: &str, values: impl IntoIterator<Item = Value>) -> Statement {
        let sql = match self {
            Self::Sqlite => sql.to_owned(),
            Self::Postgres => numbered(sql),
        };
        Statement::from_sql_and_values(self.sea_orm(), sql, values)
    }
}

fn numbered(sql: &str) -> String {
    let mut parts = sql.split('?');
    let mut text = parts.next().unwrap_or_default().to_owned();
    for (index, part) in parts.enumerate() {
        text += &format!("${}{part}", index + 1);
    }
    text
}

/// Runs a statement and gives the number of rows that it changed.
pub(crate) async fn execute(
    connection: &impl ConnectionTrait,
    sql: &str,
    values: impl IntoIterator<Item = Value>,
) -> Result<u64> {
    let statement = Backend::of(connection).statement(sql, values);
    Ok(connection.execute_raw(statement).await?.rows_affected())
}

/// Runs a statement and gives its rows.
pub(crate) async fn query(
    connection: &impl ConnectionTrait,
    sql: &str,
    values: impl IntoIterator<Item = Value>,
) -> Result<Vec<QueryResult>> {
    let statement = Backend::of(connection).statement(sql, values);
    connection.query_all_raw(statement).await.map_err(Error::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_numbered_in_order() {
        assert_eq!(numbered("a = ? AND b = ?"), "a = $1 AND b = $2");
        assert_eq!(numbered("none"), "none");
    }
}
