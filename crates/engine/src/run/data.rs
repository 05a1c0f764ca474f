//! What the steps of an execution have given out so far.

use serde_json::Value;

use crate::graph::NodeIndex;
use crate::item::{Items, OriginItem};
use crate::node::NodeError;

/// The finished runs of every node, in the order in which they ran.
#[derive(Clone, Debug, Default)]
pub struct RunData {
    runs: Vec<Vec<RunRecord>>,
    order: Vec<(NodeIndex, usize)>,
}

/// One finished run of a node.
#[derive(Clone, Debug, Default)]
pub struct RunRecord {
    /// The items that arrived, by input.
    pub inputs: Vec<Option<Items>>,
    /// Where they came from, by input.
    pub sources: Vec<Option<SourceRun>>,
    /// The items it gave out, by output.
    pub outputs: Vec<Items>,
    /// The error it continued after.
    pub error: Option<NodeError>,
    /// The state it left for its next run.
    pub context: Option<Value>,
}

/// The run and output that a list of items came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SourceRun {
    /// The node.
    pub node: NodeIndex,
    /// Which run of it.
    pub run: usize,
    /// Which output.
    pub output: usize,
}

impl RunData {
    /// Nothing has run yet.
    #[must_use]
    pub fn new(nodes: usize) -> Self {
        Self { runs: vec![Vec::new(); nodes], order: Vec::new() }
    }

    /// The runs of a node.
    #[must_use]
    pub fn runs(&self, node: NodeIndex) -> &[RunRecord] {
        self.runs.get(node).map_or(&[], Vec::as_slice)
    }

    /// The items that a run gave out on an output.
    #[must_use]
    pub fn output(&self, source: SourceRun) -> Option<&Items> {
        self.runs(source.node).get(source.run)?.outputs.get(source.output)
    }

    /// Every finished run, in order, as `(node, run)`.
    #[must_use]
    pub fn order(&self) -> &[(NodeIndex, usize)] {
        &self.order
    }

    /// The run that finished last.
    #[must_use]
    pub fn last(&self) -> Option<(NodeIndex, &RunRecord)> {
        let &(node, run) = self.order.last()?;
        Some((node, self.runs.get(node)?.get(run)?))
    }

    pub(super) fn push(&mut self, node: NodeIndex, record: RunRecord) {
        let runs = &mut self.runs[node];
        self.order.push((node, runs.len()));
        runs.push(record);
    }

    /// Follows an item's origin back to the item of `wanted` that it was made from, as `(run, output, item)`.
    ///
    /// `sources` are those of the step that holds the item and `origins` the items of its inputs. The first
    /// path that leads there wins; `None` when none does.
    #[must_use]
    pub fn trace_origin(
        &self,
        sources: &[Option<SourceRun>],
        origins: &[OriginItem],
        wanted: NodeIndex,
    ) -> Option<(SourceRun, usize)> {
        // Depth is bounded by the number of runs: a source always ran before the step it feeds.
        let mut open: Vec<(SourceRun, usize)> = resolve(sources, origins).rev().collect();
        let mut budget = 10_000usize;
        while let Some((source, item)) = open.pop() {
            if source.node == wanted {
                return Some((source, item));
            }
            budget = budget.checked_sub(1)?;
            let Some(record) = self.runs(source.node).get(source.run) else { continue };
            let Some(origin) = record.outputs.get(source.output).and_then(|items| items.get(item)) else {
                continue;
            };
            let origins = origin.paired_item.items();
            open.extend(
                origins
                    .iter()
                    .rev()
                    .filter_map(|origin| Some((self.arrival(source, record, origin.input)?, origin.item))),
            );
        }
        None
    }

    /// What an input of a run came from. An index past the last input counts earlier runs of the node: a loop
    /// gives out items that arrived before its body ran.
    fn arrival(&self, run: SourceRun, record: &RunRecord, input: usize) -> Option<SourceRun> {
        if let Some(source) = record.sources.get(input) {
            return *source;
        }
        let runs_ago = input + 1 - record.sources.len();
        let earlier = self.runs(run.node).get(run.run.checked_sub(runs_ago)?)?;
        earlier.sources.first().copied().flatten()
    }
}

fn resolve<'a>(
    sources: &'a [Option<SourceRun>],
    origins: &'a [OriginItem],
) -> impl DoubleEndedIterator<Item = (SourceRun, usize)> + 'a {
    origins.iter().filter_map(|origin| Some((sources.get(origin.input).copied().flatten()?, origin.item)))
}
