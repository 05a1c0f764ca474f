//! Whether the fields of an integration can be right.

use nodes::connectors::{self, Connector};
use serde_json::{Map, Value};

use crate::problem::{Code, FieldError, Problem};

/// Longest name, in characters.
const MAX_NAME_CHARS: usize = 200;

/// The connector with this name.
pub(super) fn connector(name: &str) -> Result<&'static Connector, Problem> {
    connectors::find(name).ok_or_else(|| {
        let known: Vec<_> = connectors::all().iter().map(|connector| connector.name).collect();
        Problem::field(
            "connector",
            format!("there is no connector {name:?}; expected one of {}", known.join(", ")),
        )
    })
}

/// Whether an integration can be called so.
pub(super) fn check_name(name: &str) -> Result<(), Problem> {
    if name.trim().is_empty() || name.chars().count() > MAX_NAME_CHARS || name.contains('\0') {
        return Err(Problem::field("name", format!("1 to {MAX_NAME_CHARS} characters")));
    }
    Ok(())
}

/// Names every field that cannot be right. No message repeats a value.
pub(super) fn check(
    connector: &Connector,
    credentials: &Map<String, Value>,
    configuration: &Value,
) -> Result<(), Problem> {
    let problems = connector.check(credentials, configuration);
    let Some((field, message)) = problems.first() else { return Ok(()) };
    let detail = format!("{}: {message}", place(connector, credentials, field));
    let errors = problems
        .iter()
        .map(|(field, message)| FieldError {
            field: Some(place(connector, credentials, field)),
            message: message.clone(),
            ..FieldError::default()
        })
        .collect();
    Err(Problem::new(Code::InvalidRequest, detail).with_errors(errors))
}

/// Refuses to send secrets that are stored already to another place: who wants that has to know them.
pub(super) fn check_destination(connector: &Connector, before: &Value, after: &Value) -> Result<(), Problem> {
    match connector.redirected_by(before, after) {
        Some(field) => {
            let message = format!("must be given anew when configuration.{field} is changed");
            Err(Problem::field("credentials", message))
        }
        None => Ok(()),
    }
}

/// Where a field stands in the request, or should.
fn place(connector: &Connector, credentials: &Map<String, Value>, name: &str) -> String {
    let is_secret = connector.fields.iter().any(|field| field.name == name && field.secret);
    let part = if is_secret || credentials.contains_key(name) { "credentials" } else { "configuration" };
    format!("{part}.{name}")
}
