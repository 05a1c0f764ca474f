//! The OpenAPI document, made from the routes.
//!
//! Handlers document what is particular to them; what every operation has in common (who may call it, how it
//! refuses) is added here, so that it cannot be forgotten.

use std::collections::BTreeMap;

use utoipa::openapi::path::Operation;
use utoipa::openapi::response::{Response, ResponseBuilder};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{Content, OpenApi as Document, Ref, RefOr};
use utoipa::{Modify, OpenApi, ToSchema};
use utoipa_actix_web::AppExt as _;

use crate::auth::SESSION_COOKIE;
use crate::problem::{MEDIA_TYPE, ProblemBody};
use crate::routes;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Tidemill",
        description = "Workflows as graphs of nodes, run on schedules, on webhooks and by hand.\n\n\
            Send a session's token or an API key as `Authorization: Bearer TOKEN`. A request is about the current \
            organization of the session, or the one in the header `Tidemill-Organization`; an API key belongs to one. \
            Lists are read in pages: give `next` of one as `after` of the following. Errors are problem details \
            (RFC 9457) with a stable `code`; `/docs/problems` lists the codes.",
    ),
    components(schemas(ProblemBody)),
    modifiers(&Security),
    security(("token" = []), ("cookie" = [])),
    tags(
        (name = "auth", description = "Accounts and sessions"),
        (name = "api keys", description = "How programs sign in, each within one organization"),
        (name = "workflows", description = "Graphs of nodes; every save is a version"),
        (name = "executions", description = "Runs of workflows with their steps and logs"),
        (name = "schedules", description = "When workflows run by themselves"),
        (name = "webhooks", description = "How others start workflows"),
        (name = "integrations", description = "Connections to services, with their credentials"),
        (name = "files", description = "Stored files"),
        (name = "node types", description = "What a workflow can be made of"),
    )
)]
struct Base;

struct Security;

impl Modify for Security {
    fn modify(&self, document: &mut Document) {
        let components = document.components.get_or_insert_default();
        let token = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some("The token of a session, or an API key (`tm_...`)"))
            .build();
        components.add_security_scheme("token", SecurityScheme::Http(token));
        let cookie = ApiKeyValue::with_description(
            SESSION_COOKIE,
            "The cookie of a session; changes must come from the pages of this site",
        );
        components.add_security_scheme("cookie", SecurityScheme::ApiKey(ApiKey::Cookie(cookie)));
    }
}

/// The document of the whole API.
#[must_use]
pub fn document() -> Document {
    let (_, mut document) = actix_web::App::new()
        .into_utoipa_app()
        .openapi(Base::openapi())
        .configure(routes::configure)
        .split_for_parts();
    for (path, item) in &mut document.paths.paths {
        let has_parameters = path.contains('{');
        let operations = [&mut item.get, &mut item.post, &mut item.put, &mut item.patch, &mut item.delete];
        for operation in operations.into_iter().flatten() {
            add_refusals(operation, has_parameters);
        }
    }
    sort_schemas(&mut document);
    document
}

/// Adds the answers that any operation of its kind can give.
fn add_refusals(operation: &mut Operation, has_parameters: bool) {
    // An operation that needs nobody signed in says so with an empty list.
    let is_public = operation.security.as_ref().is_some_and(|schemes| schemes.iter().all(is_empty));
    let takes_input =
        operation.request_body.is_some() || operation.parameters.as_ref().is_some_and(|all| !all.is_empty());
    let refusals = [
        ("400", takes_input, "The request is not valid; `errors` names the fields"),
        ("401", !is_public, "Nobody is signed in"),
        ("403", !is_public, "The role or the API key does not allow it"),
        ("404", has_parameters, "There is no such thing, or it is another organization's"),
        ("413", operation.request_body.is_some(), "The body is too large"),
        ("415", operation.request_body.is_some(), "The body has a media type that the route does not take"),
        ("503", true, "Busy; try again"),
    ];
    for (status, applies, description) in refusals {
        if applies {
            operation
                .responses
                .responses
                .entry(status.to_owned())
                .or_insert_with(|| RefOr::T(problem(description)));
        }
    }
    for (status, response) in &mut operation.responses.responses {
        if let RefOr::T(response) = response
            && status.starts_with(['4', '5'])
            && response.content.is_empty()
        {
            *response = problem(&response.description);
        }
    }
}

fn is_empty(scheme: &utoipa::openapi::SecurityRequirement) -> bool {
    *scheme == utoipa::openapi::SecurityRequirement::default()
}

fn problem(description: &str) -> Response {
    let schema = Ref::from_schema_name(ProblemBody::name());
    ResponseBuilder::new().description(description).content(MEDIA_TYPE, Content::new(Some(schema))).build()
}

/// The order of schemas follows from their names, not from which route was registered first.
fn sort_schemas(document: &mut Document) {
    if let Some(components) = &mut document.components {
        let schemas = std::mem::take(&mut components.schemas);
        components.schemas = schemas.into_iter().collect::<BTreeMap<_, _>>().into_iter().collect();
    }
}
