//! Sessions: sign-ins from a browser.
//!
//! The caller makes a token of 32 random bytes, gives it to the browser and keeps nothing; the row holds its SHA-256
//! ([`crate::ids::token_hash`]). A plain hash is enough for such a token: there is nothing to guess.

use chrono::{DateTime, Utc};
use entity::{sessions, users};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, JoinType, QueryFilter, QueryOrder,
    QuerySelect, Set,
};
use uuid::Uuid;

use crate::organizations::{self, Role};
use crate::users::User;
use crate::{Result, ids, text};

pub use entity::sessions::Model as Session;

/// Most sessions that a list shows: one per browser, and expired ones are deleted.
const MAX_LISTED: u64 = 200;

/// A session to be opened.
#[derive(Clone, Debug)]
pub struct NewSession {
    /// Who signed in.
    pub user_id: Uuid,
    /// The organization to work in.
    pub organization_id: Option<Uuid>,
    /// SHA-256 of the token, in hex.
    pub token_hash: String,
    /// From where.
    pub ip_address: Option<String>,
    /// By which browser.
    pub user_agent: Option<String>,
    /// From when it no longer counts.
    pub expires_at: DateTime<Utc>,
}

/// Opens a session.
///
/// # Errors
/// [`crate::Error::ForeignKey`] when there is no such user or organization.
pub async fn create(tx: &impl ConnectionTrait, now: DateTime<Utc>, new: NewSession) -> Result<Session> {
    if let Some(user_agent) = &new.user_agent {
        text::refuse_nul("user_agent", user_agent)?;
    }
    let row = sessions::ActiveModel {
        id: Set(ids::new_id()),
        token_hash: Set(new.token_hash),
        user_id: Set(new.user_id),
        organization_id: Set(new.organization_id),
        ip_address: Set(new.ip_address),
        user_agent: Set(new.user_agent),
        created_at: Set(now.fixed_offset()),
        last_seen_at: Set(now.fixed_offset()),
        expires_at: Set(new.expires_at.fixed_offset()),
        ..Default::default()
    };
    Ok(row.insert(tx).await?)
}

/// A session that counts, with who it is.
#[derive(Clone, Debug)]
pub struct LiveSession {
    /// The session.
    pub session: Session,
    /// Who signed in; active.
    pub user: User,
    /// What the user may do in the session's organization; `None` when there is none, or the user has left it.
    pub role: Option<Role>,
}

/// The session of a token, if it has not expired and its user is active.
///
/// # Errors
/// Those of the database.
pub async fn find_live(
    db: &impl ConnectionTrait,
    now: DateTime<Utc>,
    token_hash: &str,
) -> Result<Option<LiveSession>> {
    let to_user = sessions::Entity::belongs_to(users::Entity)
        .from(sessions::Column::UserId)
        .to(users::Column::Id)
        .into();
    let found = sessions::Entity::find()
        .filter(sessions::Column::TokenHash.eq(token_hash))
        .filter(sessions::Column::ExpiresAt.gt(now.fixed_offset()))
        .filter(users::Column::IsActive.eq(true))
        .join(JoinType::InnerJoin, to_user)
        .select_also(users::Entity)
        .one(db)
        .await?;
    let Some((session, Some(user))) = found else { return Ok(None) };
    let role = match session.organization_id {
        Some(organization_id) => organizations::role_of(db, organization_id, user.id).await?,
        None => None,
    };
    Ok(Some(LiveSession { session, user, role }))
}

/// The live sessions of a user, the latest used first.
///
/// # Errors
/// Those of the database.
pub async fn list(db: &impl ConnectionTrait, now: DateTime<Utc>, user_id: Uuid) -> Result<Vec<Session>> {
    Ok(sessions::Entity::find()
        .filter(sessions::Column::UserId.eq(user_id))
        .filter(sessions::Column::ExpiresAt.gt(now.fixed_offset()))
        .order_by_desc(sessions::Column::LastSeenAt)
        .order_by_desc(sessions::Column::Id)
        .limit(MAX_LISTED)
        .all(db)
        .await?)
}

/// Notes a request, and puts the expiry off if one is given. Callers do so now and then, not with each request.
///
/// # Errors
/// Those of the database.
pub async fn touch(
    tx: &impl ConnectionTrait,
    now: DateTime<Utc>,
    session_id: Uuid,
    expires_at: Option<DateTime<Utc>>,
) -> Result<bool> {
    let mut row = sessions::ActiveModel { last_seen_at: Set(now.fixed_offset()), ..Default::default() };
    if let Some(expires_at) = expires_at {
        row.expires_at = Set(expires_at.fixed_offset());
    }
    let outcome =
        sessions::Entity::update_many().set(row).filter(sessions::Column::Id.eq(session_id)).exec(tx).await?;
    Ok(outcome.rows_affected > 0)
}

/// Makes a session work in another organization; `false` when its user is no member of that one.
///
/// # Errors
/// Those of the database.
pub async fn switch_organization(
    tx: &impl ConnectionTrait,
    session_id: Uuid,
    user_id: Uuid,
    organization_id: Uuid,
) -> Result<bool> {
    if organizations::role_of(tx, organization_id, user_id).await?.is_none() {
        return Ok(false);
    }
    let row = sessions::ActiveModel { organization_id: Set(Some(organization_id)), ..Default::default() };
    let outcome = sessions::Entity::update_many()
        .set(row)
        .filter(sessions::Column::Id.eq(session_id))
        .filter(sessions::Column::UserId.eq(user_id))
        .exec(tx)
        .await?;
    Ok(outcome.rows_affected > 0)
}

/// Ends a session of a user; whether there was one.
///
/// # Errors
/// Those of the database.
pub async fn revoke(tx: &impl ConnectionTrait, user_id: Uuid, session_id: Uuid) -> Result<bool> {
    let outcome = sessions::Entity::delete_many()
        .filter(sessions::Column::Id.eq(session_id))
        .filter(sessions::Column::UserId.eq(user_id))
        .exec(tx)
        .await?;
    Ok(outcome.rows_affected > 0)
}

/// Ends all sessions of a user, except one: after a change of the password. Returns how many ended.
///
/// # Errors
/// Those of the database.
pub async fn revoke_all(tx: &impl ConnectionTrait, user_id: Uuid, except: Option<Uuid>) -> Result<u64> {
    let mut delete = sessions::Entity::delete_many().filter(sessions::Column::UserId.eq(user_id));
    if let Some(session_id) = except {
        delete = delete.filter(sessions::Column::Id.ne(session_id));
    }
    Ok(delete.exec(tx).await?.rows_affected)
}

/// Deletes at most `limit` sessions that no longer count; returns how many.
///
/// # Errors
/// Those of the database.
pub async fn delete_expired(tx: &impl ConnectionTrait, now: DateTime<Utc>, limit: u64) -> Result<u64> {
    let expired: Vec<Uuid> = sessions::Entity::find()
        .select_only()
        .column(sessions::Column::Id)
        .filter(sessions::Column::ExpiresAt.lte(now.fixed_offset()))
        .order_by_asc(sessions::Column::ExpiresAt)
        .limit(limit)
        .into_tuple()
        .all(tx)
        .await?;
    if expired.is_empty() {
        return Ok(0);
    }
    let outcome =
        sessions::Entity::delete_many().filter(sessions::Column::Id.is_in(expired)).exec(tx).await?;
    Ok(outcome.rows_affected)
}
