//! Items from responses.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use engine::item::{Item, JsonMap};
use engine::node::{Host, NodeError};
use serde_json::{Value, json};

use super::parameters::{HttpRequestParameters, ResponseFormat};
use crate::content;
use crate::egress::Response;
use crate::failure;
use crate::redact::Secrets;

/// The body of a response.
#[derive(Debug)]
pub(super) enum Body {
    /// Nothing came.
    Empty,
    /// JSON.
    Json(Value),
    /// Text.
    Text(String),
    /// Bytes to be kept as a file.
    File(Bytes),
}

impl Body {
    /// The JSON, or null.
    pub(super) fn json(&self) -> &Value {
        if let Self::Json(value) = self { value } else { &Value::Null }
    }

    /// The part of JSON that a pointer leads to; anything else as it is.
    pub(super) fn select(self, pointer: &str) -> Self {
        match self {
            Self::Json(mut value) if !pointer.is_empty() => {
                Self::Json(value.pointer_mut(pointer).map_or(Value::Null, Value::take))
            }
            body => body,
        }
    }
}

/// Reads a body as the parameters say. Secrets that the server sends back are taken out of what can be read.
pub(super) fn read(
    response: &Response,
    parameters: &HttpRequestParameters,
    secrets: &Secrets,
) -> Result<Body, NodeError> {
    let format = match parameters.response_format {
        ResponseFormat::File => return Ok(Body::File(response.body.clone())),
        _ if response.body.is_empty() => return Ok(Body::Empty),
        ResponseFormat::Auto if content::is_json(response) => ResponseFormat::Json,
        ResponseFormat::Auto if content::is_binary(response) => return Ok(Body::File(response.body.clone())),
        ResponseFormat::Auto => ResponseFormat::Text,
        format => format,
    };
    let text = content::text(response);
    let text = secrets.scrub_answer(&text);
    if format == ResponseFormat::Text {
        return Ok(Body::Text(text.into_owned()));
    }
    serde_json::from_str(&text).map(Body::Json).map_err(|error| {
        NodeError::fatal("http_invalid_json", format!("the response is not JSON: {error}")).with_details(
            json!({
                "status": response.status.as_u16(),
                "contentType": content::media_type(response),
                "body": failure::excerpt(response, secrets),
            }),
        )
    })
}

/// The items that a body becomes.
pub(super) async fn items(
    response: &Response,
    body: Body,
    parameters: &HttpRequestParameters,
    secrets: &Secrets,
    input: Option<&Item>,
    host: &dyn Host,
) -> Result<Vec<Item>, NodeError> {
    let property = parameters.output_property.as_str();
    let envelope = |body: Option<Value>| {
        let mut json = JsonMap::new();
        if let Some(body) = body {
            json.insert("body".to_owned(), body);
        }
        json.insert("headers".to_owned(), headers(response, secrets));
        json.insert("statusCode".to_owned(), response.status.as_u16().into());
        json.insert(
            "statusMessage".to_owned(),
            response.status.canonical_reason().unwrap_or_default().into(),
        );
        json
    };
    let under = |value: Value| JsonMap::from_iter([(property.to_owned(), value)]);
    let json = match body {
        Body::File(bytes) => {
            let json = if parameters.full_response { envelope(None) } else { JsonMap::new() };
            let binary = host
                .write_binary(bytes, &content::media_type(response), content::file_name(response).as_deref())
                .await?;
            let mut binaries: BTreeMap<_, _> =
                input.and_then(|item| item.binary.as_deref()).cloned().unwrap_or_default();
            binaries.insert(property.to_owned(), binary);
            return Ok(vec![Item { binary: Some(Arc::new(binaries)), ..Item::new(json) }]);
        }
        Body::Empty if parameters.full_response => envelope(Some(Value::Null)),
        Body::Empty => JsonMap::new(),
        Body::Text(text) if parameters.full_response => envelope(Some(text.into())),
        Body::Text(text) => under(text.into()),
        Body::Json(value) if parameters.full_response => envelope(Some(value)),
        Body::Json(Value::Object(map)) => map,
        Body::Json(Value::Array(list)) if parameters.split_items => {
            let to_item = |value| Item::new(if let Value::Object(map) = value { map } else { under(value) });
            return Ok(list.into_iter().map(to_item).collect());
        }
        Body::Json(value) => under(value),
    };
    Ok(vec![Item::new(json)])
}

/// Headers by lower-case name; `set-cookie` is a list, others that repeat are joined.
fn headers(response: &Response, secrets: &Secrets) -> Value {
    let mut map = JsonMap::new();
    for name in response.headers.keys() {
        let values = response.headers.get_all(name).iter().map(|value| {
            let text = String::from_utf8_lossy(value.as_bytes());
            secrets.scrub_answer(&text).into_owned()
        });
        let value = if name == "set-cookie" {
            values.map(Value::String).collect()
        } else {
            Value::String(values.collect::<Vec<_>>().join(", "))
        };
        map.insert(name.to_string(), value);
    }
    Value::Object(map)
}
