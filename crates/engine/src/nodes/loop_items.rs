//! Loop over items: gives out its items in batches, one batch for each time round.
//!
//! The first run takes the items and gives out the first batch on `loop`. Each time the body comes back, the next batch
//! follows; when none is left, everything that came back leaves on `done`. The state between runs is two numbers: the
//! items themselves are read from the record of earlier runs, so a loop over many items copies none.
//!
//! A loop that is entered again after `done` starts anew, which is what makes an inner loop work.

use std::sync::Arc;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::describe;
use crate::item::{Item, Items, Origin, OriginItem};
use crate::node::{Call, Descriptor, Example, Group, NodeError, Outcome, Typed};

/// The node type that may close a circle.
pub const LOOP_NODE_TYPE: &str = "loop";

/// The output of a loop that is left when no batch remains.
const DONE_OUTPUT: usize = 0;

/// The output of a loop that leads into its body.
pub const LOOP_OUTPUT: usize = 1;

/// The node type `loop`.
pub struct Loop;

/// Parameters of [`Loop`].
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct LoopParameters {
    /// How many items each batch has.
    batch_size: usize,
    /// Whether the items that come in are taken for a new list instead of what came back from the body. An expression
    /// can decide it each time round; `true` for ever makes an endless loop.
    reset: bool,
}

impl Default for LoopParameters {
    fn default() -> Self {
        Self { batch_size: 1, reset: false }
    }
}

/// The state between two runs.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Position {
    /// The run whose input is looped over.
    start_run: usize,
    /// The first item that has not been given out.
    next_item: usize,
    /// Whether the loop has ended.
    is_done: bool,
}

#[async_trait]
impl Typed for Loop {
    type Parameters = LoopParameters;

    fn descriptor(&self) -> Descriptor {
        Descriptor {
            outputs: describe::ports(&["done", "loop"]),
            example: Example {
                title: "The first of two batches",
                fields: json!({ "batchSize": 2 }),
                input: json!([{ "n": 1 }, { "n": 2 }, { "n": 3 }]),
                output: json!([[], [{ "n": 1 }, { "n": 2 }]]),
            },
            ..describe::node(
                Group::Flow,
                LOOP_NODE_TYPE,
                "Loop over items",
                "Gives out its items in batches on `loop`. Lead the end of the loop's body back into it; when no batch \
                 is left, everything that came back leaves on `done`.",
            )
        }
    }

    fn check(&self, parameters: &LoopParameters) -> Vec<(String, String)> {
        if parameters.batch_size == 0 {
            vec![("batchSize".to_owned(), "must be at least 1".to_owned())]
        } else {
            Vec::new()
        }
    }

    async fn run(&self, call: Call<'_>) -> Result<Outcome, NodeError> {
        let LoopParameters { batch_size, reset } = call.parameters(0)?;
        if batch_size == 0 {
            return Err(NodeError::parameter("batchSize", "must be at least 1"));
        }
        let position = call.context.and_then(|state| Position::deserialize(state).ok());
        let position = match position {
            Some(position) if !position.is_done && !reset => position,
            _ => Position { start_run: call.run_index, next_item: 0, is_done: false },
        };
        let is_first = position.start_run == call.run_index;
        let source = if is_first { call.shared_items() } else { arrived(&call, position.start_run)? };
        let end = source.len().min(position.next_item.saturating_add(batch_size));
        if position.next_item >= end {
            let done = Position { is_done: true, ..position };
            let came_back = if is_first { Items::default() } else { came_back(&call, position.start_run) };
            return Ok(outcome(came_back, Items::default(), &done));
        }
        let runs_ago = call.run_index - position.start_run;
        let batch =
            (position.next_item..end).map(|index| from_earlier(&source[index], index, runs_ago)).collect();
        Ok(outcome(Items::default(), Arc::new(batch), &Position { next_item: end, ..position }))
    }
}

fn outcome(done: Items, batch: Items, position: &Position) -> Outcome {
    let mut outputs = vec![Items::default(); 2];
    outputs[DONE_OUTPUT] = done;
    outputs[LOOP_OUTPUT] = batch;
    Outcome::Done { outputs, context: serde_json::to_value(position).ok() }
}

/// The items that arrived in an earlier run.
fn arrived(call: &Call<'_>, run: usize) -> Result<Items, NodeError> {
    call.earlier_runs()
        .get(run)
        .map(|record| record.inputs.first().cloned().flatten().unwrap_or_default())
        .ok_or_else(|| {
            NodeError::fatal("loop_state", format!("the loop's first run (number {run}) is not on record"))
        })
}

/// Everything that the body gave back since the loop began, in order.
fn came_back(call: &Call<'_>, start_run: usize) -> Items {
    let runs = call.earlier_runs();
    let first = start_run + 1;
    let mut all = Vec::new();
    for (run, record) in runs.iter().enumerate().skip(first) {
        let items = record.inputs.first().and_then(Option::as_ref);
        let items = items.into_iter().flat_map(|items| items.iter()).enumerate();
        all.extend(items.map(|(index, item)| from_earlier(item, index, call.run_index - run)));
    }
    all.extend(call.items().iter().enumerate().map(|(index, item)| item.clone().from_input(index)));
    Arc::new(all)
}

/// An item that arrived some runs ago; see [`OriginItem::input`].
fn from_earlier(item: &Item, index: usize, runs_ago: usize) -> Item {
    Item { paired_item: Origin::One(OriginItem { item: index, input: runs_ago }), ..item.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nodes::testing::{execute, runs_of};
    use crate::run::Run;
    use serde_json::Value;

    fn node(id: &str, node_type: &str, fields: Value) -> Value {
        json!({ "id": id, "data": { "nodeType": node_type, "fields": fields } })
    }

    fn edge(source: &str, handle: &str, target: &str) -> Value {
        json!({ "source": source, "sourceHandle": handle, "target": target })
    }

    fn numbers(count: usize) -> Value {
        Value::Array((1..=count).map(|n| json!({ "n": n })).collect())
    }

    fn simple(fields: Value, items: Value) -> Run {
        let ten_times = json!({ "assignments": [{ "name": "ten", "value": "={{ $json.n * 10 }}" }] });
        execute(
            json!({
                "nodes": [
                    node("start", "manual", json!({})),
                    node("loop", "loop", fields),
                    node("body", "edit_fields", ten_times),
                    node("end", "no_op", json!({})),
                ],
                "edges": [
                    edge("start", "output", "loop"),
                    edge("loop", "loop", "body"),
                    edge("body", "output", "loop"),
                    edge("loop", "done", "end"),
                ],
            }),
            items,
        )
    }

    #[test]
    fn every_batch_passes_the_body_once() {
        let run = simple(json!({ "batchSize": 2 }), numbers(5));
        let batches = json!([[{ "n": 1 }, { "n": 2 }], [{ "n": 3 }, { "n": 4 }], [{ "n": 5 }], []]);
        assert_eq!(runs_of(&run, "loop", LOOP_OUTPUT), batches);
        let done = json!([[{ "ten": 10 }, { "ten": 20 }, { "ten": 30 }, { "ten": 40 }, { "ten": 50 }]]);
        assert_eq!(runs_of(&run, "end", 0), done);
    }

    #[test]
    fn items_are_traced_through_the_loop_to_where_they_came_from() {
        let run = simple(json!({}), numbers(3));
        let graph = run.graph();
        let (start, end) = (graph.by_name("start").unwrap(), graph.by_name("end").unwrap());
        let body = graph.by_name("body").unwrap();
        let at_start = |node: usize, run_index: usize, item: usize| {
            let record = &run.data().runs(node)[run_index];
            let origin = [OriginItem { item, input: 0 }];
            run.data().trace_origin(&record.sources, &origin, start).map(|(_, item)| item)
        };
        for round in 0..3 {
            assert_eq!(at_start(body, round, 0), Some(round));
        }
        for item in 0..3 {
            assert_eq!(at_start(end, 0, item), Some(item));
        }
    }

    #[test]
    fn a_batch_shares_the_data_of_its_items() {
        let run = simple(json!({}), numbers(3));
        let graph = run.graph();
        let given = &run.data().runs(graph.by_name("start").unwrap())[0].outputs[0];
        let batch = &run.data().runs(graph.by_name("loop").unwrap())[2].outputs[LOOP_OUTPUT];
        assert!(Arc::ptr_eq(&given[2].json, &batch[0].json));
    }

    #[test]
    fn an_inner_loop_starts_anew_each_time_round() {
        let run = execute(
            json!({
                "nodes": [
                    node("start", "manual", json!({})),
                    node("outer", "loop", json!({})),
                    node("split", "split_out", json!({ "fieldToSplitOut": "list" })),
                    node("inner", "loop", json!({})),
                    node("body", "no_op", json!({})),
                    node("end", "no_op", json!({})),
                ],
                "edges": [
                    edge("start", "output", "outer"),
                    edge("outer", "loop", "split"),
                    edge("split", "output", "inner"),
                    edge("inner", "loop", "body"),
                    edge("body", "output", "inner"),
                    edge("inner", "done", "outer"),
                    edge("outer", "done", "end"),
                ],
            }),
            json!([{ "list": [1, 2] }, { "list": [3] }]),
        );
        let bodies = json!([[{ "list": 1 }], [{ "list": 2 }], [{ "list": 3 }]]);
        assert_eq!(runs_of(&run, "body", 0), bodies);
        assert_eq!(runs_of(&run, "end", 0), json!([[{ "list": 1 }, { "list": 2 }, { "list": 3 }]]));
    }

    #[test]
    fn the_state_between_runs_is_small() {
        let run = simple(json!({}), numbers(50));
        let records = run.data().runs(run.graph().by_name("loop").unwrap());
        assert_eq!(records.len(), 51);
        assert!(records.iter().all(|record| record.context.as_ref().unwrap().to_string().len() < 80));
        assert_eq!(records[50].outputs[DONE_OUTPUT].len(), 50);
    }

    #[test]
    fn reset_takes_what_comes_back_for_a_new_list() {
        // The body goes round three times, each time with a new list, until `reset` is false.
        let run = execute(
            json!({
                "nodes": [
                    node("start", "manual", json!({})),
                    node("loop", "loop", json!({ "reset": "={{ $json.n < 4 }}" })),
                    node("body", "edit_fields", json!({ "assignments": [{ "name": "n", "value": "={{ $json.n + 1 }}" }] })),
                    node("end", "no_op", json!({})),
                ],
                "edges": [
                    edge("start", "output", "loop"),
                    edge("loop", "loop", "body"),
                    edge("body", "output", "loop"),
                    edge("loop", "done", "end"),
                ],
            }),
            json!([{ "n": 1 }]),
        );
        assert_eq!(runs_of(&run, "body", 0), json!([[{ "n": 2 }], [{ "n": 3 }], [{ "n": 4 }]]));
        assert_eq!(runs_of(&run, "end", 0), json!([[{ "n": 4 }]]));
    }
}
