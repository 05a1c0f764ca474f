//! Running nodes in tests: a host without a world, a single call, a whole execution.

use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use async_trait::async_trait;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::definition::Definition;
use crate::expression::{Evaluator, Scope, resolve_parameters};
use crate::graph::{Graph, NodeSpec};
use crate::item::{Binary, Item, Items, items_from_json};
use crate::node::{
    Call, Catalogue, CodeOutput, CodeRequest, Credential, ExecutionInfo, Host, LogLevel, NodeError, Outcome,
    Resume, WorkflowInfo,
};
use crate::run::{Run, RunData};
use crate::sandbox::LocalEvaluator;

/// The present of every test.
pub(super) fn now() -> DateTime<Utc> {
    "2030-01-07T08:00:00Z".parse().unwrap()
}

/// The catalogue of this module's nodes.
pub(crate) fn catalogue() -> Catalogue {
    let mut catalogue = Catalogue::new();
    super::add_to(&mut catalogue);
    catalogue
}

/// Waits for a future that never really waits.
pub(super) fn wait_for<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("the future waits for something"),
    }
}

/// A host without a world.
#[derive(Default)]
pub(super) struct TestHost {
    pub(super) logs: Mutex<Vec<(LogLevel, String)>>,
    evaluator: LocalEvaluator,
}

#[async_trait]
impl Host for TestHost {
    fn now(&self) -> DateTime<Utc> {
        now()
    }

    fn log(&self, level: LogLevel, message: String, _data: Option<Value>) {
        self.logs.lock().unwrap().push((level, message));
    }

    async fn credential(&self, integration: &str) -> Result<Credential, NodeError> {
        Err(NodeError::fatal("no_integration", format!("there is no integration {integration:?}")))
    }

    async fn run_code(&self, request: CodeRequest<'_>) -> Result<CodeOutput, NodeError> {
        self.evaluator.run_code(request).await
    }

    async fn write_binary(&self, _: Bytes, _: &str, _: Option<&str>) -> Result<Binary, NodeError> {
        Err(NodeError::fatal("no_files", "there are no files here"))
    }

    async fn read_binary(&self, _: &Binary) -> Result<Bytes, NodeError> {
        Err(NodeError::fatal("no_files", "there are no files here"))
    }
}

fn execution() -> ExecutionInfo {
    ExecutionInfo {
        id: Uuid::from_u128(7),
        mode: "test".to_owned(),
        resume_url: None,
        workflow: WorkflowInfo::default(),
        timezone: "Europe/Berlin".to_owned(),
        vars: [("greeting".to_owned(), "hello".to_owned())].into(),
    }
}

/// One call of a node, set up step by step.
pub(super) struct Trial {
    node: Value,
    inputs: Vec<Option<Items>>,
    resume: Option<Resume>,
    pub(super) host: TestHost,
}

impl Trial {
    pub(super) fn of(node_type: &str, fields: Value) -> Self {
        let node =
            json!({ "id": "node", "data": { "nodeType": node_type, "label": "Node", "fields": fields } });
        Self { node, inputs: vec![Some(Items::default())], resume: None, host: TestHost::default() }
    }

    /// Sets an option of the node, for example `onError`.
    pub(super) fn option(mut self, name: &str, value: Value) -> Self {
        self.node["data"][name] = value;
        self
    }

    pub(super) fn input(self, items: Value) -> Self {
        self.inputs(vec![items])
    }

    pub(super) fn inputs(mut self, inputs: Vec<Value>) -> Self {
        let read = |items: Value| (!items.is_null()).then(|| Arc::new(items_from_json(items).unwrap()));
        self.inputs = inputs.into_iter().map(read).collect();
        self
    }

    pub(super) fn items(mut self, items: Vec<Item>) -> Self {
        self.inputs = vec![Some(Arc::new(items))];
        self
    }

    pub(super) fn resume(mut self, resume: Resume) -> Self {
        self.resume = Some(resume);
        self
    }

    /// The items of the first input.
    pub(super) fn given(&self) -> Items {
        self.inputs[0].clone().unwrap_or_default()
    }

    /// Runs the node; its fields must be right.
    pub(super) fn run(&self) -> Result<Outcome, NodeError> {
        self.run_in(&graph(self.definition()))
    }

    /// Runs the node if validation has nothing against it.
    pub(super) fn run_if_valid(&self) -> Option<Result<Outcome, NodeError>> {
        let definition = Definition::from_json(self.definition()).ok()?;
        Some(self.run_in(&definition.validate(&catalogue()).graph?))
    }

    fn definition(&self) -> Value {
        let trigger = json!({ "id": "start", "data": { "nodeType": "manual" } });
        json!({ "nodes": [trigger, self.node], "edges": [] })
    }

    fn run_in(&self, graph: &Graph) -> Result<Outcome, NodeError> {
        let inputs: Vec<_> = self.inputs.iter().map(|input| input.as_ref().map(Arc::clone)).collect();
        let call = CallParts {
            graph,
            node: 1,
            run_index: 0,
            inputs: &inputs,
            data: &RunData::new(2),
            context: None,
        };
        call.run(&self.host, self.resume.clone())
    }

    /// The JSON of the items of each output.
    pub(super) fn outputs(&self) -> Result<Value, NodeError> {
        match self.run()? {
            Outcome::Done { outputs, .. } | Outcome::Respond { outputs, .. } => {
                Ok(Value::Array(outputs.iter().map(bare).collect()))
            }
            other => panic!("not done: {other:?}"),
        }
    }

    /// The items of the first output.
    pub(super) fn first_output(&self) -> Items {
        match self.run().unwrap() {
            Outcome::Done { outputs, .. } | Outcome::Respond { outputs, .. } => Arc::clone(&outputs[0]),
            other => panic!("not done: {other:?}"),
        }
    }

    /// For each item of the first output, the `(input, item)` pairs it comes from.
    pub(super) fn origins(&self) -> Vec<Vec<(usize, usize)>> {
        let of = |item: &Item| {
            item.paired_item.items().into_iter().map(|origin| (origin.input, origin.item)).collect()
        };
        self.first_output().iter().map(of).collect()
    }
}

/// The JSON of items.
pub(super) fn bare(items: &Items) -> Value {
    Value::Array(items.iter().map(|item| Value::Object((*item.json).clone())).collect())
}

/// The graph of a definition that must be right.
pub(crate) fn graph(definition: Value) -> Graph {
    let definition = Definition::from_json(definition).unwrap();
    definition.validate(&catalogue()).into_graph().unwrap_or_else(|problems| panic!("{problems:#?}"))
}

/// What a call needs besides the host.
struct CallParts<'a> {
    graph: &'a Graph,
    node: usize,
    run_index: usize,
    inputs: &'a [Option<Items>],
    data: &'a RunData,
    context: Option<&'a Value>,
}

impl CallParts<'_> {
    fn run(self, host: &TestHost, resume: Option<Resume>) -> Result<Outcome, NodeError> {
        let Self { graph, node, run_index, inputs, data, context } = self;
        let node: &NodeSpec = &graph.nodes[node];
        let execution = execution();
        let sources = vec![None; inputs.len()];
        let scope = Scope {
            graph,
            node,
            run_index,
            inputs,
            sources: &sources,
            data,
            execution: &execution,
            now: now(),
        };
        let parameters = wait_for(resolve_parameters(&node.template, &node.fields, &scope, &host.evaluator))?;
        wait_for(node.node.run(Call {
            graph,
            node,
            run_index,
            attempt: 1,
            inputs,
            sources: &sources,
            parameters: &parameters,
            data,
            context,
            resume,
            execution: &execution,
            host,
        }))
    }
}

/// Runs a whole workflow from its first trigger; every node must be done at once.
pub(super) fn execute(definition: Value, items: Value) -> Run {
    let graph = Arc::new(graph(definition));
    let trigger = graph.triggers()[0];
    let host = TestHost::default();
    let mut run = Run::start(Arc::clone(&graph), trigger, Arc::new(items_from_json(items).unwrap()));
    while let Some(task) = run.next_task().unwrap() {
        let call = CallParts {
            graph: &graph,
            node: task.node,
            run_index: task.run_index,
            inputs: &task.inputs,
            data: run.data(),
            context: task.context.as_ref(),
        };
        let result = match call.run(&host, None) {
            Ok(Outcome::Done { outputs, context }) => Ok((outputs, context)),
            Ok(other) => panic!("not done: {other:?}"),
            Err(error) => Err(error),
        };
        run.settle(task, result);
    }
    run
}

/// The JSON of everything that a node gave out on an output, run by run.
pub(super) fn runs_of(run: &Run, node: &str, output: usize) -> Value {
    let node = run.graph().by_name(node).unwrap();
    Value::Array(run.data().runs(node).iter().map(|record| bare(&record.outputs[output])).collect())
}
