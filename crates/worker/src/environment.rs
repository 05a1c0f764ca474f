//! What an execution needs of its surroundings, besides a journal.

use async_trait::async_trait;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use engine::item::Binary;
use engine::node::{ChildResult, Credential, NodeError, WorkflowReference};
use uuid::Uuid;

use crate::journal::FoundWorkflow;

/// The surroundings of one execution: a tenant's part of the store, or the files next to a person's workflow file.
#[async_trait]
pub trait Environment: Send + Sync {
    /// The present moment.
    fn now(&self) -> DateTime<Utc>;

    /// Decrypts the credentials of an integration, by id or by name.
    async fn credential(&self, integration: &str) -> Result<Credential, NodeError>;

    /// Keeps bytes, inside the returned value or as a stored file.
    async fn write_binary(
        &self,
        bytes: Bytes,
        mime_type: &str,
        file_name: Option<&str>,
    ) -> Result<Binary, NodeError>;

    /// Reads bytes kept by [`Environment::write_binary`].
    async fn read_binary(&self, binary: &Binary) -> Result<Bytes, NodeError>;

    /// Finds a workflow that this execution may start, and checks that it can be started. `role` says which
    /// of its triggers is wanted.
    async fn find_workflow(
        &self,
        reference: &WorkflowReference,
        role: TriggerRole,
    ) -> Result<FoundWorkflow, NodeError>;

    /// The results of executions that this one waits for, in the order asked, or `None` while one of them has not ended.
    ///
    /// An error that is retryable says nothing about them: they are asked for again.
    async fn child_results(&self, executions: &[Uuid]) -> Result<Option<Vec<ChildResult>>, NodeError>;
}

/// Why a workflow is started by another, which decides at which of its triggers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TriggerRole {
    /// A node calls it.
    SubWorkflow,
    /// The execution of another workflow failed.
    Failure,
}

impl TriggerRole {
    /// Types of triggers that are meant for this role, the best first.
    const fn preferred(self) -> &'static [&'static str] {
        match self {
            Self::SubWorkflow => &["workflow_trigger", "manual"],
            Self::Failure => &["error_trigger", "manual"],
        }
    }

    /// The trigger to start from: one meant for the role, otherwise the upper one.
    #[must_use]
    pub fn trigger_of(self, graph: &engine::Graph) -> Option<engine::graph::NodeIndex> {
        let triggers = graph.triggers();
        let of_type =
            |wanted: &&str| triggers.iter().copied().find(|&index| graph.nodes[index].node_type() == *wanted);
        self.preferred().iter().find_map(of_type).or_else(|| triggers.first().copied())
    }
}
