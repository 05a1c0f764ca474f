//! A failed execution, as the workflow hears of it that its definition names for that.

use std::sync::Arc;

use engine::node::{ExecutionInfo, NodeError, WorkflowReference};
use engine::{Graph, Item};
use serde_json::json;

use crate::environment::{Environment, TriggerRole};
use crate::journal::{Start, StartReason};

/// An execution that has failed.
pub(crate) struct Failure<'a> {
    /// Its workflow.
    pub graph: &'a Graph,
    /// The execution.
    pub execution: &'a ExecutionInfo,
    /// Why it failed.
    pub error: &'a NodeError,
    /// The node at which it failed.
    pub node_id: Option<&'a str>,
}

impl Failure<'_> {
    /// The execution of the error workflow, to be committed with the failure; `None` if the workflow names none.
    ///
    /// # Errors
    /// Why it cannot be started, as a line for the execution log.
    pub(crate) async fn start(&self, environment: &dyn Environment) -> Result<Option<Start>, String> {
        let Some(name) = self.graph.settings.error_workflow.as_deref().filter(|name| !name.is_empty()) else {
            return Ok(None);
        };
        let reference = WorkflowReference::Stored(name.to_owned());
        let workflow = environment
            .find_workflow(&reference, TriggerRole::Failure)
            .await
            .map_err(|problem| format!("the error workflow could not be started: {}", problem.message))?;
        let items = Arc::new(vec![self.item()]);
        Ok(Some(Start { id: store::ids::new_id(), workflow, items, reason: StartReason::Failure, depth: 0 }))
    }

    /// What the error workflow is given.
    fn item(&self) -> Item {
        let Self { graph, execution, error, node_id } = self;
        let node = node_id.and_then(|id| graph.by_id(id)).map(|index| &graph.nodes[index]);
        Item::from_value(json!({
            "execution": {
                "id": execution.id,
                "mode": execution.mode,
                "lastNodeExecuted": node.map(|node| &node.name),
                "error": { "message": error.message, "code": error.code, "nodeId": node_id, "nodeType": node.map(|node| node.node_type()) },
            },
            "workflow": { "id": execution.workflow.id, "name": execution.workflow.name },
        }))
    }
}
