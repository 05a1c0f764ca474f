//! Workflow files on the disk.
//!
//! A file holds a definition (`nodes` and `edges`, or a list of steps), or a workflow: `name`, `description`, `tags`,
//! `activate` and the `definition`. `tidemill export` writes the second form, and every command reads both.

use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::Context;
use async_trait::async_trait;
use engine::node::Credential;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use worker::inline::WorkflowSource;

/// Largest workflow file that is read.
const MAX_FILE_BYTES: u64 = 64 * 1024 * 1024;

/// A workflow as a file.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct WorkflowFile {
    /// Its name; that of the file when missing.
    #[serde(default)]
    pub(crate) name: String,
    /// What it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) description: Option<String>,
    /// Words to find it by.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) tags: Vec<String>,
    /// Whether its triggers are to be switched on when it is stored.
    #[serde(default)]
    pub(crate) activate: bool,
    /// The definition.
    pub(crate) definition: Value,
}

impl WorkflowFile {
    /// Reads a workflow from a file; `-` is standard input.
    pub(crate) fn read(path: &Path) -> anyhow::Result<Self> {
        let value = read_json(path)?;
        let mut file = Self::parse(value).with_context(|| format!("{} is not a workflow", path.display()))?;
        if file.name.is_empty() {
            file.name = path
                .file_stem()
                .map_or_else(|| "workflow".to_owned(), |name| name.to_string_lossy().into_owned());
        }
        Ok(file)
    }

    /// Reads a workflow from JSON.
    pub(crate) fn parse(value: Value) -> anyhow::Result<Self> {
        if value.get("definition").is_some_and(|definition| !definition.is_null()) {
            return Ok(serde_json::from_value(value)?);
        }
        let name = value.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
        Ok(Self { name, description: None, tags: Vec::new(), activate: false, definition: value })
    }
}

/// Reads a JSON file; `-` is standard input.
pub(super) fn read_json(path: &Path) -> anyhow::Result<Value> {
    let name = path.display();
    let reader: Box<dyn Read> = if path == Path::new("-") {
        Box::new(std::io::stdin().lock())
    } else {
        Box::new(std::fs::File::open(path).with_context(|| format!("cannot read {name}"))?)
    };
    let mut bytes = Vec::new();
    let read = reader
        .take(MAX_FILE_BYTES + 1)
        .read_to_end(&mut bytes)
        .with_context(|| format!("cannot read {name}"))?;
    anyhow::ensure!(read as u64 <= MAX_FILE_BYTES, "{name} is larger than {MAX_FILE_BYTES} bytes");
    serde_json::from_slice(&bytes).with_context(|| format!("{name} is not JSON"))
}

/// The workflows and credentials that a workflow file can refer to: the files beside it, and a file of credentials.
pub(super) struct Folder {
    pub(super) folder: PathBuf,
    /// Integrations by name: `{"connector", "secrets", "configuration"}`.
    pub(super) credentials: Value,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CredentialEntry {
    connector: String,
    secrets: serde_json::Map<String, Value>,
    #[serde(default)]
    configuration: Value,
}

#[async_trait]
impl WorkflowSource for Folder {
    async fn definition(&self, reference: &str) -> Result<Value, String> {
        let candidates = [self.folder.join(reference), self.folder.join(format!("{reference}.json"))];
        if let Some(path) = candidates.iter().find(|path| path.is_file()) {
            return WorkflowFile::read(path)
                .map(|file| file.definition)
                .map_err(|error| format!("{error:#}"));
        }
        let entries =
            std::fs::read_dir(&self.folder).map_err(|error| format!("{}: {error}", self.folder.display()))?;
        entries
            .filter_map(Result::ok)
            .map(|entry| entry.path())
            .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
            .filter_map(|path| WorkflowFile::read(&path).ok())
            .find(|file| file.name == reference)
            .map(|file| file.definition)
            .ok_or_else(|| format!("no workflow {reference:?} in {}", self.folder.display()))
    }

    async fn credential(&self, integration: &str) -> Result<Credential, String> {
        let entry = self.credentials.get(integration).cloned();
        let entry =
            entry.ok_or_else(|| format!("no integration {integration:?} in the file of --credentials"))?;
        // The error of a secret must not quote it.
        let CredentialEntry { connector, secrets, configuration } =
            serde_json::from_value(entry).map_err(|_| {
                format!(
                    "integration {integration:?}: expected {{\"connector\", \"secrets\", \"configuration\"}}"
                )
            })?;
        Ok(Credential { connector, secrets, configuration })
    }
}
