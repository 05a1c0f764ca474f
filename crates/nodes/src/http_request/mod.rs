//! HTTP request: asks any web service, once for each item.
//!
//! The node itself never tries again: a failure that may pass (a status in `retryOnStatus`, a timeout, no connection)
//! is reported as retryable with the pause that `Retry-After` asks for, and the engine retries as the node's
//! policy says. Everything goes through [`crate::egress`]. Credentials of the integration never appear in an error
//! or in an item, not even when the server sends them back.

mod body;
mod exchange;
mod fields;
mod output;
mod pagination;
mod parameters;

#[cfg(test)]
mod tests;

use std::sync::atomic::AtomicU64;
use std::time::Duration;

use async_trait::async_trait;
use engine::definition::OnError;
use engine::node::{Call, Descriptor, Effect, Example, NodeError, Outcome, Typed};
use engine::nodes::{EachItem, ParameterReader};
use futures::future::join_all;
use serde_json::{Value, json};

use crate::connectors::{Authentication, HTTP_CONNECTORS};
use crate::describe;
use crate::egress::Client;
use exchange::Exchange;

pub(crate) use body::find_binary;
pub use fields::{ArrayFormat, Fields, NamedValue};
pub use pagination::{Next, Pagination, Place, StopWhen};
pub(crate) use parameters::MOST_AT_ONCE;
pub use parameters::{Batching, Body, HttpRequestParameters, Method, Part, ResponseFormat};

/// The node type `http_request`.
pub struct HttpRequest {
    egress: Client,
}

impl HttpRequest {
    /// The node type, whose requests go through this client.
    #[must_use]
    pub fn new(egress: Client) -> Self {
        Self { egress }
    }
}

#[async_trait]
impl Typed for HttpRequest {
    type Parameters = HttpRequestParameters;

    fn descriptor(&self) -> Descriptor {
        Descriptor {
            connectors: HTTP_CONNECTORS.to_vec(),
            example: Example {
                title: "Every open order of a shop, page after page",
                fields: json!({
                    "method": "GET",
                    "url": "https://shop.example.com/api/orders",
                    "query": { "status": "open" },
                    "pagination": { "next": { "by": "page", "parameter": "page", "limit": 50 }, "items": "/orders" },
                }),
                input: json!([{}]),
                output: json!([]),
            },
            ..describe::action(
                "http_request",
                "HTTP request",
                "Sends an HTTP request for each item and gives out what comes back: JSON, text or a file.",
            )
        }
    }

    fn effect(&self, fields: &Value) -> Option<Effect> {
        let reads = match fields.get("method") {
            None => true,
            Some(method) => matches!(method.as_str(), Some("GET" | "HEAD" | "OPTIONS")),
        };
        Some(if reads { Effect::Idempotent } else { Effect::External })
    }

    fn check(&self, parameters: &HttpRequestParameters) -> Vec<(String, String)> {
        parameters::check(parameters)
    }

    async fn run(&self, call: Call<'_>) -> Result<Outcome, NodeError> {
        let authentication = match &call.node.integration {
            Some(integration) => Authentication::of(&call.host.credential(integration).await?)?,
            None => Authentication::default(),
        };
        let left_bytes = AtomicU64::new(self.egress.settings().max_response_bytes);
        let exchange = Exchange {
            call: &call,
            egress: &self.egress,
            authentication: &authentication,
            left_bytes: &left_bytes,
        };
        // With no attempt left, the failure of one item is dealt with like any other, where the node goes on after errors.
        let gives_up = call.attempt >= call.node.retry.max_attempts && call.node.on_error != OnError::Stop;
        let mut reader = ParameterReader::<HttpRequestParameters>::new(&call);
        let mut each = EachItem::new(&call, 1);
        let count = call.items().len().max(1);
        let mut next = 0;
        while next < count {
            let first = reader.read(next);
            let batching = first.as_ref().map(|parameters| parameters.batching.clone()).unwrap_or_default();
            let batch = next..count.min(next + batching.size.clamp(1, MOST_AT_ONCE));
            let mut read = vec![first];
            read.extend((next + 1..batch.end).map(|index| reader.read(index)));
            let exchanges = batch.clone().zip(read).map(|(index, parameters)| {
                let exchange = &exchange;
                async move { exchange.run(&*parameters?, index).await }
            });
            for (index, result) in batch.clone().zip(join_all(exchanges).await) {
                match result {
                    Ok(items) => items.into_iter().for_each(|item| each.push(0, item)),
                    Err(error) => {
                        each.fail(index, NodeError { retryable: error.retryable && !gives_up, ..error })?
                    }
                }
            }
            next = batch.end;
            if next < count && batching.interval_ms > 0 {
                tokio::time::sleep(Duration::from_millis(batching.interval_ms.min(3_600_000))).await;
            }
        }
        Ok(each.finish())
    }
}
