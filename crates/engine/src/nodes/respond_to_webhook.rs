//! Respond to webhook: answers the request that started the execution.

use std::collections::BTreeMap;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{convert, describe, each_item, webhook};
use crate::item::Item;
use crate::node::{Call, Descriptor, Effect, Example, Group, HttpReply, NodeError, Outcome, Typed};

/// The node type `respond_to_webhook`.
pub struct RespondToWebhook;

/// Parameters of [`RespondToWebhook`].
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct RespondParameters {
    /// What the answer holds.
    respond_with: RespondWith,
    /// The body, for `json` (any JSON, or its text) and `text`.
    body: Value,
    /// Where the caller is sent, for `redirect`.
    redirect_url: String,
    /// Status code; 200 when missing, 302 for `redirect`, 204 for `noData`.
    status: Option<u16>,
    /// Headers by name.
    headers: BTreeMap<String, Value>,
}

impl Default for RespondParameters {
    fn default() -> Self {
        Self {
            respond_with: RespondWith::FirstItem,
            body: Value::Null,
            redirect_url: String::new(),
            status: None,
            headers: BTreeMap::new(),
        }
    }
}

/// What the answer holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
enum RespondWith {
    /// The JSON of the first item.
    FirstItem,
    /// A list with the JSON of every item.
    AllItems,
    /// JSON of your own.
    Json,
    /// Text of your own.
    Text,
    /// Nothing.
    NoData,
    /// Another address.
    Redirect,
}

#[async_trait]
impl Typed for RespondToWebhook {
    type Parameters = RespondParameters;

    fn descriptor(&self) -> Descriptor {
        Descriptor {
            effect: Effect::Idempotent,
            example: Example {
                title: "Tell the caller the number of the new order",
                fields: json!({
                    "respondWith": "json",
                    "body": { "order": "={{ $json.id }}" },
                    "status": 201,
                    "headers": { "X-Shop": "tea" },
                }),
                input: json!([{ "id": 17 }]),
                output: json!([[{ "id": 17 }]]),
            },
            ..describe::node(
                Group::Flow,
                "respond_to_webhook",
                "Respond to webhook",
                "Answers the request that started the execution; its webhook trigger must say `responseMode: respondNode`. \
                 The items go on.",
            )
        }
    }

    fn check(&self, parameters: &RespondParameters) -> Vec<(String, String)> {
        reply(parameters, &[]).err().into_iter().map(|(path, message)| (path.to_owned(), message)).collect()
    }

    async fn run(&self, call: Call<'_>) -> Result<Outcome, NodeError> {
        let parameters: RespondParameters = call.parameters(0)?;
        let reply = reply(&parameters, call.items())
            .map_err(|(path, message)| NodeError::parameter(path, message))?;
        Ok(Outcome::Respond { outputs: vec![each_item::pass_all(&call.shared_items())], reply })
    }
}

fn reply(parameters: &RespondParameters, items: &[Item]) -> Result<HttpReply, (&'static str, String)> {
    const JSON: Option<&str> = Some("application/json; charset=utf-8");
    let as_json = |item: &Item| Value::Object((*item.json).clone());
    let (media_type, body, default_status) = match parameters.respond_with {
        RespondWith::FirstItem => {
            (JSON, items.first().map_or_else(|| "{}".to_owned(), |item| as_json(item).to_string()), 200)
        }
        RespondWith::AllItems => (JSON, Value::Array(items.iter().map(as_json).collect()).to_string(), 200),
        RespondWith::Json => (JSON, json_text(&parameters.body)?, 200),
        RespondWith::Text => (Some("text/plain; charset=utf-8"), own_text(&parameters.body), 200),
        RespondWith::NoData => (None, String::new(), 204),
        RespondWith::Redirect => (None, String::new(), 302),
    };
    let status = parameters.status.unwrap_or(default_status);
    if !(200..=599).contains(&status) {
        return Err(("status", format!("{status} is not a status code between 200 and 599")));
    }
    let mut headers = BTreeMap::new();
    if let Some(media_type) = media_type {
        headers.insert("content-type".to_owned(), media_type.to_owned());
    }
    for (name, value) in &parameters.headers {
        let value = convert::text(value);
        if !webhook::is_header_name(name) {
            return Err(("headers", format!("{name:?} is not the name of a header")));
        }
        if value.chars().any(|c| c.is_control() && c != '\t') {
            return Err((
                "headers",
                format!("the value of {name:?} holds a line break or another control character"),
            ));
        }
        // Lower case, so that a user's own content type replaces ours.
        headers.insert(name.to_lowercase(), value);
    }
    if parameters.respond_with == RespondWith::Redirect {
        if !(300..=399).contains(&status) {
            return Err(("status", format!("{status} is not the status code of a redirect (300 to 399)")));
        }
        let url = parameters.redirect_url.trim();
        if url.is_empty() || url.chars().any(|c| c.is_control() || c == ' ') {
            return Err(("redirectUrl", format!("{url:?} is not an address")));
        }
        headers.insert("location".to_owned(), url.to_owned());
    }
    Ok(HttpReply { status, headers, body, base64: false })
}

/// JSON of the user's own: a text must hold JSON, so that a mistake is an error here and not at the caller.
fn json_text(body: &Value) -> Result<String, (&'static str, String)> {
    match body {
        Value::String(text) => match serde_json::from_str::<serde::de::IgnoredAny>(text) {
            Ok(_) => Ok(text.clone()),
            Err(error) => Err(("body", format!("the text is not valid JSON: {error}"))),
        },
        other => Ok(other.to_string()),
    }
}

fn own_text(body: &Value) -> String {
    if body.is_null() { String::new() } else { convert::text(body) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(fields: Value) -> Result<HttpReply, (&'static str, String)> {
        let items = [json!({ "a": 1 }), json!({ "a": 2 })].map(Item::from_value);
        reply(&serde_json::from_value(fields).unwrap(), &items)
    }

    #[test]
    fn each_kind_of_answer_has_its_body_and_type() {
        for (fields, status, body, header) in [
            (json!({}), 200, r#"{"a":1}"#, ("content-type", "application/json; charset=utf-8")),
            (
                json!({ "respondWith": "allItems" }),
                200,
                r#"[{"a":1},{"a":2}]"#,
                ("content-type", "application/json; charset=utf-8"),
            ),
            (
                json!({ "respondWith": "json", "body": { "b": [1] }, "headers": { "Content-Type": "application/x" } }),
                200,
                r#"{"b":[1]}"#,
                ("content-type", "application/x"),
            ),
            (
                json!({ "respondWith": "json", "body": "[1, 2]", "status": 418 }),
                418,
                "[1, 2]",
                ("content-type", "application/json; charset=utf-8"),
            ),
            (
                json!({ "respondWith": "text", "body": 17 }),
                200,
                "17",
                ("content-type", "text/plain; charset=utf-8"),
            ),
            (json!({ "respondWith": "noData", "headers": { "X-A": 1 } }), 204, "", ("x-a", "1")),
            (
                json!({ "respondWith": "redirect", "redirectUrl": "https://example.com/" }),
                302,
                "",
                ("location", "https://example.com/"),
            ),
        ] {
            let reply = answer(fields.clone()).unwrap();
            assert_eq!((reply.status, reply.body.as_str()), (status, body), "{fields}");
            assert_eq!(reply.headers.get(header.0).map(String::as_str), Some(header.1), "{fields}");
        }
    }

    #[test]
    fn an_answer_that_http_cannot_carry_is_refused() {
        for (fields, field) in [
            (json!({ "status": 100 }), "status"),
            (json!({ "respondWith": "json", "body": "{" }), "body"),
            (json!({ "headers": { "a b": "c" } }), "headers"),
            (json!({ "headers": { "a": "c\r\nset-cookie: d" } }), "headers"),
            (json!({ "respondWith": "redirect" }), "redirectUrl"),
            (json!({ "respondWith": "redirect", "redirectUrl": "/x", "status": 200 }), "status"),
        ] {
            assert_eq!(answer(fields.clone()).unwrap_err().0, field, "{fields}");
        }
    }
}
