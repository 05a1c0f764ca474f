//! The [`Environment`] of an execution that a worker has claimed: its organization's part of the store.

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use chrono::{DateTime, Utc};
use engine::execution::ExecutionStatus;
use engine::item::{Binary, Items};
use engine::node::{ChildResult, Credential, NodeError, WorkflowReference};
use futures::{StreamExt, stream};
use serde_json::{Value, json};
use store::files::{FileStoreError, NewFile};
use uuid::Uuid;

use super::Services;
use super::definitions::{Definitions, Unusable};
use crate::environment::{Environment, TriggerRole};
use crate::inline::{decode_binary, described_binary, graph_of, inline_binary};
use crate::journal::FoundWorkflow;

/// The surroundings of one execution.
pub(super) struct TenantEnvironment<'a> {
    pub services: &'a Services,
    pub definitions: &'a Definitions,
    pub organization_id: Uuid,
    pub user_id: Option<Uuid>,
    pub execution_id: Uuid,
    /// The workflow and version that run.
    pub workflow: (Uuid, i64),
    pub inline_binary_bytes: usize,
}

#[async_trait]
impl Environment for TenantEnvironment<'_> {
    fn now(&self) -> DateTime<Utc> {
        self.services.db.now()
    }

    async fn credential(&self, integration: &str) -> Result<Credential, NodeError> {
        let Services { db, vault, .. } = self.services;
        match store::integrations::unseal(db.reader(), vault, self.organization_id, integration, &[]).await {
            Ok(Some(unsealed)) => Ok(unsealed.into()),
            Ok(None) => {
                let message = format!("there is no integration {integration:?} in this organization");
                Err(NodeError::fatal("no_integration", message))
            }
            Err(store::Error::Vault(error)) => {
                // The cause is for the log: it says nothing that a user could act on.
                tracing::error!(organization = %self.organization_id, integration, %error, "credentials cannot be decrypted");
                let message = format!(
                    "the credentials of integration {integration:?} cannot be decrypted; enter them again"
                );
                Err(NodeError::fatal("credential_unreadable", message))
            }
            Err(error) => Err(unavailable(error)),
        }
    }

    async fn write_binary(
        &self,
        bytes: Bytes,
        mime_type: &str,
        file_name: Option<&str>,
    ) -> Result<Binary, NodeError> {
        if bytes.len() <= self.inline_binary_bytes {
            return Ok(inline_binary(&bytes, mime_type, file_name));
        }
        let described = described_binary(bytes.len(), mime_type, file_name);
        let id = store::ids::new_id();
        let content = stream::iter([Ok::<_, std::convert::Infallible>(bytes)]);
        let Services { db, files, max_file_bytes, .. } = self.services;
        let new = NewFile {
            id,
            organization_id: self.organization_id,
            user_id: self.user_id,
            execution_id: Some(self.execution_id),
            filename: file_name.unwrap_or("data").to_owned(),
            mime_type: Some(mime_type.to_owned()),
            content: files.put(id, content, *max_file_bytes).await.map_err(unstored)?,
            metadata: json!({}),
        };
        store::files::create(db.writer(), db.now(), new).await.map_err(unavailable)?;
        Ok(Binary { id: Some(id.to_string()), ..described })
    }

    async fn read_binary(&self, binary: &Binary) -> Result<Bytes, NodeError> {
        let Some(id) = &binary.id else { return decode_binary(binary) };
        let missing = || {
            NodeError::fatal("file_not_found", format!("there is no stored file {id:?} in this organization"))
        };
        let Services { db, files, .. } = self.services;
        let file_id: Uuid = id.parse().map_err(|_| missing())?;
        // The row says whose it is; the content is found by the id alone.
        store::files::find(db.reader(), self.organization_id, file_id)
            .await
            .map_err(unavailable)?
            .ok_or_else(missing)?;
        let file = files.read(file_id).await.map_err(unstored)?.ok_or_else(missing)?;
        let mut bytes = BytesMut::with_capacity(usize::try_from(file.size_bytes).unwrap_or(0));
        let mut content = file.into_stream();
        while let Some(piece) = content.next().await {
            bytes.extend_from_slice(&piece.map_err(|error| unstored(error.into()))?);
        }
        Ok(bytes.freeze())
    }

    async fn find_workflow(
        &self,
        reference: &WorkflowReference,
        role: TriggerRole,
    ) -> Result<FoundWorkflow, NodeError> {
        let catalogue = &self.services.catalogue;
        let no_trigger = || NodeError::fatal("no_trigger", "the workflow has no enabled trigger to start at");
        match reference {
            WorkflowReference::Inline(definition) => {
                let graph = graph_of(definition.clone(), catalogue)?;
                let trigger = role.trigger_of(&graph).ok_or_else(no_trigger)?;
                let (id, version) = self.workflow;
                let trigger_node_id = graph.nodes[trigger].id.clone();
                Ok(FoundWorkflow { id, version, definition: Some(definition.clone()), trigger_node_id })
            }
            WorkflowReference::Stored(reference) => {
                let db = &self.services.db;
                let found =
                    store::workflows::find_by_reference(db.reader(), self.organization_id, reference).await;
                let Some(workflow) = found.map_err(unavailable)? else {
                    let message = format!("there is no workflow {reference:?} in this organization");
                    return Err(NodeError::fatal("workflow_not_found", message));
                };
                if workflow.status == "archived" {
                    return Err(NodeError::fatal(
                        "workflow_archived",
                        format!("workflow {:?} is archived", workflow.name),
                    ));
                }
                let key = (workflow.id, workflow.version);
                let pinned =
                    self.definitions.pinned(db, catalogue, self.organization_id, key).await.map_err(
                        |error| match error {
                            Unusable::Store(error) => unavailable(error),
                            Unusable::Definition(error) => error,
                        },
                    )?;
                let trigger = role.trigger_of(&pinned.graph).ok_or_else(no_trigger)?;
                let trigger_node_id = pinned.graph.nodes[trigger].id.clone();
                Ok(FoundWorkflow { id: key.0, version: key.1, definition: None, trigger_node_id })
            }
        }
    }

    async fn child_results(&self, executions: &[Uuid]) -> Result<Option<Vec<ChildResult>>, NodeError> {
        let db = &self.services.db;
        let mut rows = store::executions::find_many(db.reader(), self.organization_id, executions)
            .await
            .map_err(|error| {
                if error.is_temporary() {
                    return unavailable(error);
                }
                tracing::error!(%error, cause = ?std::error::Error::source(&error).map(ToString::to_string), "the results of sub-workflows cannot be read");
                NodeError::fatal("corrupt_execution", "the results of the executions it waits for cannot be read")
            })?;
        let mut results = Vec::with_capacity(executions.len());
        for id in executions {
            let Some(at) = rows.iter().position(|row| row.id == *id) else {
                // Deleted by a person or by retention: nothing will ever come of it.
                let error = Some("the execution was deleted".to_owned());
                results.push(ChildResult {
                    execution_id: *id,
                    status: ExecutionStatus::Failed,
                    items: Items::default(),
                    error,
                });
                continue;
            };
            let row = rows.swap_remove(at);
            let status: ExecutionStatus =
                row.status.parse().map_err(|error: String| NodeError::fatal("corrupt_execution", error))?;
            if !status.is_final() {
                return Ok(None);
            }
            let items = items_of(row.output_data)
                .map_err(|error| NodeError::fatal("corrupt_execution", error.to_string()))?;
            results.push(ChildResult { execution_id: *id, status, items, error: row.error_message });
        }
        Ok(Some(results))
    }
}

/// The items in a column of `executions`.
pub(super) fn items_of(value: Option<Value>) -> Result<Items, serde_json::Error> {
    value.filter(|value| !value.is_null()).map_or_else(|| Ok(Items::default()), serde_json::from_value)
}

/// The store failed while a node used it. The cause is logged, not shown.
fn unavailable(error: store::Error) -> NodeError {
    if let store::Error::Invalid { .. } = &error {
        return NodeError::fatal("invalid_data", error.to_string());
    }
    tracing::warn!(%error, cause = ?std::error::Error::source(&error).map(ToString::to_string), "a node could not use the store");
    NodeError::retryable("store_unavailable", "the database or the file storage did not answer")
}

/// The file storage failed.
fn unstored(error: FileStoreError) -> NodeError {
    if let FileStoreError::TooLarge { max_bytes } = error {
        return NodeError::fatal(
            "file_too_large",
            format!("the file is larger than {max_bytes} bytes (files.max_file_bytes)"),
        );
    }
    tracing::error!(%error, cause = ?std::error::Error::source(&error).map(ToString::to_string), "the file storage failed");
    NodeError::retryable("store_unavailable", "the file storage failed")
}
