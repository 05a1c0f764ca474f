//! What the tests of nodes stand on: a host, a way to run one node, an HTTP server and a mail server.

mod host;
mod http;
mod smtp;
mod tls;

use std::collections::BTreeMap;
use std::sync::Arc;

use engine::item::{Item, items_from_json};
use engine::node::{Call, Credential, ExecutionInfo, NodeError, Outcome, Parameters, WorkflowInfo};
use engine::run::RunData;
use engine::{Definition, Graph};
use serde_json::{Value, json};
use uuid::Uuid;

pub(crate) use host::TestHost;
pub(crate) use http::{Answer, HttpServer};
pub(crate) use smtp::{Encryption, SmtpServer};

use crate::egress::{Client, Settings};

/// A client that may reach this machine.
pub(crate) fn local_client() -> Client {
    Client::new(&Settings {
        allow: vec!["127.0.0.0/8".to_owned(), "localhost".to_owned()],
        ..Settings::default()
    })
    .unwrap()
}

/// A credential whose fields are all secret.
pub(crate) fn credential(connector: &str, fields: Value) -> Credential {
    let Value::Object(secrets) = fields else { panic!("an object") };
    Credential { connector: connector.to_owned(), secrets, configuration: json!({}) }
}

/// One node of a type, to be run by itself.
pub(crate) struct NodeTest {
    client: Client,
    node_type: &'static str,
    data: serde_json::Map<String, Value>,
    items: Vec<Item>,
    pub(crate) host: TestHost,
}

impl NodeTest {
    pub(crate) fn new(client: &Client, node_type: &'static str) -> Self {
        let items = vec![Item::default()];
        Self {
            client: client.clone(),
            node_type,
            data: serde_json::Map::new(),
            items,
            host: TestHost::default(),
        }
    }

    /// Input items from JSON.
    pub(crate) fn input(mut self, items: Value) -> Self {
        self.items = items_from_json(items).unwrap();
        self
    }

    /// The first input item's binary property.
    pub(crate) fn binary(mut self, property: &str, name: &str, mime_type: &str, bytes: &[u8]) -> Self {
        let binary = TestHost::binary(bytes, mime_type, Some(name));
        let mut all: BTreeMap<_, _> = self.items[0].binary.as_deref().cloned().unwrap_or_default();
        all.insert(property.to_owned(), binary);
        self.items[0].binary = Some(Arc::new(all));
        self
    }

    /// Another property of the node: `onError`, `retry`.
    pub(crate) fn with(mut self, property: &str, value: Value) -> Self {
        self.data.insert(property.to_owned(), value);
        self
    }

    /// The node's integration.
    pub(crate) fn integration(mut self, credential: Credential) -> Self {
        self.host.credential = Some(credential);
        self.with("integration", json!("mine"))
    }

    /// Runs the node with the same fields for every item.
    pub(crate) async fn run(&self, fields: Value) -> Result<Vec<Vec<Item>>, NodeError> {
        self.run_with(Parameters::Same(Arc::new(fields))).await
    }

    /// Runs the node with fields for each item.
    pub(crate) async fn run_each(&self, fields: Vec<Value>) -> Result<Vec<Vec<Item>>, NodeError> {
        self.run_with(Parameters::PerItem(fields.into_iter().map(|fields| Ok(Arc::new(fields))).collect()))
            .await
    }

    /// The JSON of the items on the first output.
    pub(crate) async fn json(&self, fields: Value) -> Value {
        json_of(&self.run(fields).await.unwrap()[0])
    }

    async fn run_with(&self, parameters: Parameters) -> Result<Vec<Vec<Item>>, NodeError> {
        let graph = self.graph();
        let index = graph.by_id("tested").unwrap();
        let inputs = [Some(Arc::new(self.items.clone()))];
        let execution = ExecutionInfo {
            id: Uuid::from_u128(7),
            mode: "test".to_owned(),
            resume_url: None,
            workflow: WorkflowInfo::default(),
            timezone: "UTC".to_owned(),
            vars: BTreeMap::new(),
        };
        let node = &graph.nodes[index];
        let data = RunData::new(graph.nodes.len());
        let call = Call {
            graph: &graph,
            node,
            run_index: 0,
            attempt: 1,
            inputs: &inputs,
            sources: &[None],
            parameters: &parameters,
            data: &data,
            context: None,
            resume: None,
            execution: &execution,
            host: &self.host,
        };
        match node.node.run(call).await? {
            Outcome::Done { outputs, .. } => Ok(outputs.iter().map(|items| items.to_vec()).collect()),
            other => panic!("the node is not done: {other:?}"),
        }
    }

    fn graph(&self) -> Graph {
        let mut data = self.data.clone();
        data.insert("nodeType".to_owned(), self.node_type.into());
        // Required fields as expressions: they are resolved, and judged, when the node runs.
        let catalogue = crate::catalogue(&self.client);
        let required = catalogue.get(self.node_type).unwrap().descriptor().schema["required"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        let fields = required
            .iter()
            .map(|name| (name.as_str().unwrap().to_owned(), json!("={{ $json.x }}")))
            .collect();
        data.insert("fields".to_owned(), Value::Object(fields));
        let definition: Definition = serde_json::from_value(json!({
            "nodes": [
                { "id": "start", "data": { "nodeType": "manual" } },
                { "id": "tested", "data": data },
            ],
            "edges": [{ "id": "e", "source": "start", "target": "tested" }],
        }))
        .unwrap();
        let checked = definition.validate(&catalogue);
        checked.graph.unwrap_or_else(|| panic!("{:?}", checked.problems))
    }
}

/// The JSON of items.
pub(crate) fn json_of(items: &[Item]) -> Value {
    items.iter().map(|item| Value::Object((*item.json).clone())).collect()
}
