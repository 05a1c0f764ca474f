//! What can go wrong in the database, as far as a caller treats it differently.
//!
//! A row that is not there is no error: finders return `Option`.

use sea_orm::sqlx;
use sea_orm::sqlx::error::{DatabaseError, ErrorKind};
use sea_orm::{DbErr, RuntimeErr};

/// The result of a query.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a query failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A value that has to be unique exists already.
    #[error("there is such a row already ({constraint})")]
    Unique {
        /// The constraint, `uq_...` or `pk_...`, the same on both databases.
        constraint: String,
    },
    /// Another webhook of this installation has the path.
    #[error("the webhook path {path:?} is in use")]
    WebhookPathTaken {
        /// The path.
        path: String,
    },
    /// A row refers to one that does not exist.
    #[error("the row refers to one that does not exist ({constraint})")]
    ForeignKey {
        /// The constraint, `fk_...`; SQLite does not say which.
        constraint: String,
    },
    /// A value is not among those that the column allows.
    #[error("the row breaks a rule of its table ({constraint})")]
    Check {
        /// The constraint, `ck_...`.
        constraint: String,
    },
    /// The database is occupied: a lock, a connection or a transaction could not be had in time. Worth another try.
    #[error("the database is busy")]
    Busy(#[source] DbErr),
    /// The schema is older than the program.
    #[error("the database lacks {} migration(s), from {}: run `migration up`", pending.len(), pending.first().map_or("", String::as_str))]
    OldSchema {
        /// The missing migrations, the oldest first.
        pending: Vec<String>,
    },
    /// There is no connection to be had.
    #[error("cannot reach the database at {url}: {reason}")]
    Unreachable {
        /// Its URL, without the password.
        url: String,
        /// What the database or the operating system said.
        reason: String,
    },
    /// A value that no query can use.
    #[error("{field} {reason}")]
    Invalid {
        /// What is wrong.
        field: String,
        /// Why, as the rest of a sentence that starts with the field.
        reason: String,
    },
    /// A secret could not be encrypted or decrypted.
    #[error(transparent)]
    Vault(#[from] crate::vault::Error),
    /// Anything else.
    #[error("the database failed")]
    Database(#[source] DbErr),
}

impl Error {
    /// A value that no query can use; `reason` goes on from the name of the field.
    pub fn invalid(field: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::Invalid { field: field.into(), reason: reason.into() }
    }

    /// Whether the same call may succeed a moment later.
    #[must_use]
    pub fn is_temporary(&self) -> bool {
        match self {
            Self::Busy(_) | Self::Unreachable { .. } => true,
            Self::Database(error) => is_connection_loss(error),
            _ => false,
        }
    }
}

impl From<DbErr> for Error {
    fn from(error: DbErr) -> Self {
        if matches!(error, DbErr::ConnectionAcquire(_)) {
            return Self::Busy(error);
        }
        let classified = driver_error(&error).and_then(|driver| match driver {
            sqlx::Error::PoolTimedOut => Some(Class::Busy),
            sqlx::Error::Database(error) => classify(error.as_ref()),
            _ => None,
        });
        match classified {
            Some(Class::Unique(constraint)) => Self::Unique { constraint },
            Some(Class::ForeignKey(constraint)) => Self::ForeignKey { constraint },
            Some(Class::Check(constraint)) => Self::Check { constraint },
            Some(Class::Busy) => Self::Busy(error),
            None => Self::Database(error),
        }
    }
}

enum Class {
    Unique(String),
    ForeignKey(String),
    Check(String),
    Busy,
}

fn driver_error(error: &DbErr) -> Option<&sqlx::Error> {
    match error {
        DbErr::Conn(RuntimeErr::SqlxError(error))
        | DbErr::Exec(RuntimeErr::SqlxError(error))
        | DbErr::Query(RuntimeErr::SqlxError(error)) => Some(error),
        _ => None,
    }
}

fn is_connection_loss(error: &DbErr) -> bool {
    match driver_error(error) {
        Some(sqlx::Error::Io(_) | sqlx::Error::PoolClosed | sqlx::Error::WorkerCrashed) => true,
        // 57P01-57P03: PostgreSQL shuts down, crashed or starts; class 08: the connection failed.
        Some(sqlx::Error::Database(error)) => {
            error.code().is_some_and(|code| code.starts_with("57P0") || code.starts_with("08"))
        }
        _ => false,
    }
}

fn classify(error: &dyn DatabaseError) -> Option<Class> {
    let code = error.code().unwrap_or_default();
    // PostgreSQL: serialization failure, deadlock, lock timeout, statement timeout, too many connections.
    // SQLite: SQLITE_BUSY and its extended codes, SQLITE_LOCKED and SQLITE_LOCKED_SHAREDCACHE.
    let busy = ["40001", "40P01", "55P03", "57014", "53300", "5", "261", "517", "773", "6", "262"];
    if busy.contains(&code.as_ref()) {
        return Some(Class::Busy);
    }
    match error.kind() {
        ErrorKind::UniqueViolation => Some(Class::Unique(unique_constraint(error))),
        ErrorKind::ForeignKeyViolation => {
            Some(Class::ForeignKey(error.constraint().unwrap_or("fk").to_owned()))
        }
        ErrorKind::CheckViolation => {
            let name = error.constraint().or_else(|| error.message().rsplit_once(": ").map(|(_, name)| name));
            Some(Class::Check(name.unwrap_or("ck").to_owned()))
        }
        _ => None,
    }
}

/// PostgreSQL names the constraint; SQLite lists its columns, from which the name follows.
fn unique_constraint(error: &dyn DatabaseError) -> String {
    if let Some(name) = error.constraint() {
        return match name.strip_suffix("_pkey") {
            Some(table) => format!("pk_{table}"),
            None => name.to_owned(),
        };
    }
    let columns = error.message().rsplit_once(": ").map_or("", |(_, columns)| columns);
    let Some((table, _)) = columns.split_once('.') else { return "uq".to_owned() };
    if error.code().as_deref() == Some("1555") {
        return format!("pk_{table}");
    }
    if columns == "executions.schedule_id, executions.scheduled_for" {
        return "uq_executions_schedule_occurrence".to_owned();
    }
    let names = columns.split(", ").filter_map(|column| column.split_once('.')).map(|(_, name)| name);
    names.fold(format!("uq_{table}"), |name, column| name + "_" + column)
}
