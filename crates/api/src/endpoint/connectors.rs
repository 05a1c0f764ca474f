//! Connectors: what Tidemill knows of services.

use actix_web::{get, web};
use nodes::connectors::{self, Connector, Field, FieldKind};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::auth::{Access, Read};
use crate::page::Page;

/// What Tidemill knows of a service.
#[derive(Serialize, ToSchema)]
#[schema(as = Connector)]
pub struct ConnectorBody {
    /// The word for it, as in an integration's `connector`.
    #[schema(example = "http_bearer")]
    name: &'static str,
    /// The name to show.
    title: &'static str,
    /// What it is for.
    description: &'static str,
    /// What an integration has to say.
    fields: Vec<ConnectorField>,
    /// JSON Schema of all fields; secret ones are `writeOnly`.
    #[schema(value_type = Object)]
    schema: Value,
}

/// One field of an integration.
#[derive(Serialize, ToSchema)]
pub struct ConnectorField {
    /// The key.
    name: &'static str,
    /// The name to show.
    title: &'static str,
    /// What to write there.
    description: &'static str,
    /// `text`, `long_text`, `url`, `port`, `choice` or `list`.
    kind: &'static str,
    /// The words to choose from.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    choices: &'static [&'static str],
    /// Whether it belongs into `credentials`, and is never shown again; others belong into `configuration`.
    secret: bool,
    /// Whether it must be there.
    required: bool,
}

impl From<&'static Connector> for ConnectorBody {
    fn from(connector: &'static Connector) -> Self {
        Self {
            name: connector.name,
            title: connector.title,
            description: connector.description,
            fields: connector.fields.iter().map(ConnectorField::from).collect(),
            schema: connector.schema(),
        }
    }
}

impl From<&Field> for ConnectorField {
    fn from(field: &Field) -> Self {
        let (kind, choices): (_, &'static [&'static str]) = match field.kind {
            FieldKind::Text => ("text", &[]),
            FieldKind::LongText => ("long_text", &[]),
            FieldKind::Url => ("url", &[]),
            FieldKind::Port => ("port", &[]),
            FieldKind::Choice(words) => ("choice", words),
            FieldKind::List => ("list", &[]),
        };
        Self {
            name: field.name,
            title: field.title,
            description: field.description,
            kind,
            choices,
            secret: field.secret,
            required: field.required,
        }
    }
}

/// List connectors
///
/// All of them, in one page.
#[utoipa::path(
    tag = "integrations",
    responses((status = 200, description = "What integrations can be made with", body = Page<ConnectorBody>)),
)]
#[get("/connectors")]
pub(crate) async fn list_connectors(_access: Access<Read>) -> web::Json<Page<ConnectorBody>> {
    web::Json(Page::whole(connectors::all().iter().map(ConnectorBody::from).collect()))
}
