//! One struct for each section; `config/default.toml` explains each key.

use std::net::SocketAddr;
use std::path::PathBuf;

use serde::{Deserialize, Deserializer};

use super::Secret;

/// `[api]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Api {
    /// Address and port.
    pub listen: SocketAddr,
    /// The URL under which users reach it.
    #[serde(deserialize_with = "not_empty")]
    pub public_url: Option<String>,
    /// Who may create an account.
    pub sign_up: SignUp,
    /// Absolute life of a session.
    pub session_hours: u32,
    /// Life of a session without a request.
    pub session_idle_hours: u32,
    /// Largest request body.
    pub max_body_bytes: usize,
    /// Largest webhook body.
    pub webhook_max_body_bytes: usize,
    /// Longest time a request is held open for a result.
    pub max_wait_ms: u64,
    /// Threads that serve requests; 0 is one per core.
    pub threads: usize,
}

impl Api {
    /// The URL under which users reach the service, without a slash at its end.
    #[must_use]
    pub fn base_url(&self) -> String {
        self.public_url
            .as_deref()
            .map_or_else(|| format!("http://{}", self.listen), |url| url.trim_end_matches('/').to_owned())
    }
}

/// Who may create an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SignUp {
    /// Anybody.
    Open,
    /// Only an administrator, with the command line.
    Closed,
}

/// `[database]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Database {
    /// The URL; a secret, because it can hold a password.
    pub url: Secret,
    /// A file that holds the URL.
    #[serde(deserialize_with = "path")]
    pub url_file: Option<PathBuf>,
    /// Connections to PostgreSQL, or readers of the SQLite file.
    pub max_connections: u32,
    /// Longest wait for a connection.
    pub acquire_timeout_ms: u64,
    /// Longest statement on PostgreSQL.
    pub statement_timeout_ms: u64,
}

/// `[vault]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Vault {
    /// The file with the current key.
    #[serde(deserialize_with = "path")]
    pub key_file: Option<PathBuf>,
    /// The current key in base64; wins over the file.
    pub key: Secret,
    /// Earlier keys in base64, beside `key`; a key file holds its own.
    pub previous_keys: Vec<Secret>,
}

/// `[files]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Files {
    /// Where stored files are kept.
    pub directory: PathBuf,
    /// Largest file.
    pub max_file_bytes: u64,
}

/// `[worker]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Worker {
    /// Address of the probes of a separate process.
    pub listen: SocketAddr,
    /// Executions run at once.
    pub concurrency: u32,
    /// Executions of one organization run at once; 0 is no limit.
    pub organization_concurrency: u32,
    /// Life of a lease without a heartbeat.
    pub lease_ms: u64,
    /// How often it looks for work unasked.
    pub poll_ms: u64,
    /// Time for steps to end after SIGTERM.
    pub grace_ms: u64,
    /// Longest attempt of a node that does not say.
    pub step_timeout_ms: u64,
    /// Claims after which an execution is given up.
    pub max_claims: u32,
    /// Longest wait of a record for company.
    pub journal_delay_ms: u64,
    /// Deepest nesting of workflows.
    pub max_depth: u32,
    /// Largest binary data inside an item.
    pub inline_binary_bytes: usize,
    /// Definitions kept in memory.
    pub cached_definitions: usize,
}

/// `[scheduler]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scheduler {
    /// Address of the probes of a separate process.
    pub listen: SocketAddr,
    /// How often it looks for due schedules.
    pub poll_ms: u64,
    /// Schedules taken at a time.
    pub batch: u64,
    /// How often it resumes waits and rescues lost executions.
    pub rescue_ms: u64,
    /// How often it repairs and cleans up.
    pub reconcile_ms: u64,
    /// Days that ended executions are kept; 0 is for ever.
    pub retention_days: u32,
}

/// `[log]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Log {
    /// Text for people or JSON for machines.
    pub format: LogFormat,
    /// Directives of `tracing-subscriber`.
    pub filter: String,
}

/// How log lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

fn not_empty<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(Some(String::deserialize(deserializer)?).filter(|text| !text.is_empty()))
}

fn path<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<PathBuf>, D::Error> {
    Ok(not_empty(deserializer)?.map(PathBuf::from))
}
