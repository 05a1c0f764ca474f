//! Organizations, the tenants, and who belongs to them.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use entity::{organization_members, organizations, users};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, JoinType, QueryFilter, QueryOrder,
    QuerySelect, Set,
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::page::{Cursor, Direction, Page, PageRequest};
use crate::{Error, Result, ids, text};

pub use entity::organization_members::Model as Membership;
pub use entity::organizations::Model as Organization;

/// What a member may do; each role may do what those before it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Reads.
    Viewer,
    /// Makes, changes and runs workflows.
    Member,
    /// Manages integrations, keys and members.
    Admin,
    /// Owns the organization.
    Owner,
}

impl Role {
    /// Every role, the least first.
    pub const ALL: [Self; 4] = [Self::Viewer, Self::Member, Self::Admin, Self::Owner];

    /// The word in the database and the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Member => "member",
            Self::Admin => "admin",
            Self::Owner => "owner",
        }
    }

    /// Whether the role may do what `other` may.
    #[must_use]
    pub fn is_at_least(self, other: Self) -> bool {
        self >= other
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Role {
    type Err = Error;

    fn from_str(word: &str) -> Result<Self> {
        Self::ALL
            .into_iter()
            .find(|role| role.as_str() == word)
            .ok_or_else(|| Error::invalid("role", format!("{word:?} is not owner, admin, member or viewer")))
    }
}

/// An organization to be made.
#[derive(Clone, Debug)]
pub struct NewOrganization {
    /// The name to show.
    pub name: String,
    /// The name in addresses; made of the id when missing.
    pub slug: Option<String>,
    /// Whether it is a user's own.
    pub is_personal: bool,
    /// The first member.
    pub owner: Uuid,
}

/// Makes an organization and the membership of its owner.
///
/// # Errors
/// [`Error::Unique`] with `uq_organizations_slug` when the slug is taken.
pub async fn create(
    tx: &impl ConnectionTrait,
    now: DateTime<Utc>,
    new: NewOrganization,
) -> Result<Organization> {
    text::refuse_nul("name", &new.name)?;
    let id = ids::new_id();
    let organization = organizations::ActiveModel {
        id: Set(id),
        name: Set(new.name),
        // The end of a UUIDv7 is chance, its beginning is only the time.
        slug: Set(new.slug.unwrap_or_else(|| id.simple().to_string()[16..].to_owned())),
        is_personal: Set(new.is_personal),
        created_at: Set(now.fixed_offset()),
        updated_at: Set(now.fixed_offset()),
        ..Default::default()
    };
    let organization = organization.insert(tx).await?;
    add_member(tx, now, id, new.owner, Role::Owner).await?;
    Ok(organization)
}

/// Makes a user a member.
///
/// # Errors
/// [`Error::Unique`] with `uq_organization_members_organization_id_user_id` when the user is one already,
/// [`Error::ForeignKey`] when there is no such user or organization.
pub async fn add_member(
    tx: &impl ConnectionTrait,
    now: DateTime<Utc>,
    organization_id: Uuid,
    user_id: Uuid,
    role: Role,
) -> Result<Membership> {
    let member = organization_members::ActiveModel {
        id: Set(ids::new_id()),
        organization_id: Set(organization_id),
        user_id: Set(user_id),
        role: Set(role.as_str().to_owned()),
        created_at: Set(now.fixed_offset()),
    };
    Ok(member.insert(tx).await?)
}

/// The organization with this id.
///
/// # Errors
/// Those of the database.
pub async fn find(db: &impl ConnectionTrait, organization_id: Uuid) -> Result<Option<Organization>> {
    Ok(organizations::Entity::find_by_id(organization_id).one(db).await?)
}

/// What a user may do in an organization; `None` for somebody who is no member.
///
/// # Errors
/// Those of the database.
pub async fn role_of(
    db: &impl ConnectionTrait,
    organization_id: Uuid,
    user_id: Uuid,
) -> Result<Option<Role>> {
    let word: Option<String> = organization_members::Entity::find()
        .select_only()
        .column(organization_members::Column::Role)
        .filter(organization_members::Column::OrganizationId.eq(organization_id))
        .filter(organization_members::Column::UserId.eq(user_id))
        .into_tuple()
        .one(db)
        .await?;
    word.map(|word| word.parse()).transpose()
}

/// The organizations of a user, the oldest first, each with the user's role. A user is in few: no pages.
///
/// # Errors
/// Those of the database.
pub async fn of_user(db: &impl ConnectionTrait, user_id: Uuid) -> Result<Vec<(Organization, Role)>> {
    let to_organization = organization_members::Entity::belongs_to(organizations::Entity)
        .from(organization_members::Column::OrganizationId)
        .to(organizations::Column::Id)
        .into();
    let rows = organization_members::Entity::find()
        .filter(organization_members::Column::UserId.eq(user_id))
        .join(JoinType::InnerJoin, to_organization)
        .select_also(organizations::Entity)
        .order_by_asc(organizations::Column::CreatedAt)
        .order_by_asc(organizations::Column::Id)
        .all(db)
        .await?;
    rows.into_iter()
        .filter_map(|(member, organization)| Some((organization?, member.role)))
        .map(|(organization, role)| Ok((organization, role.parse()?)))
        .collect()
}

/// The personal organization of a user.
///
/// # Errors
/// Those of the database.
pub async fn personal_of(db: &impl ConnectionTrait, user_id: Uuid) -> Result<Option<Organization>> {
    let owned = of_user(db, user_id).await?;
    Ok(owned
        .into_iter()
        .find(|(organization, role)| organization.is_personal && *role == Role::Owner)
        .map(|(organization, _)| organization))
}

/// A member with what others may see of the user.
#[derive(Clone, Debug, PartialEq)]
pub struct Member {
    /// The user.
    pub user_id: Uuid,
    /// The address.
    pub email: String,
    /// The name to show.
    pub full_name: Option<String>,
    /// What the member may do.
    pub role: Role,
    /// Since when.
    pub joined_at: DateTime<Utc>,
}

/// The members of an organization, the oldest membership first.
///
/// # Errors
/// Those of the database.
pub async fn members(
    db: &impl ConnectionTrait,
    organization_id: Uuid,
    page: PageRequest,
) -> Result<Page<Member>> {
    let to_user = organization_members::Entity::belongs_to(users::Entity)
        .from(organization_members::Column::UserId)
        .to(users::Column::Id)
        .into();
    let select = organization_members::Entity::find()
        .filter(organization_members::Column::OrganizationId.eq(organization_id))
        .join(JoinType::InnerJoin, to_user);
    let rows = page
        .apply(
            select,
            organization_members::Column::CreatedAt,
            organization_members::Column::Id,
            Direction::OldestFirst,
        )
        .select_also(users::Entity)
        .all(db)
        .await?;
    let rows = page.page(rows, |(member, _)| Cursor::new(member.created_at, member.id));
    let items = rows
        .items
        .into_iter()
        .filter_map(|(member, user)| Some((member, user?)))
        .map(|(member, user)| {
            Ok(Member {
                user_id: user.id,
                email: user.email,
                full_name: user.full_name,
                role: member.role.parse()?,
                joined_at: member.created_at.to_utc(),
            })
        })
        .collect::<Result<_>>()?;
    Ok(Page { items, next: rows.next })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_may_do_what_the_lesser_ones_may() {
        for (index, role) in Role::ALL.into_iter().enumerate() {
            for (other_index, other) in Role::ALL.into_iter().enumerate() {
                assert_eq!(role.is_at_least(other), index >= other_index, "{role} {other}");
            }
            assert_eq!(role.as_str().parse::<Role>().unwrap(), role);
        }
        assert!("root".parse::<Role>().is_err());
    }
}
