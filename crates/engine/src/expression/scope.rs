//! What an expression can see.

use chrono::{DateTime, Utc};

use crate::graph::{Graph, NodeSpec};
use crate::item::Items;
use crate::node::ExecutionInfo;
use crate::run::RunData;

/// What the expressions of one run of a node can see. Borrowed: nothing is copied until a value is read.
#[derive(Clone, Copy)]
pub struct Scope<'a> {
    /// The workflow, to find nodes by name.
    pub graph: &'a Graph,
    /// The node whose parameters are resolved; `$node`, `$parameter`.
    pub node: &'a NodeSpec,
    /// Which run of the node, from 0; `$runIndex`.
    pub run_index: usize,
    /// The items by input; `$json`, `$input`, `$binary` are those of the first.
    pub inputs: &'a [Option<Items>],
    /// Where those items came from, by input; followed by `$('Name').item` and `$prevNode`.
    pub sources: &'a [Option<crate::run::SourceRun>],
    /// What earlier steps gave out; `$('Name')`.
    pub data: &'a RunData,
    /// `$execution`, `$workflow`, `$vars`, the time zone.
    pub execution: &'a ExecutionInfo,
    /// `$now`; the same for every expression of one run.
    pub now: DateTime<Utc>,
}
