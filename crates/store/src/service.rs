//! What every service does when it starts and when it is told to stop.

use std::io::Write as _;
use std::process::ExitCode;
use std::sync::Arc;

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::settings::Settings;
use crate::vault::{IfMissing, Keyring, Vault, check_canary, has_canary};
use crate::{Db, Result, SystemClock};

/// The migrations that this version works with; a test of `tidemill` holds the list equal to that of `migration`.
pub const MIGRATIONS: [&str; 10] = [
    "m20261120_000001_identity",
    "m20261120_000002_workflows",
    "m20261120_000003_triggers",
    "m20261120_000004_running",
    "m20261120_000005_integrations",
    "m20261120_000006_chat",
    "m20261120_000007_agents",
    "m20261120_000008_reports",
    "m20261120_000009_demos",
    "m20261120_000010_operation",
];

/// Connects to the database of the settings, and refuses one whose schema is older than this program.
///
/// # Errors
/// [`crate::Error::Unreachable`], [`crate::Error::OldSchema`].
pub async fn open_database(settings: &Settings) -> Result<Db> {
    let db = Db::connect(&settings.database, Arc::new(SystemClock)).await?;
    db.check_schema(&MIGRATIONS).await?;
    Ok(db)
}

/// Reads the keys of the settings, and refuses those that do not fit the database.
///
/// # Errors
/// [`crate::vault::Error`]: no key, an unusable one, or another one than the database was encrypted with.
pub async fn open_vault(settings: &Settings, db: &Db, if_missing: IfMissing) -> Result<Vault> {
    // A new key would not fit a database that was encrypted before: better say that the old one is missing.
    let if_missing = if has_canary(db.reader()).await? { IfMissing::Refuse } else { if_missing };
    let vault = Vault::open(Keyring::from_settings(&settings.vault, if_missing)?);
    let tx = db.begin().await?;
    check_canary(&tx, db.now(), &vault).await?;
    tx.commit().await?;
    Ok(vault)
}

/// A token that is cancelled by SIGTERM or SIGINT.
///
/// # Errors
/// Where the system does not let signals be caught.
pub fn shutdown_on_signal() -> std::io::Result<CancellationToken> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let token = CancellationToken::new();
    let cancelled = token.clone();
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => tracing::info!("SIGTERM: shutting down"),
            _ = interrupt.recv() => tracing::info!("SIGINT: shutting down"),
        }
        cancelled.cancel();
    });
    Ok(token)
}

/// Runs a service to its end; what ends it early is one line on standard error and the exit code 1.
pub fn main<E: std::fmt::Display>(name: &str, service: impl Future<Output = Result<(), E>>) -> ExitCode {
    install_tls();
    let outcome = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime.block_on(service).map_err(|error| format!("{error:#}")),
        Err(error) => Err(format!("cannot start the runtime: {error}")),
    };
    let Err(error) = outcome else { return ExitCode::SUCCESS };
    // Nothing is left to be done when standard error is closed.
    let _ = writeln!(std::io::stderr().lock(), "{name}: {}", error.replace('\n', " "));
    ExitCode::FAILURE
}

/// Chooses the cryptography of all TLS connections of this process, once, before the first of them.
pub fn install_tls() {
    // The only error is that a provider is installed already.
    let _ = rustls::crypto::ring::default_provider().install_default();
}
