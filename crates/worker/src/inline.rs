//! Runs a workflow in this process alone: no database, no server, no other process than the sandbox's.
//!
//! The same [`drive`](crate::drive()) runs it as in a worker, over a journal in memory. What needs a server is
//! done in place or refused: a wait for a time sleeps, a workflow that a node starts is looked up in a
//! [`WorkflowSource`] and run right then, a wait for a request fails with a clear error.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use engine::expression::Evaluator;
use engine::graph::NodeIndex;
use engine::item::{Binary, Items};
use engine::node::{
    Catalogue, ChildResult, Credential, ExecutionInfo, NodeError, WorkflowInfo, WorkflowReference,
};
use engine::{Definition, Graph, Problem};
use futures::future::BoxFuture;
use serde_json::Value;
use tokio::time::Instant;
use uuid::Uuid;

use crate::drive::{Control, End, Job, Limits, Outside, Report, drive};
use crate::environment::{Environment, TriggerRole};
use crate::journal::{FoundWorkflow, MemoryJournal, Progress, Start, StartReason};

/// Largest file that a node may keep: it stays in memory.
const MAX_BINARY_BYTES: usize = 256 * 1024 * 1024;

/// A wait is always done in place: nobody else wants it.
const HOLD: Duration = Duration::from_secs(10 * 365 * 24 * 3600);

/// Finds what a workflow file refers to by name.
#[async_trait]
pub trait WorkflowSource: Send + Sync {
    /// The definition of a workflow that a node starts, by whatever its reference says: a path, a name.
    ///
    /// # Errors
    /// Why there is none, as a sentence for the user.
    async fn definition(&self, reference: &str) -> Result<Value, String>;

    /// The credentials that a node names.
    ///
    /// # Errors
    /// Why there are none, as a sentence for the user.
    async fn credential(&self, integration: &str) -> Result<Credential, String> {
        Err(format!("there is no integration {integration:?} here"))
    }
}

/// A [`WorkflowSource`] that knows nothing.
pub struct NoWorkflows;

#[async_trait]
impl WorkflowSource for NoWorkflows {
    async fn definition(&self, reference: &str) -> Result<Value, String> {
        Err(format!("there is no workflow {reference:?} here"))
    }
}

/// Runs workflows in this process.
pub struct Inline {
    /// The node types.
    pub catalogue: Arc<Catalogue>,
    /// Who runs JavaScript.
    pub evaluator: Arc<dyn Evaluator>,
    /// Where other workflows and credentials are found.
    pub source: Arc<dyn WorkflowSource>,
    /// Bounds of the execution.
    pub limits: Limits,
    /// The moment at which the process began; time goes on from there.
    pub started_at: DateTime<Utc>,
}

/// A workflow to be run in this process.
pub struct InlineRequest {
    /// Its name, `$workflow.name`.
    pub name: String,
    /// The workflow.
    pub graph: Arc<Graph>,
    /// Where it starts; the upper trigger when `None`.
    pub trigger: Option<NodeIndex>,
    /// What the trigger gives out.
    pub items: Items,
}

impl Inline {
    /// Runs a workflow to its end. `progress` hears of each step of it (not of the workflows that it starts).
    ///
    /// # Errors
    /// `no_trigger` when there is nothing to start at.
    pub async fn run(
        &self,
        request: InlineRequest,
        control: &Control,
        progress: Option<Arc<dyn Progress>>,
    ) -> Result<Report, NodeError> {
        let environment =
            InlineEnvironment { inline: self, began: Instant::now(), results: Mutex::default() };
        let trigger = request
            .trigger
            .or_else(|| TriggerRole::SubWorkflow.trigger_of(&request.graph))
            .ok_or_else(no_trigger)?;
        let planned = Planned {
            name: request.name,
            graph: request.graph,
            trigger,
            items: request.items,
            depth: 0,
            is_error_run: false,
        };
        Ok(environment.run(store::ids::new_id(), planned, control, progress).await)
    }
}

struct Planned {
    name: String,
    graph: Arc<Graph>,
    trigger: NodeIndex,
    items: Items,
    depth: u32,
    is_error_run: bool,
}

struct InlineEnvironment<'a> {
    inline: &'a Inline,
    began: Instant,
    results: Mutex<HashMap<Uuid, ChildResult>>,
}

impl InlineEnvironment<'_> {
    fn run<'b>(
        &'b self,
        id: Uuid,
        planned: Planned,
        control: &'b Control,
        progress: Option<Arc<dyn Progress>>,
    ) -> BoxFuture<'b, Report> {
        Box::pin(async move {
            let journal = MemoryJournal::new(progress);
            let outside =
                Outside { journal: &journal, environment: self, evaluator: self.inline.evaluator.as_ref() };
            let limits = Limits { hold: HOLD, ..self.inline.limits.clone() };
            loop {
                let job = Job {
                    execution: execution_info(id, &planned),
                    graph: Arc::clone(&planned.graph),
                    trigger: planned.trigger,
                    items: Arc::clone(&planned.items),
                    recorded: journal.steps(),
                    depth: planned.depth,
                    is_error_run: planned.is_error_run,
                    resume_token_hash: None,
                };
                let report = drive(job, outside, control, &limits).await;
                for start in journal.take_starts() {
                    self.run_start(start, control).await;
                }
                // Waits are held in place, so what it waits for are the workflows that were run just now.
                if !matches!(report.end, End::Suspended { .. }) {
                    return report;
                }
            }
        })
    }

    async fn run_start(&self, start: Start, control: &Control) {
        let Some(definition) = start.workflow.definition else { return };
        let result = match graph_of(definition, &self.inline.catalogue) {
            Ok(graph) => match graph.by_id(&start.workflow.trigger_node_id) {
                Some(trigger) => {
                    let is_error_run = start.reason == StartReason::Failure;
                    let planned = Planned {
                        name: String::new(),
                        graph: Arc::new(graph),
                        trigger,
                        items: start.items,
                        depth: start.depth,
                        is_error_run,
                    };
                    child_result(start.id, &self.run(start.id, planned, control, None).await)
                }
                None => failed_child(start.id, no_trigger().message),
            },
            Err(error) => failed_child(start.id, error.message),
        };
        self.results.lock().unwrap_or_else(PoisonError::into_inner).insert(start.id, result);
    }
}

#[async_trait]
impl Environment for InlineEnvironment<'_> {
    fn now(&self) -> DateTime<Utc> {
        self.inline.started_at + TimeDelta::from_std(self.began.elapsed()).unwrap_or_default()
    }

    async fn credential(&self, integration: &str) -> Result<Credential, NodeError> {
        self.inline
            .source
            .credential(integration)
            .await
            .map_err(|message| NodeError::fatal("no_credential", message))
    }

    async fn write_binary(
        &self,
        bytes: Bytes,
        mime_type: &str,
        file_name: Option<&str>,
    ) -> Result<Binary, NodeError> {
        if bytes.len() > MAX_BINARY_BYTES {
            return Err(NodeError::fatal(
                "file_too_large",
                format!("a file of {} bytes is more than the {MAX_BINARY_BYTES} that fit", bytes.len()),
            ));
        }
        Ok(inline_binary(&bytes, mime_type, file_name))
    }

    async fn read_binary(&self, binary: &Binary) -> Result<Bytes, NodeError> {
        match &binary.id {
            None => decode_binary(binary),
            Some(id) => Err(NodeError::fatal(
                "file_not_found",
                format!("the stored file {id:?} is on a server, not here"),
            )),
        }
    }

    async fn find_workflow(
        &self,
        reference: &WorkflowReference,
        role: TriggerRole,
    ) -> Result<FoundWorkflow, NodeError> {
        let definition = match reference {
            WorkflowReference::Inline(definition) => definition.clone(),
            WorkflowReference::Stored(name) => {
                let found = self.inline.source.definition(name).await;
                found.map_err(|message| NodeError::fatal("workflow_not_found", message))?
            }
        };
        let graph = graph_of(definition.clone(), &self.inline.catalogue)?;
        let trigger = role.trigger_of(&graph).ok_or_else(no_trigger)?;
        Ok(FoundWorkflow {
            id: Uuid::nil(),
            version: 1,
            definition: Some(definition),
            trigger_node_id: graph.nodes[trigger].id.clone(),
        })
    }

    async fn child_results(&self, executions: &[Uuid]) -> Result<Option<Vec<ChildResult>>, NodeError> {
        let results = self.results.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(executions.iter().map(|id| results.get(id).cloned()).collect())
    }
}

fn execution_info(id: Uuid, planned: &Planned) -> ExecutionInfo {
    ExecutionInfo {
        id,
        mode: "test".to_owned(),
        resume_url: None,
        workflow: WorkflowInfo { id: String::new(), name: planned.name.clone(), active: false },
        timezone: planned.graph.settings.timezone.clone().unwrap_or_else(|| "UTC".to_owned()),
        vars: std::collections::BTreeMap::new(),
    }
}

fn child_result(execution_id: Uuid, report: &Report) -> ChildResult {
    let trace = report.trace();
    ChildResult { execution_id, status: trace.status, items: report.items(), error: trace.error }
}

fn failed_child(execution_id: Uuid, error: String) -> ChildResult {
    let status = engine::execution::ExecutionStatus::Failed;
    ChildResult { execution_id, status, items: Items::default(), error: Some(error) }
}

/// Parses and validates a definition.
///
/// # Errors
/// `invalid_workflow` with every problem that keeps it from running.
pub fn graph_of(definition: Value, catalogue: &Catalogue) -> Result<Graph, NodeError> {
    let checked = match Definition::from_json(definition) {
        Ok(definition) => definition.validate(catalogue).into_graph(),
        Err(problem) => Err(vec![problem]),
    };
    checked.map_err(|problems| {
        let texts: Vec<String> = problems.iter().map(Problem::to_string).collect();
        NodeError::fatal("invalid_workflow", format!("the workflow cannot run: {}", texts.join("; ")))
    })
}

/// Bytes inside an item.
pub(crate) fn inline_binary(bytes: &[u8], mime_type: &str, file_name: Option<&str>) -> Binary {
    Binary { data: STANDARD.encode(bytes).into(), ..described_binary(bytes.len(), mime_type, file_name) }
}

/// What is said of bytes, without the bytes.
pub(crate) fn described_binary(size: usize, mime_type: &str, file_name: Option<&str>) -> Binary {
    let extension =
        file_name.and_then(|name| name.rsplit_once('.')).map(|(_, extension)| extension.to_owned());
    Binary {
        data: "".into(),
        id: None,
        mime_type: mime_type.to_owned(),
        file_name: file_name.map(str::to_owned),
        file_extension: extension,
        size_bytes: u64::try_from(size).ok(),
    }
}

/// The bytes inside an item.
pub(crate) fn decode_binary(binary: &Binary) -> Result<Bytes, NodeError> {
    let decoded = STANDARD.decode(binary.data.as_bytes());
    decoded.map(Bytes::from).map_err(|error| {
        NodeError::fatal("invalid_binary", format!("the binary data is not in base64: {error}"))
    })
}

fn no_trigger() -> NodeError {
    NodeError::fatal("no_trigger", "the workflow has no enabled trigger to start at")
}
