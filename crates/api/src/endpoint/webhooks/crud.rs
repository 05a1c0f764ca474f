//! Making, reading, changing and deleting webhooks.

use actix_web::{HttpResponse, delete, get, post, put, web};
use serde::Deserialize;
use store::audit::{self, Deed};
use store::settings::Secret;
use store::webhooks::{
    self, Method, NewWebhook, ResponseMode, Rules, SignatureScheme, Webhook, WebhookFilter, WebhookPath,
    WebhookUpdate,
};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::body::{NewWebhookBody, WebhookBody, told};
use crate::auth::{Access, Read, Write};
use crate::http::{Body, Query, nullable};
use crate::page::{Page, page_request};
use crate::problem::Problem;
use crate::state::State;

/// Oldest signature that may be accepted: a day.
const MAX_TOLERANCE_SECS: u32 = 86_400;

/// Longest time for which events are remembered: 30 days.
const MAX_DEDUP_WINDOW_SECS: u32 = 30 * 86_400;

/// Largest body that a webhook may allow: what is larger belongs into a file.
const MAX_BODY_BYTES: u32 = 100 * 1024 * 1024;

/// A webhook to be made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewWebhookRequest {
    /// The workflow to start.
    workflow_id: Uuid,
    /// The part of the address after `/webhooks/`: letters, digits, `-`, `_`, `.`, `~` and `/`.
    #[schema(example = "shop/orders")]
    path: String,
    /// The HTTP method that it answers to, or `ANY`; `POST` by default.
    #[schema(value_type = Option<String>, example = "POST")]
    method: Option<Method>,
    /// How calls are signed: `none`, `standard` or `github`; `standard` by default.
    #[schema(value_type = Option<String>, example = "standard")]
    signature_scheme: Option<SignatureScheme>,
    /// How old a signed timestamp may be; 300 by default.
    tolerance_secs: Option<u32>,
    /// How long a repeated event is known as a repeat; a day by default, 0 takes every call.
    dedup_window_secs: Option<u32>,
    /// The header that names the event, where it is not the one of the scheme.
    dedup_header: Option<String>,
    /// When the caller is answered: `immediate`, `last_node` or `respond_node`; `immediate` by default.
    #[schema(value_type = Option<String>, example = "immediate")]
    response_mode: Option<ResponseMode>,
    /// The largest body; the installation's default when missing.
    max_body_bytes: Option<u32>,
    /// The secret that the sender signs with, where the sender made it; otherwise one is made.
    #[schema(write_only)]
    secret: Option<String>,
    /// Whether it takes calls; true by default.
    is_active: Option<bool>,
}

/// What of a webhook is to be changed. A field that is missing stays as it is.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WebhookUpdateRequest {
    /// The part of the address after `/webhooks/`.
    path: Option<String>,
    /// The HTTP method that it answers to, or `ANY`.
    #[schema(value_type = Option<String>)]
    method: Option<Method>,
    /// How calls are signed: `none`, `standard` or `github`.
    #[schema(value_type = Option<String>)]
    signature_scheme: Option<SignatureScheme>,
    /// How old a signed timestamp may be.
    tolerance_secs: Option<u32>,
    /// How long a repeated event is known as a repeat; 0 takes every call.
    dedup_window_secs: Option<u32>,
    /// The header that names the event; null for the one of the scheme.
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<String>)]
    dedup_header: Option<Option<String>>,
    /// When the caller is answered: `immediate`, `last_node` or `respond_node`.
    #[schema(value_type = Option<String>)]
    response_mode: Option<ResponseMode>,
    /// The largest body; null for the installation's default.
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<u32>)]
    max_body_bytes: Option<Option<u32>>,
    /// Whether it takes calls.
    is_active: Option<bool>,
}

/// Which webhooks are wanted.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct WebhookQuery {
    /// Of this workflow.
    workflow_id: Option<Uuid>,
    /// That take calls, or that do not.
    is_active: Option<bool>,
    /// Most rows of the page, 1 to 200; 50 when missing.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u64>,
    /// `next` of the page before.
    after: Option<String>,
}

/// List webhooks
///
/// The newest first, those of trigger nodes too.
#[utoipa::path(
    tag = "webhooks",
    params(WebhookQuery),
    responses((status = 200, description = "A page of webhooks", body = Page<WebhookBody>)),
)]
#[get("/webhooks")]
pub(crate) async fn list_webhooks(
    state: web::Data<State>,
    access: Access<Read>,
    query: Query<WebhookQuery>,
) -> Result<web::Json<Page<WebhookBody>>, Problem> {
    let query = query.0;
    let page = page_request(query.limit, query.after.as_deref())?;
    let filter = WebhookFilter { workflow_id: query.workflow_id, is_active: query.is_active };
    let found = webhooks::list(state.db.reader(), access.organization_id, filter, page).await?;
    Ok(web::Json(Page::of(found, |webhook| WebhookBody::of(webhook, &state.base_url))))
}

/// Create a webhook
///
/// It starts its workflow at the only trigger that the workflow has. The secret is shown this once.
#[utoipa::path(
    tag = "webhooks",
    request_body = NewWebhookRequest,
    responses(
        (status = 201, description = "The webhook with its secret", body = NewWebhookBody),
        (status = 404, description = "There is no such workflow"),
        (status = 409, description = "Another webhook has the path"),
    ),
)]
#[post("/webhooks")]
pub(crate) async fn create_webhook(
    state: web::Data<State>,
    access: Access<Write>,
    body: Body<NewWebhookRequest>,
) -> Result<HttpResponse, Problem> {
    let request = body.read().await?;
    let mut rules = Rules {
        dedup_header: request.dedup_header,
        max_body_bytes: request.max_body_bytes,
        ..Rules::default()
    };
    set(&mut rules.method, request.method);
    set(&mut rules.signature_scheme, request.signature_scheme);
    set(&mut rules.tolerance_secs, request.tolerance_secs);
    set(&mut rules.dedup_window_secs, request.dedup_window_secs);
    set(&mut rules.response_mode, request.response_mode);
    check(&rules)?;
    let makes_secret = request.secret.is_none();
    let new = NewWebhook {
        organization_id: access.organization_id,
        workflow_id: request.workflow_id,
        user_id: Some(access.user_id),
        path: WebhookPath::parse(&request.path)?,
        rules,
        secret: None,
        is_active: request.is_active.unwrap_or(true),
    };
    let (now, tx) = (state.db.now(), state.db.begin().await?);
    let made = webhooks::create(&tx, now, &state.vault, new).await?;
    let made = made.ok_or_else(|| Problem::not_found("workflow"))?;
    if let Some(secret) = request.secret {
        let secret = Some(Secret::new(secret));
        webhooks::set_secret(&tx, now, &state.vault, access.organization_id, made.id, secret).await?;
    }
    let deed = Deed { new_values: Some(told(&made)), ..access.deed("webhook.create", "webhook", made.id) };
    audit::record(&tx, now, deed).await?;
    // As it is stored, with the secret that was just set.
    let made = find(&tx, access.organization_id, made.id).await?;
    let secret = webhooks::secret(&tx, &state.vault, access.organization_id, made.id).await?;
    tx.commit().await?;
    let secret = secret.filter(|_| makes_secret).map(|secret| secret.expose().to_owned());
    Ok(HttpResponse::Created()
        .json(NewWebhookBody { webhook: WebhookBody::of(made, &state.base_url), secret }))
}

/// Read a webhook
#[utoipa::path(
    tag = "webhooks",
    responses((status = 200, description = "The webhook, without its secret", body = WebhookBody)),
)]
#[get("/webhooks/{id}")]
pub(crate) async fn read_webhook(
    state: web::Data<State>,
    access: Access<Read>,
    id: web::Path<Uuid>,
) -> Result<web::Json<WebhookBody>, Problem> {
    let webhook = find(state.db.reader(), access.organization_id, *id).await?;
    Ok(web::Json(WebhookBody::of(webhook, &state.base_url)))
}

/// Change a webhook
///
/// One of a trigger node is changed by changing its workflow. One that now asks for a signature and has no secret gets
/// one; see it by rotating it.
#[utoipa::path(
    tag = "webhooks",
    request_body = WebhookUpdateRequest,
    responses(
        (status = 200, description = "The webhook as it is now", body = WebhookBody),
        (status = 409, description = "Another webhook has the path"),
    ),
)]
#[put("/webhooks/{id}")]
pub(crate) async fn update_webhook(
    state: web::Data<State>,
    access: Access<Write>,
    id: web::Path<Uuid>,
    body: Body<WebhookUpdateRequest>,
) -> Result<web::Json<WebhookBody>, Problem> {
    let request = body.read().await?;
    let (now, tx) = (state.db.now(), state.db.begin().await?);
    let before = find(&tx, access.organization_id, *id).await?;
    let mut rules = rules_of(&before)?;
    set(&mut rules.method, request.method);
    set(&mut rules.signature_scheme, request.signature_scheme);
    set(&mut rules.tolerance_secs, request.tolerance_secs);
    set(&mut rules.dedup_window_secs, request.dedup_window_secs);
    set(&mut rules.dedup_header, request.dedup_header);
    set(&mut rules.response_mode, request.response_mode);
    set(&mut rules.max_body_bytes, request.max_body_bytes);
    check(&rules)?;
    let update = WebhookUpdate {
        path: request.path.as_deref().map(WebhookPath::parse).transpose()?,
        rules: Some(rules),
        is_active: request.is_active,
    };
    let after = webhooks::update(&tx, now, &state.vault, access.organization_id, *id, update).await?;
    let after = after.ok_or_else(|| Problem::not_found("webhook"))?;
    let deed = Deed {
        old_values: Some(told(&before)),
        new_values: Some(told(&after)),
        ..access.deed("webhook.update", "webhook", after.id)
    };
    audit::record(&tx, now, deed).await?;
    tx.commit().await?;
    Ok(web::Json(WebhookBody::of(after, &state.base_url)))
}

/// Delete a webhook
///
/// Calls of it are answered 404 from now on.
#[utoipa::path(tag = "webhooks", responses((status = 204, description = "It is gone")))]
#[delete("/webhooks/{id}")]
pub(crate) async fn delete_webhook(
    state: web::Data<State>,
    access: Access<Write>,
    id: web::Path<Uuid>,
) -> Result<HttpResponse, Problem> {
    let (now, tx) = (state.db.now(), state.db.begin().await?);
    let webhook = find(&tx, access.organization_id, *id).await?;
    webhooks::delete(&tx, access.organization_id, webhook.id).await?;
    let deed =
        Deed { old_values: Some(told(&webhook)), ..access.deed("webhook.delete", "webhook", webhook.id) };
    audit::record(&tx, now, deed).await?;
    tx.commit().await?;
    Ok(HttpResponse::NoContent().finish())
}

/// The webhook with this id.
pub(super) async fn find(
    db: &impl sea_orm::ConnectionTrait,
    organization_id: Uuid,
    id: Uuid,
) -> Result<Webhook, Problem> {
    webhooks::find(db, organization_id, id).await?.ok_or_else(|| Problem::not_found("webhook"))
}

fn rules_of(webhook: &Webhook) -> Result<Rules, Problem> {
    let whole = |number: i64| u32::try_from(number).unwrap_or(u32::MAX);
    Ok(Rules {
        method: webhook.method.parse()?,
        signature_scheme: webhook.signature_scheme.parse()?,
        tolerance_secs: whole(webhook.tolerance_secs),
        dedup_window_secs: whole(webhook.dedup_window_secs),
        dedup_header: webhook.dedup_header.clone(),
        response_mode: webhook.response_mode.parse()?,
        max_body_bytes: webhook.max_body_bytes.map(whole),
    })
}

fn check(rules: &Rules) -> Result<(), Problem> {
    for (field, value, largest) in [
        ("tolerance_secs", rules.tolerance_secs, MAX_TOLERANCE_SECS),
        ("dedup_window_secs", rules.dedup_window_secs, MAX_DEDUP_WINDOW_SECS),
        ("max_body_bytes", rules.max_body_bytes.unwrap_or(1), MAX_BODY_BYTES),
    ] {
        if value > largest {
            return Err(Problem::field(field, format!("must be at most {largest}")));
        }
    }
    Ok(())
}

fn set<T>(place: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *place = value;
    }
}
