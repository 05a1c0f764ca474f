//! What Tidemill knows of a service: which fields an integration with it has, and how to try it.
//!
//! A connector is data written in code, so that the fields it lists and the code that reads them are one change.
//! Fields marked secret go into the vault (`secrets`), the others are the integration's `configuration`. A user name
//! may be in either, for a tenant may prefer to keep it secret; what says where secrets may go is in the open.

mod authentication;
mod list;
mod test;

use serde::Serialize;
use serde_json::{Map, Value, json};

use engine::node::{Credential, NodeError};

pub(crate) use authentication::{Authentication, HTTP_CONNECTORS};
pub use list::all;
pub use test::{TestOutcome, test};

/// What Tidemill knows of a service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Connector {
    /// The word in `integrations.connector`, for example `http_bearer`.
    pub name: &'static str,
    /// Name for people.
    pub title: &'static str,
    /// One or two sentences: what it is for.
    pub description: &'static str,
    /// What an integration has to say.
    pub fields: &'static [Field],
}

/// One field of an integration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Field {
    /// The key.
    pub name: &'static str,
    /// Name for people.
    pub title: &'static str,
    /// What to write there.
    pub description: &'static str,
    /// What can be written there.
    pub kind: FieldKind,
    /// Whether it goes into the vault and is never shown again.
    pub secret: bool,
    /// Whether it must be there.
    pub required: bool,
}

/// What can be written into a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum FieldKind {
    /// One line of text.
    Text,
    /// Text of several lines.
    LongText,
    /// A URL with http or https.
    Url,
    /// A TCP port.
    Port,
    /// One of these words; the first is the default.
    Choice(&'static [&'static str]),
    /// A list of texts.
    List,
}

/// The connector with this name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Connector> {
    all().iter().find(|connector| connector.name == name)
}

/// The open field that may be kept among the secrets.
const USERNAME: &str = "username";

/// Fields that say where, and how well protected, the secrets of an integration are sent.
const DESTINATION: &[&str] = &["host", "port", "security", "caCertificate", "testUrl", "allowedHosts"];

impl Connector {
    /// The first field whose change may send the secrets to another place, or less well protected. To have no `testUrl`
    /// any more sends them nowhere.
    #[must_use]
    pub fn redirected_by(&self, before: &Value, after: &Value) -> Option<&'static str> {
        let value = |configuration: &Value, name: &str| {
            configuration.get(name).filter(|value| !is_empty(value)).cloned()
        };
        let changed = |name: &str| {
            let (before, after) = (value(before, name), value(after, name));
            before != after && !(name == "testUrl" && after.is_none())
        };
        self.fields.iter().map(|field| field.name).find(|name| DESTINATION.contains(name) && changed(name))
    }

    /// JSON Schema of all its fields; secret ones are marked `writeOnly`.
    #[must_use]
    pub fn schema(&self) -> Value {
        let properties: Map<_, _> =
            self.fields.iter().map(|field| (field.name.to_owned(), field.schema())).collect();
        let required: Vec<_> =
            self.fields.iter().filter(|field| field.required).map(|field| field.name).collect();
        json!({
            "type": "object",
            "title": self.title,
            "description": self.description,
            "properties": properties,
            "required": required,
            "additionalProperties": false,
        })
    }

    /// Names each field that cannot be right, as `(field, message)`. Messages never repeat a value.
    #[must_use]
    pub fn check(&self, secrets: &Map<String, Value>, configuration: &Value) -> Vec<(String, String)> {
        let empty = Map::new();
        let configuration = configuration.as_object().unwrap_or(&empty);
        let mut problems = Vec::new();
        for name in secrets.keys().chain(configuration.keys()) {
            if !self.fields.iter().any(|field| field.name == name) {
                let known: Vec<_> = self.fields.iter().map(|field| field.name).collect();
                problems.push((name.clone(), format!("unknown field; expected one of {}", known.join(", "))));
            }
        }
        for field in self.fields {
            if field.secret && configuration.contains_key(field.name) {
                problems.push((
                    field.name.to_owned(),
                    "this field is secret and belongs into the credentials".to_owned(),
                ));
            }
            if !field.secret && field.name != USERNAME && secrets.contains_key(field.name) {
                problems.push((
                    field.name.to_owned(),
                    "this field is no secret and belongs into the configuration".to_owned(),
                ));
            }
            let found = secrets
                .get(field.name)
                .or_else(|| configuration.get(field.name))
                .filter(|value| !is_empty(value));
            match found {
                None if field.required => {
                    problems.push((field.name.to_owned(), "this field is required".to_owned()))
                }
                None => {}
                Some(value) => {
                    problems.extend(field.kind.problem(value).map(|problem| (field.name.to_owned(), problem)))
                }
            }
        }
        problems
    }
}

impl Field {
    fn schema(&self) -> Value {
        let mut schema = match self.kind {
            FieldKind::Text => json!({ "type": "string" }),
            FieldKind::LongText => json!({ "type": "string", "format": "textarea" }),
            FieldKind::Url => json!({ "type": "string", "format": "uri" }),
            FieldKind::Port => json!({ "type": "integer", "minimum": 1, "maximum": 65535 }),
            FieldKind::Choice(words) => json!({ "type": "string", "enum": words, "default": words.first() }),
            FieldKind::List => json!({ "type": "array", "items": { "type": "string" } }),
        };
        schema["title"] = self.title.into();
        schema["description"] = self.description.into();
        if self.secret {
            schema["writeOnly"] = true.into();
        }
        schema
    }
}

impl FieldKind {
    fn problem(self, value: &Value) -> Option<String> {
        let one_line = |text: &str| !text.contains(['\r', '\n', '\0']);
        let fits = match self {
            Self::Text => value.as_str().is_some_and(one_line),
            Self::LongText => value.is_string(),
            Self::Url => value.as_str().is_some_and(|text| {
                url::Url::parse(text)
                    .is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
            }),
            Self::Port => value.as_u64().is_some_and(|port| (1..=65_535).contains(&port)),
            Self::Choice(words) => value.as_str().is_some_and(|word| words.contains(&word)),
            Self::List => value
                .as_array()
                .is_some_and(|list| list.iter().all(|entry| entry.as_str().is_some_and(one_line))),
        };
        let expected = match self {
            Self::Text => "must be one line of text".to_owned(),
            Self::LongText => "must be text".to_owned(),
            Self::Url => "must be a URL with http or https".to_owned(),
            Self::Port => "must be a port, 1 to 65535".to_owned(),
            Self::Choice(words) => format!("must be one of {}", words.join(", ")),
            Self::List => "must be a list of texts".to_owned(),
        };
        (!fits).then_some(expected)
    }
}

fn is_empty(value: &Value) -> bool {
    value.is_null() || value.as_str() == Some("")
}

/// The text of a field, wherever the tenant keeps it.
pub(crate) fn text<'c>(credential: &'c Credential, field: &str) -> Option<&'c str> {
    let value = credential.secrets.get(field).or_else(|| credential.configuration.get(field))?;
    value.as_str().filter(|text| !text.is_empty())
}

/// The text of a field that must be there.
pub(crate) fn required_text<'c>(credential: &'c Credential, field: &str) -> Result<&'c str, NodeError> {
    text(credential, field).ok_or_else(|| {
        NodeError::fatal(
            "invalid_integration",
            format!("the integration ({}) has no {field}", credential.connector),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_connector_is_found_by_its_name_and_describes_itself() {
        for connector in all() {
            assert_eq!(find(connector.name), Some(connector));
            let schema = connector.schema();
            for field in connector.fields {
                assert!(!field.description.is_empty(), "{}.{}", connector.name, field.name);
                assert_eq!(schema["properties"][field.name]["writeOnly"] == true, field.secret);
            }
        }
        assert_eq!(find("no_such"), None);
    }

    #[test]
    fn fields_that_cannot_be_right_are_named() {
        let smtp = find("smtp").unwrap();
        let secrets = |value: Value| value.as_object().unwrap().clone();
        assert_eq!(
            smtp.check(
                &secrets(json!({ "password": "p" })),
                &json!({ "host": "mail.example", "username": "u" })
            ),
            []
        );
        let problems = smtp.check(
            &secrets(json!({ "pasword": "p" })),
            &json!({ "port": 0, "security": "ssl", "password": "shown", "username": "a\nb" }),
        );
        let named: Vec<_> = problems.iter().map(|(field, _)| field.as_str()).collect();
        assert_eq!(named, ["pasword", "host", "port", "security", "username", "password"]);
        assert!(problems.iter().all(|(_, message)| !message.contains("shown")));
    }

    #[test]
    fn what_bounds_the_use_of_secrets_is_refused_among_them() {
        let Value::Object(secrets) =
            json!({ "token": "t", "allowedHosts": ["a.example"], "testUrl": "https://a.example" })
        else {
            panic!("an object")
        };
        let problems = find("http_bearer").unwrap().check(&secrets, &json!({}));
        let named: Vec<_> = problems.iter().map(|(field, _)| field.as_str()).collect();
        assert_eq!(named, ["allowedHosts", "testUrl"], "{problems:?}");
        let Value::Object(secrets) = json!({ "username": "u", "password": "p" }) else { panic!("an object") };
        assert_eq!(find("http_basic").unwrap().check(&secrets, &json!({})), []);
    }

    #[test]
    fn a_change_that_sends_secrets_elsewhere_is_seen() {
        let smtp = find("smtp").unwrap();
        let before = json!({ "host": "mail.example", "helloName": "a" });
        assert_eq!(smtp.redirected_by(&before, &json!({ "host": "mail.example", "port": null })), None);
        assert_eq!(smtp.redirected_by(&before, &json!({ "host": "evil.example" })), Some("host"));
        assert_eq!(
            smtp.redirected_by(&before, &json!({ "host": "mail.example", "security": "none" })),
            Some("security")
        );
        let bearer = find("http_bearer").unwrap();
        let before = json!({ "testUrl": "https://a.example", "allowedHosts": ["a.example"] });
        assert_eq!(bearer.redirected_by(&before, &json!({ "allowedHosts": ["a.example"] })), None);
        assert_eq!(bearer.redirected_by(&before, &json!({})), Some("allowedHosts"));
    }
}
