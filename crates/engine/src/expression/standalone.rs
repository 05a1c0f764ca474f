//! Evaluating one expression outside of any workflow.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde_json::Value;

use super::{Evaluator, Scope, SyntaxProblem, Template, resolve_parameters};
use crate::definition::{OnError, Position, Settings};
use crate::graph::{Graph, NodeSpec};
use crate::item::Items;
use crate::node::{Call, Descriptor, Effect, Example, ExecutionInfo, Group, Node, NodeError, Outcome, Ports};
use crate::run::RunData;

/// Evaluates a template (`=...`) for each item, or once where there is none, with no other nodes in sight.
/// A text that is no expression is its own result.
///
/// # Errors
/// [`SyntaxProblem`]s in the outer result; when JavaScript cannot run at all, the inner one.
pub async fn evaluate_over_items(
    expression: &str,
    items: Items,
    execution: &ExecutionInfo,
    now: DateTime<Utc>,
    evaluator: &dyn Evaluator,
) -> Result<Result<Vec<Result<Value, NodeError>>, NodeError>, Vec<SyntaxProblem>> {
    let fields = Arc::new(Value::String(expression.to_owned()));
    let template = Template::prepare(&fields, &|_| false)?;
    let rows = items.len().max(1);
    let graph = lone_node(Arc::clone(&fields));
    let scope = Scope {
        graph: &graph,
        node: &graph.nodes[0],
        run_index: 0,
        inputs: &[Some(items)],
        sources: &[None],
        data: &RunData::new(1),
        execution,
        now,
    };
    let parameters = match resolve_parameters(&template, &fields, &scope, evaluator).await {
        Ok(parameters) => parameters,
        Err(error) => return Ok(Err(error)),
    };
    Ok(Ok((0..rows).map(|item| parameters.value(item).map(|value| (**value).clone())).collect()))
}

/// A workflow of one node that does nothing.
fn lone_node(fields: Arc<Value>) -> Graph {
    let spec = NodeSpec {
        id: "expression".to_owned(),
        name: "expression".to_owned(),
        node: Arc::new(Nothing),
        fields,
        template: Template::default(),
        inputs: Ports::new(),
        outputs: Ports::new(),
        integration: None,
        disabled: false,
        retry: crate::retry::RetryPolicy::default(),
        on_error: OnError::Stop,
        timeout_ms: None,
        always_output_data: false,
        execute_once: false,
        position: Position::default(),
    };
    Graph {
        nodes: vec![spec],
        outgoing: vec![Vec::new()],
        incoming: vec![Vec::new()],
        settings: Settings::default(),
        by_name: HashMap::from([("expression".to_owned(), 0)]),
        by_id: HashMap::from([("expression".to_owned(), 0)]),
    }
}

struct Nothing;

#[async_trait]
impl Node for Nothing {
    fn descriptor(&self) -> &Descriptor {
        static DESCRIPTOR: LazyLock<Descriptor> = LazyLock::new(|| Descriptor {
            node_type: "expression",
            name: "Expression",
            description: "Stands for the place of an expression that is evaluated alone.",
            group: Group::Transform,
            inputs: Ports::new(),
            outputs: Ports::new(),
            effect: Effect::Pure,
            connectors: Vec::new(),
            schema: Value::Bool(true),
            example: Example::default(),
        });
        &DESCRIPTOR
    }

    fn check(&self, _fields: &Value) -> Vec<(String, String)> {
        Vec::new()
    }

    async fn run(&self, call: Call<'_>) -> Result<Outcome, NodeError> {
        Ok(Outcome::outputs(vec![call.shared_items()]))
    }
}
