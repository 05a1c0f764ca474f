//! What a node is given when it runs.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use super::outcome::NodeError;
use crate::execution::ExecutionStatus;
use crate::graph::{Graph, NodeSpec};
use crate::item::{Binary, Item, Items};
use crate::run::{RunData, SourceRun};

/// One run of a node: its inputs, its resolved parameters, and the host that does what it cannot.
pub struct Call<'a> {
    /// The workflow that the node stands in.
    pub graph: &'a Graph,
    /// The node as drawn.
    pub node: &'a NodeSpec,
    /// Which run of this node in the execution, from 0.
    pub run_index: usize,
    /// Which attempt of this run, from 1.
    pub attempt: u32,
    /// The items that arrived, by input; `None` where nothing came.
    pub inputs: &'a [Option<Items>],
    /// Where they came from, by input.
    pub sources: &'a [Option<SourceRun>],
    /// The parameters, with every expression resolved.
    pub parameters: &'a Parameters,
    /// What earlier steps gave out.
    pub data: &'a RunData,
    /// State that an earlier run of this node left in [`super::Outcome::Done`].
    pub context: Option<&'a Value>,
    /// Why the node is run again, when it had asked to wait or to start workflows.
    pub resume: Option<Resume>,
    /// The execution.
    pub execution: &'a ExecutionInfo,
    /// The outside.
    pub host: &'a dyn Host,
}

impl Call<'_> {
    /// The items of the first input, or none.
    #[must_use]
    pub fn items(&self) -> &[Item] {
        self.input(0)
    }

    /// The items of an input, or none.
    #[must_use]
    pub fn input(&self, index: usize) -> &[Item] {
        self.inputs.get(index).and_then(Option::as_ref).map_or(&[], |items| items.as_slice())
    }

    /// The shared list of the first input, to be passed on without a copy.
    #[must_use]
    pub fn shared_items(&self) -> Items {
        self.inputs.first().cloned().flatten().unwrap_or_default()
    }

    /// What code of the user in this node can see.
    #[must_use]
    pub fn scope(&self) -> crate::expression::Scope<'_> {
        crate::expression::Scope {
            graph: self.graph,
            node: self.node,
            run_index: self.run_index,
            inputs: self.inputs,
            sources: self.sources,
            data: self.data,
            execution: self.execution,
            now: self.host.now(),
        }
    }

    /// The earlier runs of this node in the execution.
    #[must_use]
    pub fn earlier_runs(&self) -> &[crate::run::RunRecord] {
        self.graph.by_id(&self.node.id).map_or(&[], |index| self.data.runs(index))
    }

    /// The parameters as they are for one item.
    ///
    /// # Errors
    /// Names the field that does not fit.
    pub fn parameters<P: DeserializeOwned>(&self, item: usize) -> Result<P, NodeError> {
        self.parameters.read(item)
    }
}

/// A node's resolved parameters: the same for every item, or one set for each.
#[derive(Clone, Debug)]
pub enum Parameters {
    /// No expression depends on the item.
    Same(Arc<Value>),
    /// One for each item of the first input; the error is that of an expression which failed for the item.
    PerItem(Vec<Result<Arc<Value>, NodeError>>),
}

impl Parameters {
    /// The parameters for one item as JSON; an index past the end gives the last.
    ///
    /// # Errors
    /// The error of an expression that failed for this item.
    pub fn value(&self, item: usize) -> Result<&Arc<Value>, NodeError> {
        match self {
            Self::Same(value) => Ok(value),
            Self::PerItem(values) => match values.get(item).or(values.last()) {
                Some(Ok(value)) => Ok(value),
                Some(Err(error)) => Err(error.clone()),
                None => {
                    Err(NodeError::fatal("no_items", "the node got no item to resolve its parameters with"))
                }
            },
        }
    }

    /// The parameters for one item as a typed struct.
    ///
    /// # Errors
    /// Names the field that does not fit, or the expression that failed.
    pub fn read<P: DeserializeOwned>(&self, item: usize) -> Result<P, NodeError> {
        let value = self.value(item)?;
        serde_path_to_error::deserialize(&**value).map_err(|error| {
            let path = error.path().to_string();
            NodeError::parameter(&path, error.into_inner()).at_item(item)
        })
    }
}

/// Why a waiting node is run again.
#[derive(Clone, Debug)]
pub enum Resume {
    /// The time it waited for has come.
    Time,
    /// Somebody called the resume URL; the item holds the request (`headers`, `query`, `body`, `method`).
    Request(Box<Item>),
    /// The workflows that it started and waited for have ended, in the order of its calls.
    Children(Vec<ChildResult>),
    /// The workflows that it started without waiting.
    Started(Vec<ChildStart>),
}

/// How an execution that a node started has ended.
#[derive(Clone, Debug)]
pub struct ChildResult {
    /// The execution.
    pub execution_id: Uuid,
    /// Its final status.
    pub status: ExecutionStatus,
    /// What its last node gave out.
    pub items: Items,
    /// Why it failed.
    pub error: Option<String>,
}

/// An execution that a node started and does not wait for.
#[derive(Clone, Debug)]
pub struct ChildStart {
    /// The execution.
    pub execution_id: Uuid,
}

/// The execution, as nodes and expressions see it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ExecutionInfo {
    /// `$execution.id`.
    pub id: Uuid,
    /// `$execution.mode`: `production` or `test` (started by hand).
    pub mode: String,
    /// The URL that resumes this execution while it waits for a request; `$execution.resumeUrl`.
    pub resume_url: Option<String>,
    /// The workflow.
    pub workflow: WorkflowInfo,
    /// IANA zone in which `$now` and dates without a zone are read.
    pub timezone: String,
    /// Variables of the organization, `$vars`.
    #[serde(default)]
    pub vars: BTreeMap<String, String>,
}

/// The workflow, as nodes and expressions see it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct WorkflowInfo {
    /// `$workflow.id`.
    pub id: String,
    /// `$workflow.name`.
    pub name: String,
    /// `$workflow.active`.
    pub active: bool,
}

/// Decrypted credentials of an integration. No `Debug`, no `Serialize`: they go into the node that uses them and nowhere else.
pub struct Credential {
    /// The connector, for example `http_bearer`, `http_basic`, `http_header`, `smtp`.
    pub connector: String,
    /// Secret values by field name (`token`, `username`, `password`, ...).
    pub secrets: serde_json::Map<String, Value>,
    /// Settings that are no secret.
    pub configuration: Value,
}

/// How grave a log line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogLevel {
    /// For whoever is looking for a mistake.
    Debug,
    /// Normal.
    Info,
    /// Something may be wrong.
    Warn,
    /// Something failed.
    Error,
}

impl LogLevel {
    /// The word in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
        }
    }
}

/// Source code of a user, to be run in the sandbox.
pub struct CodeRequest<'a> {
    /// The language.
    pub language: CodeLanguage,
    /// Once over all items, or once for each.
    pub mode: CodeMode,
    /// The source.
    pub source: &'a str,
    /// What the code can see.
    pub scope: crate::expression::Scope<'a>,
    /// Longest run, in milliseconds; the host may lower it.
    pub timeout_ms: u64,
}

/// The language of a code node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CodeLanguage {
    /// `JavaScript` (ECMAScript 2023).
    JavaScript,
}

/// How often a code node's source runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CodeMode {
    /// Once, over all items.
    AllItems,
    /// Once for each item.
    EachItem,
}

/// What user code gave back.
#[derive(Clone, Debug, Default)]
pub struct CodeOutput {
    /// The returned value; in [`CodeMode::EachItem`] an array with one element for each item.
    pub value: Value,
    /// Lines written by `console.log` and its siblings.
    pub logs: Vec<(LogLevel, String)>,
}

/// What a node cannot do by itself. The worker, and `tidemill run`, implement it.
#[async_trait]
pub trait Host: Send + Sync {
    /// The present moment.
    fn now(&self) -> DateTime<Utc>;

    /// Writes a line to the execution's log.
    fn log(&self, level: LogLevel, message: String, data: Option<Value>);

    /// Decrypts the credentials of an integration of this organization, by id or by name.
    async fn credential(&self, integration: &str) -> Result<Credential, NodeError>;

    /// Runs user code in the sandbox.
    async fn run_code(&self, request: CodeRequest<'_>) -> Result<CodeOutput, NodeError>;

    /// Keeps bytes for an item's `binary`; small ones inside the item, large ones as a stored file.
    async fn write_binary(
        &self,
        bytes: Bytes,
        mime_type: &str,
        file_name: Option<&str>,
    ) -> Result<Binary, NodeError>;

    /// Reads the bytes of an item's `binary` (only of this execution's organization).
    async fn read_binary(&self, binary: &Binary) -> Result<Bytes, NodeError>;
}
