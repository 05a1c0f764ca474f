//! API keys: how programs sign in, each within one organization.
//!
//! As with sessions the row holds the SHA-256 of the key; the key itself is shown once, by the caller who made it.

use chrono::{DateTime, Utc};
use entity::{api_keys, users};
use sea_orm::sea_query::{Expr, ExprTrait as _};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, JoinType, QueryFilter, QuerySelect, Set,
};
use serde_json::Value;
use uuid::Uuid;

use crate::organizations::{self, Role};
use crate::page::{Cursor, Direction, Page, PageRequest};
use crate::users::User;
use crate::{Result, ids, text};

pub use entity::api_keys::Model as ApiKey;

/// A key to be made.
#[derive(Clone, Debug)]
pub struct NewApiKey {
    /// The organization that it is limited to.
    pub organization_id: Uuid,
    /// For whom it acts.
    pub user_id: Uuid,
    /// The user's name for it.
    pub key_name: String,
    /// The first characters, to tell keys apart.
    pub key_prefix: String,
    /// SHA-256 of the whole key, in hex.
    pub key_hash: String,
    /// What it may do, such as `read`.
    pub permissions: Vec<String>,
    /// From when it no longer counts.
    pub expires_at: Option<DateTime<Utc>>,
}

/// Makes a key.
///
/// # Errors
/// [`crate::Error::Unique`] with `uq_api_keys_organization_id_user_id_key_name` when the user has a key of that name.
pub async fn create(tx: &impl ConnectionTrait, now: DateTime<Utc>, new: NewApiKey) -> Result<ApiKey> {
    text::refuse_nul("key_name", &new.key_name)?;
    let row = api_keys::ActiveModel {
        id: Set(ids::new_id()),
        organization_id: Set(new.organization_id),
        user_id: Set(new.user_id),
        key_name: Set(new.key_name),
        key_prefix: Set(new.key_prefix),
        key_hash: Set(new.key_hash),
        permissions: Set(Value::from(new.permissions)),
        expires_at: Set(new.expires_at.map(|at| at.fixed_offset())),
        created_at: Set(now.fixed_offset()),
        updated_at: Set(now.fixed_offset()),
        ..Default::default()
    };
    Ok(row.insert(tx).await?)
}

/// A key that counts, with who it acts for.
#[derive(Clone, Debug)]
pub struct LiveApiKey {
    /// The key.
    pub key: ApiKey,
    /// For whom it acts; active.
    pub user: User,
    /// What that user may do in the key's organization.
    pub role: Role,
}

impl LiveApiKey {
    /// The names in [`ApiKey`]'s `permissions`.
    pub fn permissions(&self) -> impl Iterator<Item = &str> {
        self.key.permissions.as_array().into_iter().flatten().filter_map(Value::as_str)
    }
}

/// The key with this hash, if it is active, has not expired, and its user is active and still a member.
///
/// # Errors
/// Those of the database.
pub async fn find_live(
    db: &impl ConnectionTrait,
    now: DateTime<Utc>,
    key_hash: &str,
) -> Result<Option<LiveApiKey>> {
    let to_user = api_keys::Entity::belongs_to(users::Entity)
        .from(api_keys::Column::UserId)
        .to(users::Column::Id)
        .into();
    let found = api_keys::Entity::find()
        .filter(api_keys::Column::KeyHash.eq(key_hash))
        .filter(api_keys::Column::IsActive.eq(true))
        .filter(api_keys::Column::ExpiresAt.is_null().or(api_keys::Column::ExpiresAt.gt(now.fixed_offset())))
        .filter(users::Column::IsActive.eq(true))
        .join(JoinType::InnerJoin, to_user)
        .select_also(users::Entity)
        .one(db)
        .await?;
    let Some((key, Some(user))) = found else { return Ok(None) };
    let role = organizations::role_of(db, key.organization_id, user.id).await?;
    Ok(role.map(|role| LiveApiKey { key, user, role }))
}

/// How often a key was used since it was last counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Uses {
    /// The key.
    pub key_id: Uuid,
    /// How many requests.
    pub count: i64,
}

/// Adds to the counts of keys. Callers collect requests for some seconds: a write with each request would make all
/// requests with one key wait for each other.
///
/// # Errors
/// Those of the database.
pub async fn count_uses(tx: &impl ConnectionTrait, now: DateTime<Utc>, uses: &[Uses]) -> Result<()> {
    let mut uses = uses.to_vec();
    // Two processes that count the same keys lock them in the same order.
    uses.sort_by_key(|one| one.key_id);
    for one in uses {
        api_keys::Entity::update_many()
            .col_expr(
                api_keys::Column::UsageCount,
                Expr::col(api_keys::Column::UsageCount).add(Expr::value(one.count)),
            )
            .col_expr(api_keys::Column::LastUsedAt, Expr::value(now.fixed_offset()))
            .filter(api_keys::Column::Id.eq(one.key_id))
            .exec(tx)
            .await?;
    }
    Ok(())
}

/// The key with this id.
///
/// # Errors
/// Those of the database.
pub async fn find(db: &impl ConnectionTrait, organization_id: Uuid, key_id: Uuid) -> Result<Option<ApiKey>> {
    Ok(api_keys::Entity::find_by_id(key_id)
        .filter(api_keys::Column::OrganizationId.eq(organization_id))
        .one(db)
        .await?)
}

/// The keys of an organization, or of one of its users, the newest first.
///
/// # Errors
/// Those of the database.
pub async fn list(
    db: &impl ConnectionTrait,
    organization_id: Uuid,
    user_id: Option<Uuid>,
    page: PageRequest,
) -> Result<Page<ApiKey>> {
    let mut select = api_keys::Entity::find().filter(api_keys::Column::OrganizationId.eq(organization_id));
    if let Some(user_id) = user_id {
        select = select.filter(api_keys::Column::UserId.eq(user_id));
    }
    let rows = page
        .apply(select, api_keys::Column::CreatedAt, api_keys::Column::Id, Direction::NewestFirst)
        .all(db)
        .await?;
    Ok(page.page(rows, |key| Cursor::new(key.created_at, key.id)))
}

/// Makes a key count no more; whether there was such an active key. The row stays, for its name in the audit log.
///
/// # Errors
/// Those of the database.
pub async fn revoke(
    tx: &impl ConnectionTrait,
    now: DateTime<Utc>,
    organization_id: Uuid,
    key_id: Uuid,
) -> Result<bool> {
    let row = api_keys::ActiveModel {
        is_active: Set(false),
        updated_at: Set(now.fixed_offset()),
        ..Default::default()
    };
    let outcome = api_keys::Entity::update_many()
        .set(row)
        .filter(api_keys::Column::Id.eq(key_id))
        .filter(api_keys::Column::OrganizationId.eq(organization_id))
        .filter(api_keys::Column::IsActive.eq(true))
        .exec(tx)
        .await?;
    Ok(outcome.rows_affected > 0)
}

/// Deletes a key; whether there was one.
///
/// # Errors
/// Those of the database.
pub async fn delete(tx: &impl ConnectionTrait, organization_id: Uuid, key_id: Uuid) -> Result<bool> {
    let outcome = api_keys::Entity::delete_many()
        .filter(api_keys::Column::Id.eq(key_id))
        .filter(api_keys::Column::OrganizationId.eq(organization_id))
        .exec(tx)
        .await?;
    Ok(outcome.rows_affected > 0)
}
