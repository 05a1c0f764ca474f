//! Execute workflow: runs another workflow as a step of this one.

use std::sync::Arc;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{EachItem, ParameterReader, describe, each_item};
use crate::execution::ExecutionStatus;
use crate::item::{Item, Items, JsonMap, Origin, OriginItem};
use crate::node::{
    Call, ChildCall, ChildResult, Descriptor, Effect, Example, Group, NodeError, Outcome, Resume, Typed,
    WorkflowReference,
};

/// Most executions that one run of the node starts.
const MAX_CALLS: usize = 10_000;

/// Most origins that are written down where every output item comes from every input item.
const MAX_ORIGINS: usize = 10_000;

/// The node type `execute_workflow`.
pub struct ExecuteWorkflow;

/// Parameters of [`ExecuteWorkflow`].
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ExecuteWorkflowParameters {
    /// Whether a stored workflow is run or one that is written into the node.
    #[serde(default)]
    source: Source,
    /// The stored workflow, by id.
    #[serde(default)]
    workflow_id: Option<String>,
    /// The definition of the workflow, for `inline`: an object, or its JSON as text.
    #[serde(default)]
    workflow: Value,
    /// Whether it runs once with all items or once for each.
    #[serde(default)]
    mode: Mode,
    /// Whether this workflow waits for the result; otherwise the items go on at once.
    #[serde(default = "yes")]
    wait_for_completion: bool,
    /// What the workflow is given instead of the items as they are: an object, worked out for each item.
    #[serde(default)]
    inputs: Option<JsonMap>,
}

const fn yes() -> bool {
    true
}

/// Where the workflow comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
enum Source {
    /// It is stored, in the same organization.
    #[default]
    Stored,
    /// It is written into the node.
    Inline,
}

/// How often the workflow is run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
enum Mode {
    /// Once, with all items.
    #[default]
    Once,
    /// Once for each item.
    EachItem,
}

impl ExecuteWorkflowParameters {
    fn reference(&self) -> Result<WorkflowReference, (&'static str, String)> {
        match self.source {
            Source::Stored => match self.workflow_id.as_deref().map(str::trim).filter(|id| !id.is_empty()) {
                Some(id) => Ok(WorkflowReference::Stored(id.to_owned())),
                None => Err(("workflowId", "name the workflow to run".to_owned())),
            },
            Source::Inline => match &self.workflow {
                Value::Object(_) => Ok(WorkflowReference::Inline(self.workflow.clone())),
                Value::String(text) => serde_json::from_str(text)
                    .map(WorkflowReference::Inline)
                    .map_err(|error| ("workflow", format!("the text is not valid JSON: {error}"))),
                _ => Err(("workflow", "write the definition of the workflow to run".to_owned())),
            },
        }
    }
}

#[async_trait]
impl Typed for ExecuteWorkflow {
    type Parameters = ExecuteWorkflowParameters;

    fn descriptor(&self) -> Descriptor {
        Descriptor {
            // The executions are started in the commit that records the start, so running the node anew after a
            // crash starts none twice.
            effect: Effect::Idempotent,
            example: Example {
                title: "One execution for each item, with two fields of it",
                fields: json!({
                    "workflowId": "0198c1f2-7d5e-7c3a-9b1f-2f6a4f0f5a11",
                    "mode": "eachItem",
                    "inputs": { "customer": "={{ $json.id }}", "language": "fr" },
                }),
                input: json!([{ "id": 1 }, { "id": 2 }]),
                output: json!([]),
            },
            ..describe::node(
                Group::Flow,
                "execute_workflow",
                "Execute workflow",
                "Runs another workflow, once or for each item, and gives out what its last node gave out.",
            )
        }
    }

    fn check(&self, parameters: &ExecuteWorkflowParameters) -> Vec<(String, String)> {
        parameters.reference().err().into_iter().map(|(field, message)| (field.to_owned(), message)).collect()
    }

    fn is_literal(&self, path: &str) -> bool {
        // Its expressions belong to the other workflow.
        path == "workflow"
    }

    async fn run(&self, call: Call<'_>) -> Result<Outcome, NodeError> {
        match &call.resume {
            None => start(&call),
            Some(Resume::Children(children)) => {
                let parameters: ExecuteWorkflowParameters = call.parameters(0)?;
                match parameters.mode {
                    Mode::Once => gather_once(&call, children),
                    Mode::EachItem => gather_each(&call, children),
                }
            }
            Some(_) => Ok(Outcome::outputs(vec![each_item::pass_all(&call.shared_items())])),
        }
    }
}

fn start(call: &Call<'_>) -> Result<Outcome, NodeError> {
    let mut reader = ParameterReader::<ExecuteWorkflowParameters>::new(call);
    let first = reader.read(0)?;
    let items = call.items();
    let calls = match first.mode {
        Mode::Once => {
            let given = if first.inputs.is_some() {
                let given =
                    (0..items.len()).map(|index| Ok(given_item(&items[index], &*reader.read(index)?)));
                Arc::new(given.collect::<Result<Vec<_>, NodeError>>()?)
            } else {
                call.shared_items()
            };
            vec![child_call(&first, given)?]
        }
        Mode::EachItem if items.len() > MAX_CALLS => {
            let message = format!("{} items would start more than {MAX_CALLS} executions", items.len());
            return Err(NodeError::parameter("mode", message));
        }
        Mode::EachItem => {
            let each = items.iter().enumerate().map(|(index, item)| {
                let parameters = reader.read(index)?;
                child_call(&parameters, Arc::new(vec![given_item(item, &parameters)]))
                    .map_err(|error| error.at_item(index))
            });
            each.collect::<Result<Vec<_>, _>>()?
        }
    };
    Ok(Outcome::Start { calls, wait: first.wait_for_completion })
}

fn child_call(parameters: &ExecuteWorkflowParameters, items: Items) -> Result<ChildCall, NodeError> {
    let workflow = parameters.reference().map_err(|(field, message)| NodeError::parameter(field, message))?;
    Ok(ChildCall { workflow, items })
}

/// What the other workflow gets for an item: a new item, since origins end at the border between executions.
fn given_item(item: &Item, parameters: &ExecuteWorkflowParameters) -> Item {
    let json =
        parameters.inputs.as_ref().map_or_else(|| Arc::clone(&item.json), |inputs| Arc::new(inputs.clone()));
    Item { json, binary: item.binary.clone(), paired_item: Origin::Unknown }
}

fn gather_once(call: &Call<'_>, children: &[ChildResult]) -> Result<Outcome, NodeError> {
    let inputs = call.items().len();
    let mut gathered: Vec<Item> = Vec::new();
    for child in children {
        succeeded(child)?;
        gathered.extend(child.items.iter().cloned());
    }
    let count = gathered.len();
    for (index, item) in gathered.iter_mut().enumerate() {
        item.paired_item = if count == inputs {
            Origin::One(OriginItem { item: index, input: 0 })
        } else if count.saturating_mul(inputs) <= MAX_ORIGINS {
            Origin::Many((0..inputs).map(|item| OriginItem { item, input: 0 }).collect())
        } else {
            Origin::Unknown
        };
    }
    Ok(Outcome::items(gathered))
}

fn gather_each(call: &Call<'_>, children: &[ChildResult]) -> Result<Outcome, NodeError> {
    let mut results = EachItem::new(call, 1);
    for (index, child) in children.iter().enumerate() {
        match succeeded(child) {
            Ok(()) => child.items.iter().for_each(|item| results.push(0, item.clone().from_input(index))),
            Err(error) => results.fail(index, error)?,
        }
    }
    Ok(results.finish())
}

fn succeeded(child: &ChildResult) -> Result<(), NodeError> {
    if child.status == ExecutionStatus::Completed {
        return Ok(());
    }
    let reason = child.error.as_deref().unwrap_or("no reason was recorded");
    let message = format!("the workflow's execution {} is {}: {reason}", child.execution_id, child.status);
    Err(NodeError::fatal("child_failed", message).with_details(json!({ "executionId": child.execution_id })))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nodes::testing::{Trial, bare};
    use uuid::Uuid;

    fn child(status: ExecutionStatus, items: Value) -> ChildResult {
        ChildResult {
            execution_id: Uuid::nil(),
            status,
            items: Arc::new(crate::item::items_from_json(items).unwrap()),
            error: (status != ExecutionStatus::Completed).then(|| "it broke".to_owned()),
        }
    }

    fn calls(fields: Value) -> (Vec<ChildCall>, bool) {
        match Trial::of("execute_workflow", fields).input(json!([{ "id": 1 }, { "id": 2 }])).run() {
            Ok(Outcome::Start { calls, wait }) => (calls, wait),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn it_is_started_once_with_all_items_or_once_for_each() {
        let (once, wait) = calls(json!({ "workflowId": "w" }));
        assert!(wait);
        assert_eq!(once.len(), 1);
        assert_eq!(once[0].workflow, WorkflowReference::Stored("w".to_owned()));
        assert_eq!(bare(&once[0].items), json!([{ "id": 1 }, { "id": 2 }]));

        let fields = json!({
            "workflowId": "=w{{ $json.id }}", "mode": "eachItem", "waitForCompletion": false,
            "inputs": { "customer": "={{ $json.id }}" },
        });
        let (each, wait) = calls(fields);
        assert!(!wait);
        let wanted = [("w1", json!([{ "customer": 1 }])), ("w2", json!([{ "customer": 2 }]))];
        for (call, (workflow, items)) in each.iter().zip(wanted) {
            assert_eq!(call.workflow, WorkflowReference::Stored(workflow.to_owned()));
            assert_eq!(bare(&call.items), items);
        }
    }

    #[test]
    fn an_inline_workflow_keeps_its_own_expressions() {
        let workflow =
            json!({ "nodes": [{ "id": "a", "data": { "fields": { "x": "={{ $json.theirs }}" } } }] });
        let (calls, _) = calls(json!({ "source": "inline", "workflow": workflow }));
        assert_eq!(calls[0].workflow, WorkflowReference::Inline(workflow));
    }

    #[test]
    fn the_results_go_on_with_their_origins() {
        let trial = |mode: &str, children| {
            Trial::of("execute_workflow", json!({ "workflowId": "w", "mode": mode }))
                .input(json!([{ "id": 1 }, { "id": 2 }]))
                .resume(Resume::Children(children))
        };
        let done = ExecutionStatus::Completed;
        let each = trial(
            "eachItem",
            vec![child(done, json!([{ "a": 1 }, { "a": 2 }])), child(done, json!([{ "a": 3 }]))],
        );
        assert_eq!(each.outputs(), Ok(json!([[{ "a": 1 }, { "a": 2 }, { "a": 3 }]])));
        assert_eq!(each.origins(), [vec![(0, 0)], vec![(0, 0)], vec![(0, 1)]]);

        let paired = trial("once", vec![child(done, json!([{ "a": 1 }, { "a": 2 }]))]);
        assert_eq!(paired.origins(), [vec![(0, 0)], vec![(0, 1)]]);
        let summed = trial("once", vec![child(done, json!([{ "a": 1 }]))]);
        assert_eq!(summed.origins(), [vec![(0, 0), (0, 1)]]);
    }

    #[test]
    fn a_failed_execution_fails_the_step_or_only_its_item() {
        let children = || {
            vec![
                child(ExecutionStatus::Failed, json!([])),
                child(ExecutionStatus::Completed, json!([{ "a": 3 }])),
            ]
        };
        let trial = || {
            Trial::of("execute_workflow", json!({ "workflowId": "w", "mode": "eachItem" }))
                .input(json!([{ "id": 1 }, { "id": 2 }]))
                .resume(Resume::Children(children()))
        };
        let error = trial().run().unwrap_err();
        assert_eq!((error.code.as_str(), error.item), ("child_failed", Some(0)));
        assert!(error.message.ends_with("is failed: it broke"), "{}", error.message);

        let outputs = trial().option("onError", json!("continueErrorOutput")).outputs().unwrap();
        assert_eq!(outputs[0], json!([{ "a": 3 }]));
        assert_eq!(outputs[1][0]["id"], 1);
    }

    #[test]
    fn the_items_go_on_when_nobody_waits() {
        let trial = Trial::of("execute_workflow", json!({ "workflowId": "w" }))
            .input(json!([{ "id": 1 }]))
            .resume(Resume::Started(Vec::new()));
        assert_eq!(trial.outputs(), Ok(json!([[{ "id": 1 }]])));
    }

    #[test]
    fn a_workflow_must_be_named() {
        for (fields, field) in [
            (json!({}), "workflowId"),
            (json!({ "source": "inline" }), "workflow"),
            (json!({ "source": "inline", "workflow": "{" }), "workflow"),
        ] {
            let problems = ExecuteWorkflow.check(&serde_json::from_value(fields).unwrap());
            assert_eq!(problems[0].0, field);
        }
    }
}
