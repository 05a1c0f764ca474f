//! What a node is: the [`Node`] trait, what it says of itself, what it is given and what it answers.
//!
//! A node type is written against [`Typed`]: a struct for its parameters, which gives the JSON
//! Schema, and one function. [`Catalogue`] holds the types that an installation knows.

mod call;
mod catalogue;
mod descriptor;
mod outcome;
mod typed;

use async_trait::async_trait;
use serde_json::Value;

pub use call::{
    Call, ChildResult, ChildStart, CodeLanguage, CodeMode, CodeOutput, CodeRequest, Credential,
    ExecutionInfo, Host, LogLevel, Parameters, Resume, WorkflowInfo,
};
pub use catalogue::Catalogue;
pub use descriptor::{Descriptor, Effect, Example, Group, Ports};
pub use outcome::{ChildCall, HttpReply, NodeError, Outcome, Wait, WorkflowReference};
pub use typed::{Typed, TypedNode};

/// A node type: one value serves every node of that type in every execution.
#[async_trait]
pub trait Node: Send + Sync + 'static {
    /// What the type says of itself.
    fn descriptor(&self) -> &Descriptor;

    /// Names of the inputs that a node with these fields has.
    fn inputs(&self, fields: &Value) -> Ports {
        let _ = fields;
        self.descriptor().inputs.clone()
    }

    /// Names of the outputs that a node with these fields has.
    fn outputs(&self, fields: &Value) -> Ports {
        let _ = fields;
        self.descriptor().outputs.clone()
    }

    /// Whether running the node with these (resolved) fields changes the outside world.
    fn effect(&self, fields: &Value) -> Effect {
        let _ = fields;
        self.descriptor().effect
    }

    /// Names each field that cannot be right, as `(path, message)`; fields that hold expressions are
    /// judged when the node runs.
    fn check(&self, fields: &Value) -> Vec<(String, String)>;

    /// Whether the fields named `path` is to be left alone by the expression resolver (source code, templates).
    fn is_literal(&self, path: &str) -> bool {
        let _ = path;
        false
    }

    /// Runs the node once over all its items.
    ///
    /// # Errors
    /// [`NodeError`] says what went wrong, at which item, and whether trying again can help.
    async fn run(&self, call: Call<'_>) -> Result<Outcome, NodeError>;
}
