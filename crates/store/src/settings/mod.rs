//! The settings of every service: one struct for each section of the configuration file.
//!
//! `config/default.toml` is embedded and names every setting; a file overrides it, and the environment
//! (`TIDEMILL__SECTION__KEY`) overrides both. A key that no section knows, or a value of the wrong
//! kind, is an error that names it. Nothing else in Tidemill reads the environment.

mod load;
mod secret;
mod sections;

pub use load::{Arguments, Error, load, load_from};
pub use secret::Secret;
pub use sections::{Api, Database, Files, Log, LogFormat, Scheduler, SignUp, Vault, Worker};

use serde::Deserialize;
use serde::de::DeserializeOwned;

/// The embedded defaults.
pub const DEFAULT_TOML: &str = include_str!("../../../../config/default.toml");

/// All settings. Each service reads the whole, so that a mistake anywhere is found by any of them.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The HTTP service.
    pub api: Api,
    /// The database.
    pub database: Database,
    /// The key that encrypts credentials.
    pub vault: Vault,
    /// Stored files.
    pub files: Files,
    /// The worker.
    pub worker: Worker,
    /// The scheduler.
    pub scheduler: Scheduler,
    /// The processes that run user code; read with [`Section::read`] by the crate that starts them.
    pub sandbox: Section,
    /// What nodes may reach; read with [`Section::read`] by the crate that connects.
    pub egress: Section,
    /// What is logged, and how.
    pub log: Log,
}

/// A section whose type belongs to a crate above this one.
#[derive(Clone, Debug, Deserialize)]
#[serde(transparent)]
pub struct Section(toml::Table);

impl Section {
    /// Reads the section; `name` is its name, for the error.
    ///
    /// # Errors
    /// Names the key that is unknown or of the wrong kind.
    pub fn read<T: DeserializeOwned>(&self, name: &str) -> Result<T, Error> {
        serde_path_to_error::deserialize(toml::Value::Table(self.0.clone())).map_err(|error| {
            let path = error.path().to_string();
            Error::Key { key: format!("{name}.{path}"), message: error.into_inner().to_string() }
        })
    }
}
