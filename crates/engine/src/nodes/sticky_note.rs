//! Sticky note: a text on the canvas.

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::describe;
use crate::node::{Call, Descriptor, Example, Group, NodeError, Outcome, Typed};

/// The node type `sticky_note`.
pub struct StickyNote;

/// Parameters of [`StickyNote`]; the editor reads them, the engine does not.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[expect(dead_code, reason = "only the editor reads them")]
pub struct StickyNoteParameters {
    /// The text, in Markdown.
    #[serde(default)]
    content: String,
    /// Width on the canvas.
    #[serde(default)]
    width: Option<f64>,
    /// Height on the canvas.
    #[serde(default)]
    height: Option<f64>,
    /// Colour, as the editor names it.
    #[serde(default)]
    color: Option<Value>,
}

#[async_trait]
impl Typed for StickyNote {
    type Parameters = StickyNoteParameters;

    fn descriptor(&self) -> Descriptor {
        Descriptor {
            inputs: Vec::new(),
            outputs: Vec::new(),
            example: Example {
                title: "A heading for a group of nodes",
                fields: json!({ "content": "## Billing", "width": 400, "height": 200 }),
                input: json!([]),
                output: json!([]),
            },
            ..describe::node(
                Group::Flow,
                "sticky_note",
                "Sticky note",
                "A text on the canvas. It is never run.",
            )
        }
    }

    fn is_literal(&self, _path: &str) -> bool {
        true
    }

    async fn run(&self, _call: Call<'_>) -> Result<Outcome, NodeError> {
        Ok(Outcome::outputs(Vec::new()))
    }
}
