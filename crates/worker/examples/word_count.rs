//! A node type of one's own: written, added to the catalogue, and run in a workflow.
//!
//! `cargo run -p worker --example word_count`. `docs/adding-a-node.md` explains it and shows this file.

use std::io::Write as _;
use std::sync::Arc;

use async_trait::async_trait;
use chrono::DateTime;
use engine::Definition;
use engine::item::items_from_json;
use engine::node::{Call, Catalogue, Descriptor, Effect, Example, Group, NodeError, Outcome, Typed};
use engine::nodes::{EachItem, ParameterReader};
use engine::sandbox::LocalEvaluator;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use worker::inline::{Inline, InlineRequest, NoWorkflows};
use worker::{Control, Limits};

/// The node type `word_count`.
struct WordCount;

/// Parameters of [`WordCount`].
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct WordCountParameters {
    /// The text, usually an expression: `={{ $json.body }}`.
    text: String,
    /// Name of the field that gets the number.
    #[serde(default = "default_output_field")]
    output_field: String,
}

fn default_output_field() -> String {
    "words".to_owned()
}

#[async_trait]
impl Typed for WordCount {
    type Parameters = WordCountParameters;

    fn descriptor(&self) -> Descriptor {
        Descriptor {
            node_type: "word_count",
            name: "Word count",
            description: "Counts the words of a text.",
            group: Group::Transform,
            inputs: vec!["input".into()],
            outputs: vec!["output".into()],
            effect: Effect::Pure,
            connectors: Vec::new(),
            schema: Value::Null, // filled in from the parameters
            example: Example {
                title: "How long each body is",
                fields: json!({ "text": "={{ $json.body }}" }),
                input: json!([{ "body": "all that glitters" }]),
                output: json!([[{ "body": "all that glitters", "words": 3 }]]),
            },
        }
    }

    fn check(&self, parameters: &WordCountParameters) -> Vec<(String, String)> {
        let is_empty = parameters.output_field.is_empty();
        is_empty.then(|| ("outputField".to_owned(), "must not be empty".to_owned())).into_iter().collect()
    }

    async fn run(&self, call: Call<'_>) -> Result<Outcome, NodeError> {
        let mut parameters = ParameterReader::<WordCountParameters>::new(&call);
        let mut out = EachItem::new(&call, 1);
        for (index, item) in call.items().iter().enumerate() {
            match parameters.read(index) {
                Ok(parameters) => {
                    let mut item = item.clone().from_input(index);
                    let words = parameters.text.split_whitespace().count();
                    Arc::make_mut(&mut item.json).insert(parameters.output_field.clone(), json!(words));
                    out.push(0, item);
                }
                Err(error) => out.fail(index, error)?,
            }
        }
        Ok(out.finish())
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let mut catalogue = Catalogue::new();
    engine::nodes::add_to(&mut catalogue);
    catalogue.add(WordCount);

    let definition = Definition::from_json(json!({
        "nodes": [
            { "id": "start", "data": { "nodeType": "manual", "label": "Start" } },
            { "id": "count", "data": { "nodeType": "word_count", "label": "Count",
                                       "fields": { "text": "={{ $json.body }}" } } },
        ],
        "edges": [{ "source": "start", "target": "count" }],
    }));
    let graph = definition.map_err(anyhow::Error::msg)?.validate(&catalogue).into_graph();
    let graph = graph.map_err(|problems| anyhow::anyhow!("{problems:?}"))?;

    let items = items_from_json(json!([{ "body": "all that glitters" }])).map_err(anyhow::Error::msg)?;
    let request = InlineRequest {
        name: "Example".to_owned(),
        graph: Arc::new(graph),
        trigger: None,
        items: Arc::new(items),
    };
    let inline = Inline {
        catalogue: Arc::new(catalogue),
        evaluator: Arc::new(LocalEvaluator::default()),
        source: Arc::new(NoWorkflows),
        limits: Limits::default(),
        started_at: DateTime::UNIX_EPOCH,
    };
    let report = inline.run(request, &Control::default(), None).await?;
    let items = serde_json::to_string(&report.items())?;
    writeln!(std::io::stdout(), "{items}")?;
    anyhow::ensure!(items.contains(r#""words":3"#), "the words were not counted");
    Ok(())
}
