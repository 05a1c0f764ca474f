//! What the tests of this crate share: a node that does whatever its fields say, and short ways to write workflows.

#![allow(dead_code, clippy::allow_attributes, reason = "each test binary uses a part of this")]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use chrono::TimeDelta;
use engine::expression::{EvaluateJob, EvaluatedRow, Evaluator};
use engine::item::Items;
use engine::node::{
    Call, Catalogue, ChildCall, CodeOutput, CodeRequest, Descriptor, Effect, Example, Group, HttpReply,
    LogLevel, NodeError, Outcome, Resume, Typed, Wait, WorkflowReference,
};
use engine::{Graph, Item};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::watch;

/// One call of a [`Probe`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Called {
    pub(crate) node: String,
    pub(crate) run: usize,
    pub(crate) attempt: u32,
    pub(crate) resume: &'static str,
}

/// Every call of every probe, across executions and workers.
#[derive(Clone)]
pub(crate) struct Calls {
    calls: Arc<Mutex<Vec<Called>>>,
    count: watch::Sender<usize>,
    gate: watch::Sender<bool>,
}

impl Default for Calls {
    fn default() -> Self {
        Self { calls: Arc::default(), count: watch::Sender::new(0), gate: watch::Sender::new(false) }
    }
}

impl Calls {
    pub(crate) fn all(&self) -> Vec<Called> {
        self.calls.lock().unwrap().clone()
    }

    pub(crate) fn of(&self, node: &str) -> Vec<Called> {
        self.all().into_iter().filter(|call| call.node == node).collect()
    }

    /// Returns when there were `count` calls in all.
    pub(crate) async fn reached(&self, count: usize) {
        self.count.subscribe().wait_for(|calls| *calls >= count).await.unwrap();
    }

    /// Lets every probe go on that stands at the gate.
    pub(crate) fn open_gate(&self) {
        self.gate.send_replace(true);
    }

    fn add(&self, call: Called) {
        self.calls.lock().unwrap().push(call);
        self.count.send_modify(|count| *count += 1);
    }
}

/// What a probe does. All fields may be left out: then it passes its items on, each with the probe's name added.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct ProbeParameters {
    /// `pure`, `idempotent` or `external`.
    effect: String,
    /// The first so many attempts fail.
    fail: u32,
    /// Failures cannot be retried.
    fatal: bool,
    /// `Retry-After` of failures.
    retry_after_ms: Option<u64>,
    panic: bool,
    /// It never ends.
    hang: bool,
    /// It waits for [`Calls::open_gate`].
    gate: bool,
    /// Writes a file of so many bytes and reads it back.
    file_bytes: Option<usize>,
    sleep_ms: u64,
    /// Moves tokio's clock, which has to be paused, so that it ends at once and takes so long.
    advance_ms: u64,
    /// Gives out so many levels of arrays.
    nest: usize,
    /// With `nest`: as details of an error.
    nest_error: bool,
    wait_ms: Option<i64>,
    wait_request: bool,
    /// Starts this workflow, given by name or as a definition.
    start: Value,
    /// How many of them.
    times: usize,
    /// Does not wait for what it starts.
    detach: bool,
    /// Uses this integration, and gives out, logs and throws its secret.
    leak: Option<String>,
    respond: Option<String>,
    log: Option<String>,
}

/// The node type `probe`.
pub(crate) struct Probe(pub(crate) Calls);

#[async_trait]
impl Typed for Probe {
    type Parameters = ProbeParameters;

    fn descriptor(&self) -> Descriptor {
        Descriptor {
            node_type: "probe",
            name: "Probe",
            description: "Does what a test wants.",
            group: Group::Action,
            inputs: vec!["input".into()],
            outputs: vec!["output".into()],
            effect: Effect::Pure,
            connectors: vec!["http_bearer"],
            schema: Value::Null,
            example: Example::default(),
        }
    }

    fn effect(&self, fields: &Value) -> Option<Effect> {
        match fields.get("effect").and_then(Value::as_str) {
            Some("external") => Some(Effect::External),
            Some("idempotent") => Some(Effect::Idempotent),
            _ => None,
        }
    }

    async fn run(&self, call: Call<'_>) -> Result<Outcome, NodeError> {
        let parameters: ProbeParameters = call.parameters(0)?;
        let resume = match &call.resume {
            None => "",
            Some(Resume::Time) => "time",
            Some(Resume::Request(_)) => "request",
            Some(Resume::Children(_)) => "children",
            Some(Resume::Started(_)) => "started",
        };
        self.0.add(Called {
            node: call.node.name.clone(),
            run: call.run_index,
            attempt: call.attempt,
            resume,
        });
        if let Some(line) = &parameters.log {
            call.host.log(LogLevel::Info, line.clone(), None);
        }
        if parameters.sleep_ms > 0 {
            tokio::time::sleep(Duration::from_millis(parameters.sleep_ms)).await;
        }
        if parameters.advance_ms > 0 {
            tokio::time::advance(Duration::from_millis(parameters.advance_ms)).await;
        }
        if parameters.hang {
            std::future::pending::<()>().await;
        }
        if parameters.gate {
            self.0.gate.subscribe().wait_for(|is_open| *is_open).await.unwrap();
        }
        assert!(!parameters.panic, "the probe was told to panic");
        if call.attempt <= parameters.fail {
            let mut error = NodeError::retryable("probe_failed", format!("attempt {} fails", call.attempt));
            error.retryable = !parameters.fatal;
            error.retry_after_ms = parameters.retry_after_ms;
            return Err(error);
        }
        if parameters.nest > 0 {
            let nested = (0..parameters.nest).fold(json!("core"), |value, _| json!([value]));
            if parameters.nest_error {
                return Err(NodeError::fatal("nested", "it is deep").with_details(nested));
            }
            return Ok(Outcome::items(vec![Item::default(), Item::from_value(json!({ "nested": nested }))]));
        }
        if let Some(integration) = &parameters.leak {
            let secret = call.host.credential(integration).await?.secrets["token"]
                .as_str()
                .unwrap_or_default()
                .to_owned();
            call.host.log(LogLevel::Info, format!("the token is {secret}"), Some(json!({ "token": secret })));
            if parameters.fatal {
                return Err(NodeError::fatal("leak", format!("refused: {secret}"))
                    .with_details(json!({ "sent": secret })));
            }
            return Ok(Outcome::items(vec![Item::from_value(json!({ "echo": secret, secret.as_str(): 1 }))]));
        }
        if let Some(bytes) = parameters.file_bytes {
            let content = bytes::Bytes::from(vec![7u8; bytes]);
            let binary = call.host.write_binary(content.clone(), "text/plain", Some("a.txt")).await?;
            assert_eq!(call.host.read_binary(&binary).await?, content);
            return Ok(Outcome::items(vec![Item::from_value(
                json!({ "file": binary.id, "size": binary.size_bytes }),
            )]));
        }
        match call.resume {
            None if parameters.wait_ms.is_some() || parameters.wait_request => {
                let until = parameters.wait_ms.map(|ms| call.host.now() + TimeDelta::milliseconds(ms));
                return Ok(Outcome::Wait(Wait { until, request: parameters.wait_request }));
            }
            None if !parameters.start.is_null() => {
                let workflow = match parameters.start {
                    Value::String(name) => WorkflowReference::Stored(name),
                    definition => WorkflowReference::Inline(definition),
                };
                let calls = vec![ChildCall { workflow, items: call.shared_items() }; parameters.times.max(1)];
                return Ok(Outcome::Start { calls, wait: !parameters.detach });
            }
            Some(Resume::Request(item)) => return Ok(Outcome::items(vec![*item])),
            Some(Resume::Children(results)) => {
                let item = |result: &engine::node::ChildResult| {
                    let data: Vec<_> =
                        result.items.iter().map(|item| Value::Object((*item.json).clone())).collect();
                    Item::from_value(json!({ "status": result.status, "error": result.error, "items": data }))
                };
                return Ok(Outcome::items(results.iter().map(item).collect()));
            }
            _ => {}
        }
        let outputs = vec![visited(&call.shared_items(), &call.node.name)];
        match parameters.respond {
            Some(body) => Ok(Outcome::Respond {
                outputs,
                reply: HttpReply { status: 200, body, ..HttpReply::default() },
            }),
            None => Ok(Outcome::outputs(outputs)),
        }
    }
}

/// The items, each with one more name in its list of visited nodes.
fn visited(items: &Items, name: &str) -> Items {
    let visit = |item: &Item| {
        let mut item = item.clone();
        let json = Arc::make_mut(&mut item.json);
        let list = json.entry("visited").or_insert_with(|| json!([]));
        list.as_array_mut().unwrap().push(json!(name));
        item.paired_item = engine::item::Origin::Unknown;
        item
    };
    Arc::new(items.iter().map(visit).collect())
}

/// The engine's nodes and [`Probe`].
pub(crate) fn catalogue(calls: &Calls) -> Arc<Catalogue> {
    let mut catalogue = Catalogue::new();
    engine::nodes::add_to(&mut catalogue);
    catalogue.add(Probe(calls.clone()));
    Arc::new(catalogue)
}

/// Runs no JavaScript.
pub(crate) struct NoScripts;

#[async_trait]
impl Evaluator for NoScripts {
    async fn evaluate(&self, _: EvaluateJob<'_>) -> Result<Vec<EvaluatedRow>, NodeError> {
        Err(NodeError::fatal("no_scripts", "these tests run no JavaScript"))
    }

    async fn run_code(&self, _: CodeRequest<'_>) -> Result<CodeOutput, NodeError> {
        Err(NodeError::fatal("no_scripts", "these tests run no JavaScript"))
    }
}

/// A definition of probes behind a manual trigger `start`: `nodes` are `(name, data)`, where `data.fields` are the
/// probe's; `edges` are `"a > b"`, or `"a:output > b:input"`.
pub(crate) fn definition(nodes: &[(&str, Value)], edges: &[&str], settings: Value) -> Value {
    let mut list = vec![json!({ "id": "start", "data": { "nodeType": "manual", "label": "start" } })];
    for (index, (name, data)) in nodes.iter().enumerate() {
        let mut data = data.clone();
        let map = data.as_object_mut().unwrap();
        map.entry("nodeType").or_insert_with(|| json!("probe"));
        map.entry("label").or_insert_with(|| json!(name));
        list.push(json!({ "id": name, "position": { "x": 0, "y": index }, "data": data }));
    }
    let edge = |edge: &&str| {
        let (from, to) = edge.split_once('>').unwrap();
        let end = |end: &str| match end.trim().split_once(':') {
            Some((node, handle)) => (node.to_owned(), Some(handle.to_owned())),
            None => (end.trim().to_owned(), None),
        };
        let ((source, source_handle), (target, target_handle)) = (end(from), end(to));
        let mut edge = json!({ "source": source, "target": target });
        if let Some(handle) = source_handle {
            edge["sourceHandle"] = json!(handle);
        }
        if let Some(handle) = target_handle {
            edge["targetHandle"] = json!(handle);
        }
        edge
    };
    json!({ "nodes": list, "edges": edges.iter().map(edge).collect::<Vec<_>>(), "settings": settings })
}

/// A chain of probes behind the trigger.
pub(crate) fn chain(nodes: &[(&str, Value)]) -> Value {
    chain_with(nodes, json!({}))
}

/// A chain of probes behind the trigger, with settings.
pub(crate) fn chain_with(nodes: &[(&str, Value)], settings: Value) -> Value {
    let names: Vec<&str> = std::iter::once("start").chain(nodes.iter().map(|(name, _)| *name)).collect();
    let edges: Vec<String> = names.windows(2).map(|pair| format!("{} > {}", pair[0], pair[1])).collect();
    definition(nodes, &edges.iter().map(String::as_str).collect::<Vec<_>>(), settings)
}

/// The graph of a definition, which must be valid.
pub(crate) fn graph(definition: Value, calls: &Calls) -> Arc<Graph> {
    Arc::new(worker::inline::graph_of(definition, &catalogue(calls)).unwrap())
}

/// One item with this JSON.
pub(crate) fn items(json: Value) -> Items {
    Arc::new(vec![Item::from_value(json)])
}

/// The nodes that the only item has visited.
pub(crate) fn visits(items: &Items) -> Vec<String> {
    serde_json::from_value(items[0].json.get("visited").cloned().unwrap_or(json!([]))).unwrap()
}
