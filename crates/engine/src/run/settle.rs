//! What the result of a step does to the execution.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{Run, RunRecord, Task};
use crate::definition::OnError;
use crate::graph::NodeSpec;
use crate::item::{Item, Items, JsonMap, Origin, OriginItem};
use crate::node::NodeError;

/// What has become of a step.
#[derive(Clone, Debug, PartialEq)]
pub enum Settled {
    /// It is done, and the execution goes on.
    Done,
    /// It failed, and the execution goes on as the node's `onError` says.
    Continued,
    /// It failed, and with it the execution.
    Stopped(NodeError),
}

impl Run {
    /// Takes the final result of a task: its outputs and the state it leaves, or the error of its last attempt.
    ///
    /// Origins that the node did not set are filled in where the counts tell them.
    pub fn settle(&mut self, task: Task, result: Result<(Vec<Items>, Option<Value>), NodeError>) -> Settled {
        let graph = Arc::clone(&self.graph);
        let spec = &graph.nodes[task.node];
        let (mut outputs, context, error) = match result {
            Ok((outputs, context)) => (outputs, context, None),
            Err(error) => match outputs_after(spec, &task, &error) {
                Some(outputs) => (outputs, None, Some(error)),
                None => return Settled::Stopped(error),
            },
        };
        outputs.resize(spec.outputs.len().max(outputs.len()).max(1), Items::default());
        fill_origins(&task, &mut outputs);
        if spec.always_output_data && outputs.iter().all(|items| items.is_empty()) {
            outputs[0] = Arc::new(vec![Item::default().from_input(0)]);
        }
        let continued = error.is_some();
        self.deliver(task.node, task.run_index, &outputs);
        self.data.push(
            task.node,
            RunRecord { inputs: task.inputs, sources: task.sources, outputs, error, context },
        );
        if continued { Settled::Continued } else { Settled::Done }
    }
}

/// The outputs of a node that failed and does not stop the execution: its input items, each with the error.
fn outputs_after(spec: &NodeSpec, task: &Task, error: &NodeError) -> Option<Vec<Items>> {
    let port = match spec.on_error {
        OnError::Stop => return None,
        OnError::Continue => 0,
        OnError::ContinueErrorOutput => spec.outputs.len().saturating_sub(1),
    };
    let described = json!({ "message": error.message, "code": error.code });
    let with_error = |(index, item): (usize, &Item)| {
        let mut item = item.clone();
        Arc::make_mut(&mut item.json).insert("error".to_owned(), described.clone());
        item.from_input(index)
    };
    let mut items: Vec<Item> = task
        .inputs
        .first()
        .and_then(Option::as_ref)
        .map_or_else(Vec::new, |items| items.iter().enumerate().map(with_error).collect());
    if items.is_empty() {
        items.push(Item::new(JsonMap::from_iter([("error".to_owned(), described)])));
    }
    let mut outputs = vec![Items::default(); spec.outputs.len().max(1)];
    outputs[port] = Arc::new(items);
    Some(outputs)
}

/// Sets the origins that a node left open: of the only input item, or of the item at the same place
/// when one list came in and one of the same length went out.
fn fill_origins(task: &Task, outputs: &mut [Items]) {
    let mut arrived =
        task.inputs.iter().enumerate().filter_map(|(input, items)| Some((input, items.as_ref()?.len())));
    let (Some((input, count)), None) = (arrived.next(), arrived.next()) else { return };
    let filled = outputs.iter().filter(|items| !items.is_empty()).count();
    for items in outputs.iter_mut() {
        let same_length = filled == 1 && items.len() == count;
        if (count != 1 && !same_length) || items.iter().all(|item| !item.paired_item.is_unknown()) {
            continue;
        }
        // Items still held by an earlier step are copied here: the item itself is three pointers.
        for (index, item) in Arc::make_mut(items).iter_mut().enumerate() {
            if item.paired_item.is_unknown() {
                item.paired_item =
                    Origin::One(OriginItem { item: if count == 1 { 0 } else { index }, input });
            }
        }
    }
}
