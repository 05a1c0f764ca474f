//! Keeps data that nests too deeply out of the record, from which it could not be read back.

use engine::item::{Items, MAX_DEPTH, is_map_too_deep, is_too_deep};
use engine::node::{NodeError, Outcome};
use serde_json::{Value, json};

/// Refuses an outcome whose data could not be read back.
///
/// # Errors
/// `output_too_deep`, naming the item.
pub(super) fn check(outcome: &Outcome) -> Result<(), NodeError> {
    match outcome {
        Outcome::Done { outputs, context } => {
            check_outputs(outputs)?;
            match context {
                Some(context) if is_too_deep(context) => Err(too_deep("the state of the node")),
                _ => Ok(()),
            }
        }
        Outcome::Respond { outputs, .. } => check_outputs(outputs),
        Outcome::Wait(_) => Ok(()),
        Outcome::Start { calls, .. } => {
            calls.iter().try_for_each(|call| check_items(&call.items, "what the other workflow is given"))
        }
    }
}

/// Leaves out details of an error that nest too deeply.
pub(super) fn bound_error(error: &mut NodeError) {
    if let Some(details) = &mut error.details {
        bound_value(details);
    }
}

/// Leaves out a value that nests too deeply.
pub(super) fn bound_value(value: &mut Value) {
    if is_too_deep(value) {
        *value = json!({ "omitted": format!("more than {MAX_DEPTH} levels") });
    }
}

fn check_outputs(outputs: &[Items]) -> Result<(), NodeError> {
    outputs.iter().enumerate().try_for_each(|(output, items)| check_items(items, &format!("output {output}")))
}

fn check_items(items: &Items, place: &str) -> Result<(), NodeError> {
    match items.iter().position(|item| is_map_too_deep(&item.json)) {
        Some(index) => Err(too_deep(&format!("item {index} of {place}"))),
        None => Ok(()),
    }
}

fn too_deep(what: &str) -> NodeError {
    NodeError::fatal("output_too_deep", format!("{what} is nested more than {MAX_DEPTH} levels deep"))
}
