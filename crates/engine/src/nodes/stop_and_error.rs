//! Stop and error: fails the execution on purpose.

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{convert, describe};
use crate::node::{Call, Descriptor, Example, Group, NodeError, Outcome, Typed};

/// The node type `stop_and_error`.
pub struct StopAndError;

/// Parameters of [`StopAndError`].
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StopAndErrorParameters {
    /// Whether the error is a message or an object.
    #[serde(default)]
    error_type: ErrorType,
    /// The message.
    #[serde(default)]
    message: String,
    /// The object, or its JSON as text; its `message`, `description` or `error` becomes the message.
    #[serde(default)]
    object: Value,
}

/// What the error is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
enum ErrorType {
    /// A message.
    #[default]
    Message,
    /// An object.
    Object,
}

#[async_trait]
impl Typed for StopAndError {
    type Parameters = StopAndErrorParameters;

    fn descriptor(&self) -> Descriptor {
        Descriptor {
            outputs: Vec::new(),
            example: Example {
                title: "Refuse an order without a customer",
                fields: json!({ "message": "=Order {{ $json.id }} has no customer" }),
                input: json!([{ "id": 17 }]),
                output: json!([]),
            },
            ..describe::node(
                Group::Flow,
                "stop_and_error",
                "Stop and error",
                "Fails the execution with a message of your own; the error workflow gets it.",
            )
        }
    }

    fn check(&self, parameters: &StopAndErrorParameters) -> Vec<(String, String)> {
        match parameters.error_type {
            ErrorType::Message if parameters.message.trim().is_empty() => {
                vec![("message".to_owned(), "say what went wrong".to_owned())]
            }
            ErrorType::Object => details(&parameters.object)
                .err()
                .into_iter()
                .map(|message| ("object".to_owned(), message))
                .collect(),
            ErrorType::Message => Vec::new(),
        }
    }

    async fn run(&self, call: Call<'_>) -> Result<Outcome, NodeError> {
        let parameters: StopAndErrorParameters = call.parameters(0)?;
        Err(match parameters.error_type {
            ErrorType::Message => NodeError::fatal("stopped", parameters.message),
            ErrorType::Object => {
                let details =
                    details(&parameters.object).map_err(|message| NodeError::parameter("object", message))?;
                let told = ["message", "description", "error"].into_iter().find_map(|key| details.get(key));
                let message = told.map_or_else(|| details.to_string(), convert::text);
                NodeError::fatal("stopped", message).with_details(details)
            }
        })
    }
}

fn details(value: &Value) -> Result<Value, String> {
    convert::object(value)
        .map(Value::Object)
        .ok_or_else(|| format!("expected an object or its JSON, found {}", convert::kind_of(value)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nodes::testing::Trial;

    #[test]
    fn the_error_is_the_users_own() {
        for (fields, message) in [
            (json!({ "message": "=Order {{ $json.id }} is bad" }), "Order 17 is bad"),
            (json!({ "errorType": "object", "object": { "message": "no" } }), "no"),
            (json!({ "errorType": "object", "object": "{\"error\": \"text\"}" }), "text"),
            (json!({ "errorType": "object", "object": { "code": 5 } }), r#"{"code":5}"#),
        ] {
            let error =
                Trial::of("stop_and_error", fields.clone()).input(json!([{ "id": 17 }])).run().unwrap_err();
            assert_eq!(error.message, message, "{fields}");
            assert!(!error.retryable);
        }
    }

    #[test]
    fn the_object_goes_with_the_error() {
        let fields = json!({ "errorType": "object", "object": { "message": "no", "code": 5 } });
        let error = Trial::of("stop_and_error", fields).run().unwrap_err();
        assert_eq!(error.details.as_deref(), Some(&json!({ "message": "no", "code": 5 })));
    }
}
