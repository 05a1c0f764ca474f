//! API keys: how programs sign in.

use actix_web::{HttpResponse, delete, get, post, web};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::api_keys::{self, ApiKey, NewApiKey};
use store::audit::{self, Deed};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::auth::{Access, Admin, ApiKeyToken, hash_token};
use crate::http::{Body, Query};
use crate::page::{Page, page_request};
use crate::problem::{Code, Problem};
use crate::state::State;

/// Longest name of a key, in characters.
const MAX_NAME_CHARS: usize = 100;

/// What an API key may be allowed to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum KeyPermission {
    /// Look at things.
    Read,
    /// Make, change and delete workflows and what belongs to them.
    Write,
    /// Run, cancel and retry executions.
    Execute,
    /// Manage integrations and API keys.
    Admin,
}

impl KeyPermission {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Execute => "execute",
            Self::Admin => "admin",
        }
    }
}

/// An API key to be made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewApiKeyRequest {
    /// A name to recognise it by.
    #[schema(example = "deployment", min_length = 1, max_length = 100)]
    name: String,
    /// What it may do, as far as the role of its owner allows it too.
    #[schema(min_items = 1)]
    permissions: Vec<KeyPermission>,
    /// From when it no longer counts; never when missing.
    expires_at: Option<DateTime<Utc>>,
}

/// An API key, without the key itself.
#[derive(Serialize, ToSchema)]
#[schema(as = ApiKey)]
pub struct ApiKeyBody {
    id: Uuid,
    /// Whom it acts for.
    user_id: Uuid,
    name: String,
    /// Its first letters.
    prefix: String,
    /// What it may do: `read`, `write`, `execute`, `admin`.
    permissions: Vec<String>,
    #[schema(required)]
    expires_at: Option<DateTime<Utc>>,
    /// Whether it counts at all.
    is_active: bool,
    /// The latest request with it; written down every few seconds.
    #[schema(required)]
    last_used_at: Option<DateTime<Utc>>,
    /// How many requests were made with it.
    usage_count: i64,
    created_at: DateTime<Utc>,
}

/// An API key that was just made.
#[derive(Serialize, ToSchema)]
#[schema(as = NewApiKey)]
pub struct NewApiKeyBody {
    #[serde(flatten)]
    api_key: ApiKeyBody,
    /// The key itself. It is not stored and cannot be shown again.
    #[schema(example = "tm_9fXo...")]
    key: String,
}

impl ApiKeyBody {
    fn of(key: ApiKey) -> Self {
        let permissions = key.permissions.as_array().into_iter().flatten();
        Self {
            id: key.id,
            user_id: key.user_id,
            name: key.key_name,
            prefix: key.key_prefix,
            permissions: permissions.filter_map(|word| word.as_str().map(str::to_owned)).collect(),
            expires_at: key.expires_at.map(|at| at.to_utc()),
            is_active: key.is_active,
            last_used_at: key.last_used_at.map(|at| at.to_utc()),
            usage_count: key.usage_count,
            created_at: key.created_at.to_utc(),
        }
    }
}

/// Which keys are wanted.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ApiKeyQuery {
    /// Most rows of the page, 1 to 200; 50 when missing.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u64>,
    /// `next` of the page before.
    after: Option<String>,
}

/// List API keys
///
/// Those of the organization, the newest first.
#[utoipa::path(
    tag = "api keys",
    params(ApiKeyQuery),
    responses((status = 200, description = "A page of keys", body = Page<ApiKeyBody>)),
)]
#[get("/api-keys")]
pub(crate) async fn list_api_keys(
    state: web::Data<State>,
    access: Access<Admin>,
    query: Query<ApiKeyQuery>,
) -> Result<web::Json<Page<ApiKeyBody>>, Problem> {
    let page = page_request(query.0.limit, query.0.after.as_deref())?;
    let keys = api_keys::list(state.db.reader(), access.organization_id, None, page).await?;
    Ok(web::Json(Page::of(keys, ApiKeyBody::of)))
}

/// Create an API key
///
/// The key acts for the caller, in the organization of the request. It takes a session: a key cannot make another
/// one that may do more than itself.
#[utoipa::path(
    tag = "api keys",
    request_body = NewApiKeyRequest,
    responses(
        (status = 201, description = "The key; this is the only time that it is shown", body = NewApiKeyBody),
        (status = 409, description = "You have a key of this name"),
    ),
)]
#[post("/api-keys")]
pub(crate) async fn create_api_key(
    state: web::Data<State>,
    access: Access<Admin>,
    body: Body<NewApiKeyRequest>,
) -> Result<HttpResponse, Problem> {
    if access.api_key_id.is_some() {
        return Err(Problem::new(Code::Forbidden, "an API key cannot make API keys: sign in"));
    }
    let request = body.read().await?;
    let now = state.db.now();
    judge(&request, now)?;
    let mut permissions: Vec<String> = Vec::new();
    for permission in request.permissions {
        if !permissions.iter().any(|known| known == permission.as_str()) {
            permissions.push(permission.as_str().to_owned());
        }
    }
    let made = ApiKeyToken::generate();
    let new = NewApiKey {
        organization_id: access.organization_id,
        user_id: access.user_id,
        key_name: request.name,
        key_prefix: made.prefix,
        key_hash: hash_token(&made.token),
        permissions,
        expires_at: request.expires_at,
    };
    let tx = state.db.begin().await?;
    let key = api_keys::create(&tx, now, new).await?;
    let values =
        json!({ "name": key.key_name, "permissions": key.permissions, "expires_at": key.expires_at });
    let deed = Deed { new_values: Some(values), ..access.deed("api_key.create", "api_key", key.id) };
    audit::record(&tx, now, deed).await?;
    tx.commit().await?;
    Ok(HttpResponse::Created().json(NewApiKeyBody { api_key: ApiKeyBody::of(key), key: made.token }))
}

/// Delete an API key
///
/// Requests with it are refused from now on.
#[utoipa::path(tag = "api keys", responses((status = 204, description = "It is gone")))]
#[delete("/api-keys/{id}")]
pub(crate) async fn delete_api_key(
    state: web::Data<State>,
    access: Access<Admin>,
    id: web::Path<Uuid>,
) -> Result<HttpResponse, Problem> {
    let (now, tx) = (state.db.now(), state.db.begin().await?);
    let key = api_keys::find(&tx, access.organization_id, *id).await?;
    let key = key.ok_or_else(|| Problem::not_found("API key"))?;
    api_keys::delete(&tx, access.organization_id, key.id).await?;
    let deed = Deed {
        old_values: Some(json!({ "name": key.key_name })),
        ..access.deed("api_key.delete", "api_key", key.id)
    };
    audit::record(&tx, now, deed).await?;
    tx.commit().await?;
    Ok(HttpResponse::NoContent().finish())
}

fn judge(request: &NewApiKeyRequest, now: DateTime<Utc>) -> Result<(), Problem> {
    if request.name.trim().is_empty() || request.name.chars().count() > MAX_NAME_CHARS {
        return Err(Problem::field("name", format!("1 to {MAX_NAME_CHARS} characters")));
    }
    if request.permissions.is_empty() {
        return Err(Problem::field("permissions", "at least one of read, write, execute, admin"));
    }
    if request.expires_at.is_some_and(|at| at <= now) {
        return Err(Problem::field("expires_at", "is in the past"));
    }
    Ok(())
}
