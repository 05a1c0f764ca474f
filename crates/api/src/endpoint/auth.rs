//! Sign-up, login, logout, and who one is.

use actix_web::cookie::{Cookie, SameSite};
use actix_web::{HttpResponse, get, post, web};
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::audit::{self, Deed};
use store::organizations::{self, Organization, Role};
use store::sessions::{self, NewSession};
use store::settings::SignUp;
use store::users::{self, EmailAddress, NewUser, User};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::auth::{Access, Client, Passwords, Read, SESSION_COOKIE, SignedIn, hash_token, new_session_token};
use crate::http::Body;
use crate::problem::{Code, Problem};
use crate::state::State;

/// Longest name of a person, in characters.
const MAX_NAME_CHARS: usize = 200;

/// Somebody who wants an account.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SignUpRequest {
    /// The address to sign in with.
    #[schema(example = "ada@example.org")]
    email: String,
    /// At least 8 characters.
    #[schema(example = "correct horse battery staple", min_length = 8)]
    password: String,
    /// The name to show; the address when missing.
    full_name: Option<String>,
    /// IANA name of the time zone; UTC when missing.
    #[schema(example = "Europe/Berlin")]
    timezone: Option<String>,
}

/// Somebody who signs in.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LoginRequest {
    /// The address of the account.
    #[schema(example = "ada@example.org")]
    email: String,
    /// Its password.
    #[schema(example = "correct horse battery staple")]
    password: String,
}

/// A session that was opened.
#[derive(Serialize, ToSchema)]
pub struct SessionBody {
    /// For the header `Authorization: Bearer TOKEN`; a browser has it as a cookie too. Not shown again.
    token: String,
    /// When the session ends at the latest.
    expires_at: DateTime<Utc>,
    /// Who signed in.
    user: UserBody,
    /// The organization that requests are about, unless they name another.
    organization: OrganizationBody,
}

/// A user.
#[derive(Serialize, ToSchema)]
#[schema(as = User)]
pub struct UserBody {
    id: Uuid,
    /// The address to sign in with.
    email: String,
    /// The name to show.
    #[schema(required)]
    full_name: Option<String>,
    /// IANA name of the time zone.
    timezone: String,
    /// Whether the user administers the installation.
    is_admin: bool,
    created_at: DateTime<Utc>,
}

/// An organization that a user belongs to.
#[derive(Serialize, ToSchema)]
#[schema(as = Organization)]
pub struct OrganizationBody {
    id: Uuid,
    /// The name to show.
    name: String,
    /// The name in addresses.
    slug: String,
    /// Whether it is the user's own.
    is_personal: bool,
    /// What the user may do in it: `viewer`, `member`, `admin` or `owner`.
    role: &'static str,
}

/// Who the caller is.
#[derive(Serialize, ToSchema)]
#[schema(as = Me)]
pub struct MeBody {
    /// The user.
    user: UserBody,
    /// The organizations that the caller can work in.
    organizations: Vec<OrganizationBody>,
    /// The one that this request is about.
    current_organization_id: Uuid,
}

impl UserBody {
    fn of(user: User) -> Self {
        Self {
            id: user.id,
            email: user.email,
            full_name: user.full_name,
            timezone: user.timezone,
            is_admin: user.is_admin,
            created_at: user.created_at.to_utc(),
        }
    }
}

impl OrganizationBody {
    fn of(organization: Organization, role: Role) -> Self {
        Self {
            id: organization.id,
            name: organization.name,
            slug: organization.slug,
            is_personal: organization.is_personal,
            role: role.as_str(),
        }
    }
}

/// Create an account
///
/// Makes a user with an organization of their own, and signs the user in. The first user of an installation
/// administers it.
#[utoipa::path(
    tag = "auth",
    request_body = SignUpRequest,
    responses(
        (status = 201, description = "The account, signed in", body = SessionBody),
        (status = 403, description = "Sign-up is closed"),
        (status = 409, description = "There is an account with this address"),
    ),
    security(()),
)]
#[post("/auth/sign-up")]
pub(crate) async fn sign_up(
    state: web::Data<State>,
    client: Client,
    body: Body<SignUpRequest>,
) -> Result<HttpResponse, Problem> {
    if state.settings.api.sign_up == SignUp::Closed {
        return Err(Problem::new(
            Code::SignUpClosed,
            "ask an administrator of this installation for an account",
        ));
    }
    let request = body.read().await?;
    let email = EmailAddress::parse(&request.email)?;
    Passwords::judge(&request.password)?;
    judge_profile(request.full_name.as_deref(), request.timezone.as_deref())?;
    let password_hash = state.passwords.hash(request.password).await?;

    let (now, tx) = (state.db.now(), state.db.begin().await?);
    let new = NewUser {
        email,
        password_hash: Some(password_hash),
        full_name: request.full_name,
        timezone: request.timezone,
        is_admin: !users::is_any(&tx).await?,
    };
    let made = users::sign_up(&tx, now, new).await?;
    audit::record(&tx, now, deed("user.sign_up", &made.user, Some(made.organization.id), &client)).await?;
    let opened = open_session(&state, &tx, made.user, (made.organization, Role::Owner), client).await?;
    tx.commit().await?;
    Ok(signed_in(&state, HttpResponse::Created(), opened))
}

/// Sign in
///
/// A wrong password and an unknown address get the same answer, after the same time.
#[utoipa::path(
    tag = "auth",
    operation_id = "login",
    request_body = LoginRequest,
    responses(
        (status = 200, description = "A session", body = SessionBody),
        (status = 401, description = "Address or password is wrong"),
    ),
    security(()),
)]
#[post("/auth/login")]
pub(crate) async fn log_in(
    state: web::Data<State>,
    client: Client,
    body: Body<LoginRequest>,
) -> Result<HttpResponse, Problem> {
    let request = body.read().await?;
    let refused =
        || Problem::new(Code::InvalidLogin, "there is no active account with this address and password");
    let user = match EmailAddress::parse(&request.email) {
        Ok(email) => users::find_by_email(state.db.reader(), &email).await?,
        Err(_) => None,
    };
    let hash = user.as_ref().filter(|user| user.is_active).and_then(|user| user.password_hash.clone());
    let fits = state.passwords.verify(request.password, hash).await?;
    let Some(user) = user else { return Err(refused()) };
    if !fits {
        note_failure(state, deed("user.login_failed", &user, None, &client));
        return Err(refused());
    }

    let now = state.db.now();
    let organizations = organizations::of_user(state.db.reader(), user.id).await?;
    let home =
        organizations.into_iter().next().ok_or_else(|| Problem::not_found("organization of this user"))?;
    let tx = state.db.begin().await?;
    users::record_login(&tx, now, user.id).await?;
    audit::record(&tx, now, deed("user.login", &user, Some(home.0.id), &client)).await?;
    let opened = open_session(&state, &tx, user, home, client).await?;
    tx.commit().await?;
    Ok(signed_in(&state, HttpResponse::Ok(), opened))
}

/// Sign out
///
/// Ends the session of the request, on whichever device it was opened.
#[utoipa::path(tag = "auth", operation_id = "logout", responses((status = 204, description = "The session has ended")))]
#[post("/auth/logout")]
pub(crate) async fn log_out(
    state: web::Data<State>,
    session: SignedIn,
    client: Client,
) -> Result<HttpResponse, Problem> {
    let live = session.live;
    let (now, tx) = (state.db.now(), state.db.begin().await?);
    sessions::revoke(&tx, live.user.id, live.session.id).await?;
    audit::record(&tx, now, deed("user.logout", &live.user, live.session.organization_id, &client)).await?;
    tx.commit().await?;
    let mut cookie = cookie(&state, String::new());
    cookie.make_removal();
    Ok(HttpResponse::NoContent().cookie(cookie).finish())
}

/// Who am I
///
/// With an API key, the organization of the key is the only one.
#[utoipa::path(
    tag = "auth",
    operation_id = "me",
    responses((status = 200, description = "The caller", body = MeBody)),
)]
#[get("/auth/me")]
pub(crate) async fn show_me(
    state: web::Data<State>,
    access: Access<Read>,
) -> Result<web::Json<MeBody>, Problem> {
    let db = state.db.reader();
    let user = users::find(db, access.user_id).await?.ok_or_else(|| Problem::not_found("user"))?;
    let organizations = organizations::of_user(db, access.user_id).await?;
    let is_reachable = |id: Uuid| access.api_key_id.is_none() || id == access.organization_id;
    Ok(web::Json(MeBody {
        user: UserBody::of(user),
        organizations: organizations
            .into_iter()
            .filter(|(organization, _)| is_reachable(organization.id))
            .map(|(organization, role)| OrganizationBody::of(organization, role))
            .collect(),
        current_organization_id: access.organization_id,
    }))
}

/// Notes a failed sign-in without making the caller wait: an answer that took as long as a write would tell that the
/// address is known.
fn note_failure(state: web::Data<State>, deed: Deed) {
    tokio::spawn(async move {
        if let Err(error) = audit::record(state.db.writer(), state.db.now(), deed).await {
            tracing::warn!(%error, "a failed sign-in was not noted");
        }
    });
}

fn judge_profile(full_name: Option<&str>, timezone: Option<&str>) -> Result<(), Problem> {
    if let Some(name) = full_name
        && (name.trim().is_empty() || name.chars().count() > MAX_NAME_CHARS || name.contains('\0'))
    {
        return Err(Problem::field("full_name", format!("1 to {MAX_NAME_CHARS} characters")));
    }
    if let Some(zone) = timezone
        && zone.parse::<chrono_tz::Tz>().is_err()
    {
        return Err(Problem::field(
            "timezone",
            format!("{zone:?} is not an IANA time zone such as Europe/Berlin"),
        ));
    }
    Ok(())
}

async fn open_session(
    state: &State,
    tx: &impl sea_orm::ConnectionTrait,
    user: User,
    (organization, role): (Organization, Role),
    client: Client,
) -> Result<SessionBody, Problem> {
    let now = state.db.now();
    let token = new_session_token();
    let new = NewSession {
        user_id: user.id,
        organization_id: Some(organization.id),
        token_hash: hash_token(&token),
        ip_address: client.ip_address,
        user_agent: client.user_agent,
        expires_at: now + TimeDelta::hours(i64::from(state.settings.api.session_hours)),
    };
    let session = sessions::create(tx, now, new).await?;
    Ok(SessionBody {
        token,
        expires_at: session.expires_at.to_utc(),
        user: UserBody::of(user),
        organization: OrganizationBody::of(organization, role),
    })
}

fn signed_in(
    state: &State,
    mut response: actix_web::HttpResponseBuilder,
    session: SessionBody,
) -> HttpResponse {
    response.cookie(cookie(state, session.token.clone())).json(session)
}

fn cookie(state: &State, token: String) -> Cookie<'static> {
    let seconds = i64::from(state.settings.api.session_hours).saturating_mul(3600);
    Cookie::build(SESSION_COOKIE, token)
        .path("/")
        .http_only(true)
        .same_site(SameSite::Lax)
        .secure(state.base_url.starts_with("https://"))
        .max_age(actix_web::cookie::time::Duration::seconds(seconds))
        .finish()
}

fn deed(action: &str, user: &User, organization_id: Option<Uuid>, client: &Client) -> Deed {
    Deed {
        organization_id,
        user_id: Some(user.id),
        action: action.to_owned(),
        resource_type: "user".to_owned(),
        resource_id: Some(user.id),
        details: json!({}),
        ip_address: client.ip_address.clone(),
        user_agent: client.user_agent.clone(),
        ..Deed::default()
    }
}
