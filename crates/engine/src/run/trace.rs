//! What happened in an execution, in the format of `tidemill run --trace`.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use super::Run;
use crate::execution::ExecutionStatus;
use crate::item::Items;

/// The trace of an execution.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Trace {
    /// How it ended, or `waiting`.
    pub status: ExecutionStatus,
    /// Why it failed.
    pub error: Option<String>,
    /// Names of the nodes in the order in which their runs finished.
    pub order: Vec<String>,
    /// The runs of each node, by name.
    pub nodes: IndexMap<String, Vec<TraceRun>>,
}

/// One run of a node.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TraceRun {
    /// The items by output.
    pub outputs: Vec<Items>,
    /// The error, when the node failed and the execution went on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

impl Run {
    /// The trace so far.
    #[must_use]
    pub fn trace(&self, status: ExecutionStatus, error: Option<String>) -> Trace {
        let mut trace = Trace { status, error, order: Vec::new(), nodes: IndexMap::new() };
        for &(node, run) in self.data.order() {
            let name = &self.graph.nodes[node].name;
            let record = &self.data.runs(node)[run];
            trace.order.push(name.clone());
            trace.nodes.entry(name.clone()).or_default().push(TraceRun {
                outputs: record.outputs.clone(),
                error: record.error.as_ref().map(|error| error.message.clone()),
            });
        }
        trace
    }
}
