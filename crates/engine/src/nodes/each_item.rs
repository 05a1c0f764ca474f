//! What nodes that work item by item have in common: reading the parameters of each item, and doing with an
//! item that failed what the node's `onError` says.

use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde_json::json;

use crate::definition::OnError;
use crate::item::{Item, Items};
use crate::node::{Call, NodeError, Outcome, Parameters};

/// Reads the typed parameters of one item after the other; parameters that are the same for all are read once.
pub struct ParameterReader<'a, P> {
    parameters: &'a Parameters,
    same: Option<Arc<P>>,
}

impl<'a, P: DeserializeOwned> ParameterReader<'a, P> {
    /// A reader over the parameters of a call.
    #[must_use]
    pub fn new(call: &Call<'a>) -> Self {
        Self { parameters: call.parameters, same: None }
    }

    /// The parameters as they are for one item.
    ///
    /// # Errors
    /// Names the field that does not fit, or the expression that failed.
    pub fn read(&mut self, item: usize) -> Result<Arc<P>, NodeError> {
        if let Some(same) = &self.same {
            return Ok(Arc::clone(same));
        }
        let read = Arc::new(self.parameters.read::<P>(item)?);
        if matches!(self.parameters, Parameters::Same(_)) {
            self.same = Some(Arc::clone(&read));
        }
        Ok(read)
    }
}

/// Collects the items that a node gives out, and deals with those that failed: the node fails as a whole, or the
/// item goes on with an `error` field, or it leaves with one by the `error` output.
pub struct EachItem<'a> {
    items: &'a [Item],
    on_error: OnError,
    outputs: Vec<Vec<Item>>,
    failed: Vec<Item>,
}

impl<'a> EachItem<'a> {
    /// Collects for a call whose node has this many outputs of its own.
    #[must_use]
    pub fn new(call: &'a Call<'a>, outputs: usize) -> Self {
        Self {
            items: call.items(),
            on_error: call.node.on_error,
            outputs: vec![Vec::new(); outputs],
            failed: Vec::new(),
        }
    }

    /// Gives out an item.
    pub fn push(&mut self, output: usize, item: Item) {
        if let Some(items) = self.outputs.get_mut(output) {
            items.push(item);
        }
    }

    /// Passes an input item on as it is, sharing its data.
    pub fn pass(&mut self, output: usize, index: usize) {
        if let Some(item) = self.items.get(index) {
            self.push(output, item.clone().from_input(index));
        }
    }

    /// An item failed.
    ///
    /// # Errors
    /// The error, when the node is to stop at it or another attempt could succeed.
    pub fn fail(&mut self, index: usize, error: NodeError) -> Result<(), NodeError> {
        let error = error.at_item(index);
        if error.retryable {
            return Err(error);
        }
        match self.on_error {
            OnError::Stop => return Err(error),
            OnError::Continue => self.push(0, self.with_error(index, &error)),
            OnError::ContinueErrorOutput => self.failed.push(self.with_error(index, &error)),
        }
        Ok(())
    }

    /// The input item with what went wrong, as the run gives it out when a whole node failed.
    fn with_error(&self, index: usize, error: &NodeError) -> Item {
        let mut item = self.items.get(index).cloned().unwrap_or_default();
        let described = json!({ "message": error.message, "code": error.code });
        Arc::make_mut(&mut item.json).insert("error".to_owned(), described);
        item.from_input(index)
    }

    /// Everything that was collected.
    #[must_use]
    pub fn finish(self) -> Outcome {
        let has_error_output = self.on_error == OnError::ContinueErrorOutput;
        Outcome::outputs(
            self.outputs.into_iter().chain(has_error_output.then_some(self.failed)).map(Arc::new).collect(),
        )
    }
}

/// The list as it is, each item coming from the one at its own place. Shared when the items say so already.
pub(super) fn pass_all(items: &Items) -> Items {
    let says_so = |(index, item): (usize, &Item)| {
        let origin = item.paired_item.items();
        matches!(origin.as_slice(), [one] if one.item == index && one.input == 0)
    };
    if items.iter().enumerate().all(says_so) {
        return Arc::clone(items);
    }
    Arc::new(items.iter().enumerate().map(|(index, item)| item.clone().from_input(index)).collect())
}
