//! What the parent tells the child: the request, and the data of other nodes when it is asked for.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::expression::{EvaluateJob, Scope, Script};
use crate::item::{Binary, Item, JsonMap};
use crate::node::{CodeMode, CodeRequest, ExecutionInfo};

/// A request to evaluate expressions or to run code.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Request<'a> {
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    scripts: &'a [Script],
    rows: usize,
    source: Option<&'a str>,
    each_item: bool,
    timeout_ms: u64,
    now_ms: i64,
    items: Vec<WireItem<'a>>,
    node: &'a str,
    parameters: &'a Value,
    run_index: usize,
    previous: Option<Previous<'a>>,
    execution: &'a ExecutionInfo,
}

/// `$prevNode`, and `$input.params`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Previous<'a> {
    name: &'a str,
    output_index: usize,
    run_index: usize,
    parameters: &'a Value,
}

/// An item as JavaScript sees it. Its origin is not that of the list it came in but its own place, which
/// is the right origin of an item that is passed on.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct WireItem<'a> {
    json: &'a JsonMap,
    #[serde(skip_serializing_if = "Option::is_none")]
    binary: Option<&'a BTreeMap<String, Binary>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    paired_item: Option<Place>,
}

#[derive(Serialize)]
struct Place {
    item: usize,
}

fn wire<'a>(item: &'a Item, place: Option<usize>) -> WireItem<'a> {
    WireItem {
        json: &item.json,
        binary: item.binary.as_ref().map(Arc::as_ref),
        paired_item: place.map(|item| Place { item }),
    }
}

pub(super) fn encode_evaluate(job: &EvaluateJob<'_>, timeout_ms: u64) -> serde_json::Result<Vec<u8>> {
    let request = Request { scripts: job.scripts, rows: job.rows, timeout_ms, ..request(&job.scope) };
    serde_json::to_vec(&request)
}

pub(super) fn encode_code(code: &CodeRequest<'_>, timeout_ms: u64) -> serde_json::Result<Vec<u8>> {
    let request = Request {
        source: Some(code.source),
        each_item: code.mode == CodeMode::EachItem,
        timeout_ms,
        ..request(&code.scope)
    };
    serde_json::to_vec(&request)
}

fn request<'a>(scope: &Scope<'a>) -> Request<'a> {
    let items = scope.inputs.first().and_then(Option::as_ref).map_or(&[][..], |items| items.as_slice());
    let previous = scope.sources.first().copied().flatten().and_then(|source| {
        let node = scope.graph.nodes.get(source.node)?;
        Some(Previous {
            name: &node.name,
            output_index: source.output,
            run_index: source.run,
            parameters: &node.fields,
        })
    });
    Request {
        scripts: &[],
        rows: 0,
        source: None,
        each_item: false,
        timeout_ms: 0,
        now_ms: scope.now.timestamp_millis(),
        items: items.iter().enumerate().map(|(index, item)| wire(item, Some(index))).collect(),
        node: &scope.node.name,
        parameters: &scope.node.fields,
        run_index: scope.run_index,
        previous,
        execution: scope.execution,
    }
}

/// What the child asks for.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Need {
    /// The node, by name.
    node: String,
    /// A run and an output, for its items; without them what there is to know about the node.
    list: Option<[usize; 2]>,
}

/// What there is to know about a node before its items are wanted.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct NodeFacts<'a> {
    /// Number of outputs of each run.
    outputs: Vec<usize>,
    /// The output that leads here.
    default_output: usize,
    /// For each item of the first input: run, output and index of the item that it was made from.
    origins: Vec<Option<[usize; 3]>>,
    parameters: &'a Value,
}

/// Answers a question of the child out of what the scope holds, and nothing else.
pub(super) fn answer(scope: &Scope<'_>, need: &[u8]) -> Result<Vec<u8>, String> {
    let need: Need = serde_json::from_slice(need).map_err(|error| error.to_string())?;
    let name = need.node;
    let node = scope.graph.by_name(&name).ok_or_else(|| format!("there is no node named {name:?}"))?;
    let runs = scope.data.runs(node);
    let encoded = match need.list {
        Some([run, output]) => {
            let items = runs.get(run).and_then(|record| record.outputs.get(output));
            let items = items.map_or(&[][..], |items| items.as_slice());
            serde_json::to_vec(&items.iter().map(|item| wire(item, None)).collect::<Vec<_>>())
        }
        None => {
            let count = scope.inputs.first().and_then(Option::as_ref).map_or(0, |items| items.len());
            let origin = |item| {
                let (source, index) = scope.trace_item(item, node)?;
                Some([source.run, source.output, index])
            };
            serde_json::to_vec(&NodeFacts {
                outputs: runs.iter().map(|record| record.outputs.len()).collect(),
                default_output: scope.default_output(node),
                origins: (0..count).map(origin).collect(),
                parameters: &scope.graph.nodes[node].fields,
            })
        }
    };
    encoded.map_err(|error| error.to_string())
}
