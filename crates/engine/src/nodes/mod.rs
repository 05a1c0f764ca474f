//! The nodes that need nothing but their input: triggers, flow control and changes of items.
//!
//! Each file holds one node type: its parameters (whose doc comments become the JSON Schema and the node
//! reference), its description with a worked example that a test runs, and its behaviour. Where a node has a
//! counterpart in n8n it behaves like the current version of that one, so that imported workflows give the
//! same result.
//!
//! Nodes that touch the world live in the crate `nodes`.

pub mod conditions;
pub mod convert;
pub mod path;

mod aggregate;
mod code;
mod describe;
mod each_item;
mod edit_fields;
mod error_trigger;
mod execute_workflow;
mod filter;
mod if_else;
mod limit;
mod loop_items;
mod manual;
mod merge;
mod no_op;
mod respond_to_webhook;
mod schedule;
mod sort;
mod split_out;
mod sticky_note;
mod stop_and_error;
mod switch;
mod wait;
mod webhook;
mod workflow_trigger;

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;

use crate::node::Catalogue;

pub use aggregate::Aggregate;
pub use code::Code;
pub use each_item::{EachItem, ParameterReader};
pub use edit_fields::EditFields;
pub use error_trigger::ErrorTrigger;
pub use execute_workflow::ExecuteWorkflow;
pub use filter::Filter;
pub use if_else::If;
pub use limit::Limit;
pub use loop_items::{LOOP_NODE_TYPE, LOOP_OUTPUT, Loop};
pub use manual::Manual;
pub use merge::Merge;
pub use no_op::NoOp;
pub use respond_to_webhook::RespondToWebhook;
pub use schedule::{MissedRunPolicy, OverlapPolicy, Schedule, ScheduleParameters, ScheduleRule};
pub use sort::Sort;
pub use split_out::SplitOut;
pub use sticky_note::StickyNote;
pub use stop_and_error::StopAndError;
pub use switch::Switch;
pub use wait::WaitNode;
pub use webhook::{HttpMethod, ResponseMode, SignatureScheme, Webhook, WebhookParameters};
pub use workflow_trigger::WorkflowTrigger;

/// Adds every node type of this module to a catalogue.
pub fn add_to(catalogue: &mut Catalogue) {
    catalogue
        .add(Manual)
        .add(Schedule)
        .add(Webhook)
        .add(WorkflowTrigger)
        .add(ErrorTrigger)
        .add(EditFields)
        .add(If)
        .add(Switch)
        .add(Filter)
        .add(Merge)
        .add(Code)
        .add(SplitOut)
        .add(Aggregate)
        .add(Sort)
        .add(Limit)
        .add(Loop)
        .add(WaitNode)
        .add(ExecuteWorkflow)
        .add(RespondToWebhook)
        .add(StopAndError)
        .add(NoOp)
        .add(StickyNote);
}
