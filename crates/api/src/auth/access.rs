//! The extractors that let a request in.

use std::future::{Future, Ready, ready};
use std::marker::PhantomData;
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::http::Method;
use actix_web::http::header::{self, HeaderMap};
use actix_web::{FromRequest, HttpRequest, web};
use chrono::TimeDelta;
use serde_json::{Value, json};
use store::audit::Deed;
use store::organizations::Role;
use store::{api_keys, organizations, sessions};
use uuid::Uuid;

use super::token::{ApiKeyToken, hash_token};
use crate::problem::{Code, Problem};
use crate::state::State;

/// The session cookie.
pub const SESSION_COOKIE: &str = "tidemill_session";

/// Names the organization that a request is about, where it is not the session's current one.
const ORGANIZATION_HEADER: &str = "tidemill-organization";

/// A session's last use is written down at most this often: reading is not to cost a write.
const TOUCH_AFTER: TimeDelta = TimeDelta::seconds(60);

/// What a route needs. Roles include what the roles below them may do; an API key needs the word too.
pub trait Permission: 'static {
    /// The least role.
    const ROLE: Role;
    /// The permission that an API key must have.
    const WORD: &'static str;
}

macro_rules! permission {
    ($name:ident, $role:ident, $word:literal, $doc:literal) => {
        #[doc = $doc]
        pub struct $name;

        impl Permission for $name {
            const ROLE: Role = Role::$role;
            const WORD: &'static str = $word;
        }
    };
}

permission!(Read, Viewer, "read", "Look at things: any member.");
permission!(Write, Member, "write", "Make, change and delete workflows and what belongs to them: members.");
permission!(Execute, Member, "execute", "Run, cancel and retry executions: members.");
permission!(Admin, Admin, "admin", "Manage integrations and API keys: administrators and owners.");

/// Who the request comes from, once known.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The user.
    pub user_id: Uuid,
    /// The organization that the request is about.
    pub organization_id: Uuid,
    /// The user's role in it.
    pub role: Role,
    /// The API key, where one was used.
    pub api_key_id: Option<Uuid>,
    /// Where the request comes from.
    pub client: Client,
}

impl Caller {
    /// The row of the audit log for what the caller does to a thing of the organization.
    #[must_use]
    pub fn deed(&self, action: &str, resource_type: &str, resource_id: Uuid) -> Deed {
        let details = self.api_key_id.map_or(Value::Null, |id| json!({ "api_key_id": id }));
        Deed {
            organization_id: Some(self.organization_id),
            user_id: Some(self.user_id),
            action: action.to_owned(),
            resource_type: resource_type.to_owned(),
            resource_id: Some(resource_id),
            details,
            ip_address: self.client.ip_address.clone(),
            user_agent: self.client.user_agent.clone(),
            ..Deed::default()
        }
    }
}

/// Where a request comes from, whoever sent it; for the audit log.
#[derive(Clone, Debug, Default)]
pub struct Client {
    /// The address.
    pub ip_address: Option<String>,
    /// The program, as it calls itself.
    pub user_agent: Option<String>,
}

/// A caller who has permission `P` in the organization that the request is about.
pub struct Access<P> {
    /// Who it is.
    pub caller: Caller,
    permission: PhantomData<P>,
}

impl<P> std::ops::Deref for Access<P> {
    type Target = Caller;

    fn deref(&self) -> &Caller {
        &self.caller
    }
}

impl<P: Permission> FromRequest for Access<P> {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let caller = match credentials(&request)? {
                Credentials::ApiKey(token) => caller_of_key(&request, &token, P::WORD).await?,
                Credentials::Session(token) => {
                    let session = SignedIn::find(&request, &token).await?;
                    caller_of_session(&request, session).await?
                }
            };
            if !caller.role.is_at_least(P::ROLE) {
                let detail = format!("this takes the role {} or higher; yours is {}", P::ROLE, caller.role);
                return Err(Problem::new(Code::Forbidden, detail));
            }
            Ok(Self { caller, permission: PhantomData })
        })
    }
}

/// A caller with a session: a person, not a key.
pub struct SignedIn {
    /// The session with its user.
    pub live: sessions::LiveSession,
}

impl SignedIn {
    async fn find(request: &HttpRequest, token: &str) -> Result<Self, Problem> {
        let state = state(request)?;
        let now = state.db.now();
        let live = sessions::find_live(state.db.reader(), now, &hash_token(token))
            .await?
            .ok_or_else(unauthenticated)?;
        let idle = now - live.session.last_seen_at.to_utc();
        if idle > TimeDelta::hours(i64::from(state.settings.api.session_idle_hours)) {
            return Err(unauthenticated());
        }
        if idle > TOUCH_AFTER {
            sessions::touch(state.db.writer(), now, live.session.id, None).await?;
        }
        Ok(Self { live })
    }
}

impl FromRequest for SignedIn {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            match credentials(&request)? {
                Credentials::Session(token) => Self::find(&request, &token).await,
                Credentials::ApiKey(token) => {
                    find_key(state(&request)?, &token).await?;
                    Err(Problem::new(Code::Forbidden, "this takes a session, not an API key"))
                }
            }
        })
    }
}

enum Credentials {
    Session(String),
    ApiKey(String),
}

/// The token that a request carries: in the `Authorization` header, or in the cookie.
fn credentials(request: &HttpRequest) -> Result<Credentials, Problem> {
    if let Some(value) = request.headers().get(header::AUTHORIZATION) {
        let token = value
            .to_str()
            .ok()
            .and_then(|value| value.split_once(' '))
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
            .map(|(_, token)| token.trim().to_owned())
            .ok_or_else(|| Problem::new(Code::Unauthenticated, "expected `Authorization: Bearer TOKEN`"))?;
        return Ok(if ApiKeyToken::is_one(&token) {
            Credentials::ApiKey(token)
        } else {
            Credentials::Session(token)
        });
    }
    let cookie = request.cookie(SESSION_COOKIE).ok_or_else(unauthenticated)?;
    // A browser sends the cookie along wherever the request comes from, so a change must come from our own pages.
    let changes = !matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    if changes && !is_same_origin(request) {
        return Err(Problem::new(
            Code::Forbidden,
            "a change with the session cookie must come from this site",
        ));
    }
    Ok(Credentials::Session(cookie.value().to_owned()))
}

/// Whether a browser says that the request comes from our own pages.
fn is_same_origin(request: &HttpRequest) -> bool {
    let text = |headers: &HeaderMap, name: &str| headers.get(name)?.to_str().ok().map(str::to_owned);
    let headers = request.headers();
    match (text(headers, "origin"), text(headers, "sec-fetch-site")) {
        (Some(origin), _) => {
            let host = origin.split_once("://").map(|(_, host)| host);
            let ours = state(request).ok().map(|state| state.base_url.clone()).unwrap_or_default();
            (host.is_some() && host == text(headers, "host").as_deref()) || origin == ours
        }
        (None, site) => site.as_deref() == Some("same-origin"),
    }
}

async fn caller_of_session(request: &HttpRequest, session: SignedIn) -> Result<Caller, Problem> {
    let live = session.live;
    let (organization_id, role) = match wanted_organization(request)? {
        None => (live.session.organization_id, live.role),
        Some(wanted) => {
            let role = organizations::role_of(state(request)?.db.reader(), wanted, live.user.id).await?;
            (Some(wanted), role)
        }
    };
    let (Some(organization_id), Some(role)) = (organization_id, role) else {
        return Err(Problem::not_found("organization"));
    };
    Ok(Caller { user_id: live.user.id, organization_id, role, api_key_id: None, client: Client::of(request) })
}

async fn find_key(state: &State, token: &str) -> Result<api_keys::LiveApiKey, Problem> {
    let found = api_keys::find_live(state.db.reader(), state.db.now(), &hash_token(token)).await?;
    found.ok_or_else(unauthenticated)
}

async fn caller_of_key(request: &HttpRequest, token: &str, word: &str) -> Result<Caller, Problem> {
    let state = state(request)?;
    let live = find_key(state, token).await?;
    if wanted_organization(request)?.is_some_and(|wanted| wanted != live.key.organization_id) {
        return Err(Problem::not_found("organization"));
    }
    if !live.permissions().any(|permission| permission == word) {
        return Err(Problem::new(Code::Forbidden, format!("the API key lacks the permission {word:?}")));
    }
    state.key_uses.count(live.key.id);
    Ok(Caller {
        user_id: live.user.id,
        organization_id: live.key.organization_id,
        role: live.role,
        api_key_id: Some(live.key.id),
        client: Client::of(request),
    })
}

fn wanted_organization(request: &HttpRequest) -> Result<Option<Uuid>, Problem> {
    let Some(value) = request.headers().get(ORGANIZATION_HEADER) else { return Ok(None) };
    let id = value.to_str().ok().and_then(|text| text.parse().ok());
    id.map(Some).ok_or_else(|| Problem::field("Tidemill-Organization", "expected the id of an organization"))
}

impl Client {
    fn of(request: &HttpRequest) -> Self {
        let user_agent = request.headers().get(header::USER_AGENT).and_then(|value| value.to_str().ok());
        Self {
            ip_address: request.peer_addr().map(|address| address.ip().to_string()),
            user_agent: user_agent.map(|text| text.chars().take(255).collect()),
        }
    }
}

fn state(request: &HttpRequest) -> Result<&State, Problem> {
    request
        .app_data::<web::Data<State>>()
        .map(web::Data::get_ref)
        .ok_or_else(|| Problem::internal("the application has no state"))
}

fn unauthenticated() -> Problem {
    Problem::new(Code::Unauthenticated, "sign in, or send an API key, as `Authorization: Bearer TOKEN`")
}

impl FromRequest for Client {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(Self::of(request)))
    }
}
