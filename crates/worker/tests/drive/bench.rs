//! A bench to drive executions on: an environment whose clock is tokio's, and journals that die.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use engine::Graph;
use engine::item::{Binary, Items};
use engine::node::{ChildResult, Credential, ExecutionInfo, NodeError, WorkflowInfo, WorkflowReference};
use serde_json::{Value, json};
use store::journal::StepStatus;
use tokio::sync::Mutex;
use tokio::time::Instant;
use uuid::Uuid;
use worker::journal::{Durability, Ended, FoundWorkflow, Gone, Journal, MemoryJournal, Records, Refusal};
use worker::{Control, Environment, Job, Limits, Outside, Report, Step, TriggerRole, drive};

use crate::support::{Calls, NoScripts, graph, items};

pub(crate) const TOKEN_HASH: &str = "hash-of-the-token";
pub(crate) const SECRET: &str = "s3cr3t-t0ken";

/// An execution and what it is recorded in.
pub(crate) struct Bench {
    pub(crate) calls: Calls,
    pub(crate) graph: Arc<Graph>,
    pub(crate) journal: MemoryJournal,
    pub(crate) control: Control,
    pub(crate) limits: Limits,
    pub(crate) environment: BenchEnvironment,
    pub(crate) id: Uuid,
}

pub(crate) struct BenchEnvironment {
    began: Instant,
    /// So many reads of results fail before one succeeds.
    pub(crate) broken_reads: AtomicUsize,
}

impl Bench {
    pub(crate) fn new(definition: Value) -> Self {
        Self::with_calls(definition, &Calls::default())
    }

    pub(crate) fn with_calls(definition: Value, calls: &Calls) -> Self {
        Self {
            graph: graph(definition, calls),
            calls: calls.clone(),
            journal: MemoryJournal::default(),
            control: Control::default(),
            limits: Limits::default(),
            environment: BenchEnvironment { began: Instant::now(), broken_reads: AtomicUsize::new(0) },
            id: Uuid::from_u128(1),
        }
    }

    fn job(&self) -> Job {
        Job {
            execution: ExecutionInfo {
                id: self.id,
                mode: "test".into(),
                resume_url: None,
                workflow: WorkflowInfo::default(),
                timezone: "UTC".into(),
                vars: Default::default(),
            },
            graph: Arc::clone(&self.graph),
            trigger: self.graph.triggers()[0],
            items: items(json!({})),
            recorded: self.journal.steps(),
            depth: 0,
            is_error_run: false,
            resume_token_hash: Some(TOKEN_HASH.into()),
        }
    }

    /// Drives the execution from where its record stands.
    pub(crate) async fn drive(&self) -> Report {
        self.drive_over(&self.journal).await
    }

    pub(crate) async fn drive_over(&self, journal: &dyn Journal) -> Report {
        let outside = Outside { journal, environment: &self.environment, evaluator: &NoScripts };
        drive(self.job(), outside, &self.control, &self.limits).await
    }

    /// The record of the last attempt of a node's only run.
    pub(crate) fn step(&self, node: &str) -> Step {
        self.journal.steps().into_iter().rfind(|step| step.node_id == node).unwrap()
    }

    /// `(node, attempt, status)` of every record.
    pub(crate) fn rows(&self) -> Vec<(String, u32, StepStatus)> {
        self.journal.steps().into_iter().map(|step| (step.node_id, step.attempt, step.status)).collect()
    }
}

#[async_trait]
impl Environment for BenchEnvironment {
    fn now(&self) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::from_std(self.began.elapsed()).unwrap()
    }

    async fn credential(&self, _: &str) -> Result<Credential, NodeError> {
        let secrets = json!({ "token": SECRET }).as_object().unwrap().clone();
        Ok(Credential { connector: "http_bearer".into(), secrets, configuration: Value::Null })
    }

    async fn write_binary(&self, _: Bytes, _: &str, _: Option<&str>) -> Result<Binary, NodeError> {
        Ok(Binary::default())
    }

    async fn read_binary(&self, _: &Binary) -> Result<Bytes, NodeError> {
        Ok(Bytes::new())
    }

    async fn find_workflow(
        &self,
        reference: &WorkflowReference,
        _: TriggerRole,
    ) -> Result<FoundWorkflow, NodeError> {
        match reference {
            WorkflowReference::Stored(name) if name == "missing" => {
                Err(NodeError::fatal("workflow_not_found", "there is none"))
            }
            _ => Ok(FoundWorkflow {
                id: Uuid::from_u128(9),
                version: 1,
                definition: None,
                trigger_node_id: "start".into(),
            }),
        }
    }

    async fn child_results(&self, executions: &[Uuid]) -> Result<Option<Vec<ChildResult>>, NodeError> {
        let left = self.broken_reads.load(Ordering::SeqCst);
        if left > 0 {
            self.broken_reads.store(left - 1, Ordering::SeqCst);
            return Err(NodeError::retryable("store_unavailable", "the database did not answer"));
        }
        let done = |id: &Uuid| ChildResult {
            execution_id: *id,
            status: engine::execution::ExecutionStatus::Completed,
            items: Items::default(),
            error: None,
        };
        Ok(Some(executions.iter().map(done).collect()))
    }
}

/// A journal that dies: after `commits` commits everything is [`Gone::Lost`]. Records that nobody waits for are
/// committed with the next that somebody waits for, or at once, as `is_lazy` says.
pub(crate) struct DyingJournal<'a> {
    inner: &'a MemoryJournal,
    left: AtomicUsize,
    is_lazy: bool,
    pending: Mutex<Records>,
}

impl<'a> DyingJournal<'a> {
    pub(crate) fn new(inner: &'a MemoryJournal, commits: usize, is_lazy: bool) -> Self {
        Self { inner, left: AtomicUsize::new(commits), is_lazy, pending: Mutex::default() }
    }

    pub(crate) fn has_died(&self) -> bool {
        self.left.load(Ordering::SeqCst) == usize::MAX
    }

    fn commit(&self) -> Result<(), Gone> {
        let left = self.left.load(Ordering::SeqCst);
        if left == 0 || left == usize::MAX {
            self.left.store(usize::MAX, Ordering::SeqCst);
            return Err(Gone::Lost);
        }
        self.left.store(left - 1, Ordering::SeqCst);
        Ok(())
    }

    async fn merged(&self, records: Records) -> Records {
        let mut pending = std::mem::take(&mut *self.pending.lock().await);
        pending.steps.extend(records.steps);
        pending.logs.extend(records.logs);
        pending.starts.extend(records.starts);
        pending
    }
}

#[async_trait]
impl Journal for DyingJournal<'_> {
    async fn record(&self, records: Records, durability: Durability) -> Result<(), Gone> {
        let records = self.merged(records).await;
        if self.is_lazy && durability == Durability::Soon {
            *self.pending.lock().await = records;
            return Ok(());
        }
        self.commit()?;
        self.inner.record(records, durability).await
    }

    fn offer(&self, records: Records) -> Result<(), Refusal> {
        Err(Refusal::Full(records))
    }

    async fn finish(&self, records: Records, ended: Ended) -> Result<(), Gone> {
        let records = self.merged(records).await;
        self.commit()?;
        self.inner.finish(records, ended).await
    }

    async fn suspend(&self, records: Records, resume_at: Option<DateTime<Utc>>) -> Result<(), Gone> {
        let records = self.merged(records).await;
        self.commit()?;
        self.inner.suspend(records, resume_at).await
    }

    async fn release(&self, records: Records) -> Result<(), Gone> {
        let records = self.merged(records).await;
        self.commit()?;
        self.inner.release(records).await
    }
}
