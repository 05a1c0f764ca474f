//! Making, reading, changing and deleting integrations.

use actix_web::{HttpResponse, delete, get, post, put, web};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use store::audit::{self, Deed};
use store::integrations::{
    self, Credentials, Integration, IntegrationFilter, IntegrationUpdate, NewIntegration, Status,
};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::body::{IntegrationBody, told};
use super::judge;
use crate::auth::{Access, Admin, Read};
use crate::http::{Body, Query};
use crate::page::{Page, page_request};
use crate::problem::Problem;
use crate::state::State;

/// An integration to be made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewIntegrationRequest {
    /// What it connects to, as in the list of connectors.
    #[schema(example = "http_bearer")]
    connector: String,
    /// The name to show, by which nodes can refer to it.
    #[schema(example = "Shop")]
    name: String,
    /// Secret fields. They are encrypted and never shown.
    #[serde(default)]
    #[schema(write_only, value_type = Object, example = json!({"token": "..."}))]
    credentials: Map<String, Value>,
    /// The other fields.
    #[serde(default)]
    #[schema(value_type = Object)]
    configuration: Map<String, Value>,
}

/// What of an integration is to be changed. A field that is missing stays as it is.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct IntegrationUpdateRequest {
    /// The name to show, by which nodes can refer to it.
    name: Option<String>,
    /// Secret fields, all of them. New ones make it active again.
    #[schema(write_only, value_type = Option<Object>)]
    credentials: Option<Map<String, Value>>,
    /// The other fields, all of them.
    #[schema(value_type = Option<Object>)]
    configuration: Option<Map<String, Value>>,
    /// Whether nodes may use it.
    is_active: Option<bool>,
}

/// Which integrations are wanted.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct IntegrationQuery {
    /// Of this connector.
    connector: Option<String>,
    /// With this status.
    #[param(value_type = Option<String>, example = "active")]
    status: Option<Status>,
    /// Most rows of the page, 1 to 200; 50 when missing.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u64>,
    /// `next` of the page before.
    after: Option<String>,
}

/// List integrations
///
/// The newest first.
#[utoipa::path(
    tag = "integrations",
    params(IntegrationQuery),
    responses((status = 200, description = "A page of integrations", body = Page<IntegrationBody>)),
)]
#[get("/integrations")]
pub(crate) async fn list_integrations(
    state: web::Data<State>,
    access: Access<Read>,
    query: Query<IntegrationQuery>,
) -> Result<web::Json<Page<IntegrationBody>>, Problem> {
    let query = query.0;
    if query.connector.as_deref().is_some_and(|name| name.contains('\0')) {
        return Err(Problem::field("connector", "is no name of a connector"));
    }
    let page = page_request(query.limit, query.after.as_deref())?;
    let filter = IntegrationFilter { service_name: query.connector, status: query.status };
    let found = integrations::list(state.db.reader(), access.organization_id, &filter, page).await?;
    Ok(web::Json(Page::of(found, IntegrationBody::from)))
}

/// Create an integration
#[utoipa::path(
    tag = "integrations",
    request_body = NewIntegrationRequest,
    responses(
        (status = 201, description = "The integration, without its credentials", body = IntegrationBody),
        (status = 409, description = "There is one of this name for the connector"),
    ),
)]
#[post("/integrations")]
pub(crate) async fn create_integration(
    state: web::Data<State>,
    access: Access<Admin>,
    body: Body<NewIntegrationRequest>,
) -> Result<HttpResponse, Problem> {
    let request = body.read().await?;
    judge::check_name(&request.name)?;
    let configuration = Value::Object(request.configuration);
    judge::check(judge::connector(&request.connector)?, &request.credentials, &configuration)?;
    let new = NewIntegration {
        organization_id: access.organization_id,
        user_id: Some(access.user_id),
        service_name: request.connector,
        display_name: request.name,
        credentials: Credentials::new(request.credentials),
        configuration,
        metadata: json!({}),
        expires_at: None,
        refresh_token_expires_at: None,
    };
    let (now, tx) = (state.db.now(), state.db.begin().await?);
    let made = integrations::create(&tx, now, &state.vault, new).await?;
    let deed =
        Deed { new_values: Some(told(&made)), ..access.deed("integration.create", "integration", made.id) };
    audit::record(&tx, now, deed).await?;
    tx.commit().await?;
    Ok(HttpResponse::Created().json(IntegrationBody::from(made)))
}

/// Read an integration
#[utoipa::path(
    tag = "integrations",
    responses((status = 200, description = "The integration, without its credentials", body = IntegrationBody)),
)]
#[get("/integrations/{id}")]
pub(crate) async fn read_integration(
    state: web::Data<State>,
    access: Access<Read>,
    id: web::Path<Uuid>,
) -> Result<web::Json<IntegrationBody>, Problem> {
    Ok(web::Json(find(state.db.reader(), access.organization_id, *id).await?.into()))
}

/// Change an integration
#[utoipa::path(
    tag = "integrations",
    request_body = IntegrationUpdateRequest,
    responses(
        (status = 200, description = "The integration as it is now", body = IntegrationBody),
        (status = 409, description = "There is one of this name for the connector"),
    ),
)]
#[put("/integrations/{id}")]
pub(crate) async fn update_integration(
    state: web::Data<State>,
    access: Access<Admin>,
    id: web::Path<Uuid>,
    body: Body<IntegrationUpdateRequest>,
) -> Result<web::Json<IntegrationBody>, Problem> {
    let request = body.read().await?;
    request.name.as_deref().map_or(Ok(()), judge::check_name)?;
    let (now, tx) = (state.db.now(), state.db.begin().await?);
    let before = find(&tx, access.organization_id, *id).await?;
    let configuration = request.configuration.map(Value::Object);
    check_change(&state, &tx, &before, request.credentials.as_ref(), configuration.as_ref()).await?;
    let update = IntegrationUpdate {
        display_name: request.name,
        credentials: request.credentials.map(Credentials::new),
        configuration,
        status: request.is_active.map(|is_active| if is_active { Status::Active } else { Status::Inactive }),
        ..IntegrationUpdate::default()
    };
    let has_new_credentials = update.credentials.is_some();
    let after = integrations::update(&tx, now, &state.vault, access.organization_id, *id, update).await?;
    let after = after.ok_or_else(|| Problem::not_found("integration"))?;
    let mut deed = Deed {
        old_values: Some(told(&before)),
        new_values: Some(told(&after)),
        ..access.deed("integration.update", "integration", after.id)
    };
    if has_new_credentials && let Some(values) = &mut deed.new_values {
        // The audit log blanks it out; that it changed is seen.
        values["credentials"] = "changed".into();
    }
    audit::record(&tx, now, deed).await?;
    tx.commit().await?;
    Ok(web::Json(after.into()))
}

/// Delete an integration
///
/// Nodes that use it fail from now on.
#[utoipa::path(tag = "integrations", responses((status = 204, description = "It is gone, with its credentials")))]
#[delete("/integrations/{id}")]
pub(crate) async fn delete_integration(
    state: web::Data<State>,
    access: Access<Admin>,
    id: web::Path<Uuid>,
) -> Result<HttpResponse, Problem> {
    let (now, tx) = (state.db.now(), state.db.begin().await?);
    let found = find(&tx, access.organization_id, *id).await?;
    integrations::delete(&tx, access.organization_id, found.id).await?;
    let deed =
        Deed { old_values: Some(told(&found)), ..access.deed("integration.delete", "integration", found.id) };
    audit::record(&tx, now, deed).await?;
    tx.commit().await?;
    Ok(HttpResponse::NoContent().finish())
}

/// The integration with this id.
pub(super) async fn find(
    db: &impl sea_orm::ConnectionTrait,
    organization_id: Uuid,
    id: Uuid,
) -> Result<Integration, Problem> {
    integrations::find(db, organization_id, id).await?.ok_or_else(|| Problem::not_found("integration"))
}

/// Checks the fields together: those that are changed and those that stay. Credentials that cannot be opened, because
/// it is switched off or its key is lost, are left out of it: a node that uses them checks them again.
async fn check_change(
    state: &State,
    db: &impl sea_orm::ConnectionTrait,
    before: &Integration,
    credentials: Option<&Map<String, Value>>,
    configuration: Option<&Value>,
) -> Result<(), Problem> {
    if credentials.is_none() && configuration.is_none() {
        return Ok(());
    }
    let connector = judge::connector(&before.service_name)?;
    let configuration = configuration.unwrap_or(&before.configuration);
    if let Some(credentials) = credentials {
        return judge::check(connector, credentials, configuration);
    }
    judge::check_destination(connector, &before.configuration, configuration)?;
    let id = before.id.to_string();
    match integrations::unseal(db, &state.vault, before.organization_id, &id, &[]).await {
        Ok(Some(known)) => judge::check(connector, known.credentials.expose(), configuration),
        Ok(None) | Err(store::Error::Invalid { .. } | store::Error::Vault(_)) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
