//! Running a workflow, as a state machine without effects.
//!
//! [`Run`] says which node is next and with which items ([`Run::next_task`]); whoever drives it runs the
//! node and hands the result back ([`Run::settle`]). Branches run depth first, the upper one first; a
//! node with several connected inputs waits until each has been reached or nothing else is left to
//! run. These are n8n's rules of execution order v1.
//!
//! A run is deterministic: the same results, handed back in the same order, give the same tasks. That
//! is all that recovery needs. After a crash the recorded steps are settled again, and the first task
//! without a record is where work goes on.

mod data;
mod settle;
mod trace;

use std::collections::VecDeque;
use std::sync::Arc;

use serde_json::{Value, json};

use crate::graph::{Graph, NodeIndex, Target};
use crate::item::Items;
use crate::node::{NodeError, Outcome};

pub use data::{RunData, RunRecord, SourceRun};
pub use settle::Settled;
pub use trace::{Trace, TraceRun};

/// Most steps of one execution when the workflow does not say.
pub const DEFAULT_MAX_STEPS: u32 = 100_000;

/// One node to be run once.
#[derive(Clone, Debug)]
pub struct Task {
    /// The node.
    pub node: NodeIndex,
    /// Which run of this node, from 0.
    pub run_index: usize,
    /// Which task of the execution, from 0.
    pub sequence: u64,
    /// The items that arrived, by input.
    pub inputs: Vec<Option<Items>>,
    /// Where they came from, by input.
    pub sources: Vec<Option<SourceRun>>,
    /// State that the node's previous run left.
    pub context: Option<Value>,
}

/// The state of one execution.
#[derive(Debug)]
pub struct Run {
    graph: Arc<Graph>,
    data: RunData,
    /// What runs next, the front first.
    ready: VecDeque<Delivery>,
    /// Nodes with several inputs of which some are still missing, the oldest first.
    gathering: Vec<Delivery>,
    next_sequence: u64,
    max_steps: u64,
}

/// Items on their way into a node.
#[derive(Debug)]
struct Delivery {
    node: NodeIndex,
    inputs: Vec<Option<Items>>,
    sources: Vec<Option<SourceRun>>,
}

impl Run {
    /// An execution that starts at `trigger`, which gives out `items`.
    #[must_use]
    pub fn start(graph: Arc<Graph>, trigger: NodeIndex, items: Items) -> Self {
        let max_steps = u64::from(graph.settings.max_steps.unwrap_or(DEFAULT_MAX_STEPS));
        let first = Delivery { node: trigger, inputs: vec![Some(items)], sources: vec![None] };
        Self {
            data: RunData::new(graph.nodes.len()),
            graph,
            ready: VecDeque::from([first]),
            gathering: Vec::new(),
            next_sequence: 0,
            max_steps,
        }
    }

    /// The workflow.
    #[must_use]
    pub fn graph(&self) -> &Arc<Graph> {
        &self.graph
    }

    /// What the steps have given out so far.
    #[must_use]
    pub fn data(&self) -> &RunData {
        &self.data
    }

    /// The next task, or `None` when the execution is complete.
    ///
    /// # Errors
    /// Code `step_limit` when the execution has run as many steps as the workflow allows.
    pub fn next_task(&mut self) -> Result<Option<Task>, NodeError> {
        if self.ready.is_empty() {
            self.release_gathering();
        }
        let Some(mut delivery) = self.ready.pop_front() else { return Ok(None) };
        if self.next_sequence >= self.max_steps {
            return Err(NodeError::fatal(
                "step_limit",
                format!(
                    "stopped after {} steps, the most that this workflow may run (settings.maxSteps); is there an endless loop?",
                    self.max_steps
                ),
            ));
        }
        let spec = &self.graph.nodes[delivery.node];
        if spec.execute_once {
            for items in delivery.inputs.iter_mut().flatten().filter(|items| items.len() > 1) {
                *items = Arc::new(vec![items[0].clone()]);
            }
        }
        let runs = self.data.runs(delivery.node);
        let task = Task {
            node: delivery.node,
            run_index: runs.len(),
            sequence: self.next_sequence,
            inputs: delivery.inputs,
            sources: delivery.sources,
            context: runs.last().and_then(|run| run.context.clone()),
        };
        self.next_sequence += 1;
        Ok(Some(task))
    }

    /// The items of the step that ran last: the result of the execution.
    #[must_use]
    pub fn result(&self) -> Items {
        let Some((_, record)) = self.data.last() else { return Items::default() };
        let output = record.outputs.iter().find(|items| !items.is_empty()).or(record.outputs.first());
        output.cloned().unwrap_or_default()
    }

    /// Hands the outputs of a run to the nodes behind it.
    fn deliver(&mut self, node: NodeIndex, run: usize, outputs: &[Items]) {
        let graph = Arc::clone(&self.graph);
        let mut targets: Vec<(Target, usize)> = Vec::new();
        for (output, connected) in graph.outgoing[node].iter().enumerate() {
            let is_empty = outputs.get(output).is_none_or(|items| items.is_empty());
            // An empty list does not start a node, but it counts as an answer for a later input.
            targets.extend(
                connected
                    .iter()
                    .filter(|target| !is_empty || target.input > 0)
                    .map(|target| (*target, output)),
            );
        }
        targets.sort_by(|(a, _), (b, _)| graph.nodes[a.node].position.order(&graph.nodes[b.node].position));
        // The stack is filled from the bottom so that the upper branch comes out first.
        for (target, output) in targets.into_iter().rev() {
            let items = outputs.get(output).cloned().unwrap_or_default();
            self.arrive(target, items, SourceRun { node, run, output });
        }
    }

    fn arrive(&mut self, target: Target, items: Items, source: SourceRun) {
        let width = self.graph.nodes[target.node].inputs.len().max(target.input + 1);
        let connected = self.graph.incoming[target.node].iter().filter(|sources| !sources.is_empty()).count();
        if connected <= 1 {
            if items.is_empty() {
                return;
            }
            let mut delivery = Delivery::empty(target.node, width);
            delivery.fill(target.input, items, source);
            self.ready.push_front(delivery);
            return;
        }
        let open = self
            .gathering
            .iter()
            .position(|delivery| delivery.node == target.node && delivery.inputs[target.input].is_none());
        let position = open.unwrap_or_else(|| {
            self.gathering.push(Delivery::empty(target.node, width));
            self.gathering.len() - 1
        });
        self.gathering[position].fill(target.input, items, source);
        let complete = self.graph.incoming[target.node]
            .iter()
            .zip(&self.gathering[position].inputs)
            .all(|(sources, input)| sources.is_empty() || input.is_some());
        if complete {
            let delivery = self.gathering.remove(position);
            self.start_gathered(delivery);
        }
    }

    fn start_gathered(&mut self, delivery: Delivery) {
        if delivery.inputs.iter().flatten().any(|items| !items.is_empty()) {
            self.ready.push_front(delivery);
        }
    }

    /// Nothing else can run: a node that still misses inputs runs with what it has, the first one
    /// behind no other that waits too.
    fn release_gathering(&mut self) {
        while self.ready.is_empty() && !self.gathering.is_empty() {
            let is_waiting = |node: NodeIndex| self.gathering.iter().any(|delivery| delivery.node == node);
            let free = self.gathering.iter().position(|delivery| {
                !self
                    .graph
                    .ancestors(delivery.node)
                    .into_iter()
                    .any(|parent| parent != delivery.node && is_waiting(parent))
            });
            let mut delivery = self.gathering.remove(free.unwrap_or(0));
            for (sources, input) in self.graph.incoming[delivery.node].iter().zip(&mut delivery.inputs) {
                if !sources.is_empty() && input.is_none() {
                    *input = Some(Items::default());
                }
            }
            self.start_gathered(delivery);
        }
    }
}

impl Delivery {
    fn empty(node: NodeIndex, width: usize) -> Self {
        Self { node, inputs: vec![None; width], sources: vec![None; width] }
    }

    fn fill(&mut self, input: usize, items: Items, source: SourceRun) {
        self.inputs[input] = Some(items);
        self.sources[input] = Some(source);
    }
}

impl Task {
    /// The sources of the inputs as they are stored with the step: `[[{"node", "run", "output"}]]`.
    #[must_use]
    pub fn sources_json(&self, graph: &Graph) -> Value {
        let inputs = self.sources.iter().map(|source| match source {
            Some(source) => {
                json!([{ "node": graph.nodes[source.node].id, "run": source.run, "output": source.output }])
            }
            None => json!([]),
        });
        Value::Array(inputs.collect())
    }
}

/// The outcome of a node as lists of items, when it is one: what a step row keeps.
#[must_use]
pub fn outputs_of(outcome: &Outcome) -> Option<&[Items]> {
    match outcome {
        Outcome::Done { outputs, .. } | Outcome::Respond { outputs, .. } => Some(outputs),
        Outcome::Wait(_) | Outcome::Start { .. } => None,
    }
}
