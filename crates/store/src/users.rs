//! Users: people who can sign in.
//!
//! Passwords are hashed by the caller (argon2id costs tens of milliseconds of CPU and must not run inside a
//! transaction); here only the hash is stored. A user is no tenant: what a user owns belongs to an organization, the
//! personal one from sign-up to begin with.

use std::fmt;

use chrono::{DateTime, Utc};
use entity::users;
use sea_orm::{ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect, Set};
use uuid::Uuid;

use crate::organizations::{self, NewOrganization};
use crate::{Error, Result, ids};

pub use entity::users::Model as User;

/// Longest address that mail servers must take (RFC 5321).
const MAX_EMAIL_BYTES: usize = 254;

/// An e-mail address to sign in with, in lower case.
///
/// ASCII only: the two databases fold the case of other letters in different ways, so that one address could be two
/// users. An international domain is written in its `xn--` form.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct EmailAddress(String);

impl EmailAddress {
    /// Reads an address as a person typed it.
    ///
    /// # Errors
    /// [`Error::Invalid`] that says what is wrong.
    pub fn parse(text: &str) -> Result<Self> {
        let text = text.trim();
        let refuse = |reason: &str| Err(Error::invalid("email", reason));
        if text.len() > MAX_EMAIL_BYTES {
            return refuse("is longer than 254 characters");
        }
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return refuse("has a space or a letter outside ASCII");
        }
        let Some((local, domain)) = text.rsplit_once('@') else {
            return refuse("has no @");
        };
        if local.is_empty() || local.len() > 64 {
            return refuse("needs 1 to 64 characters before the @");
        }
        if local.starts_with('.') || local.ends_with('.') || local.contains("..") {
            return refuse("has a dot out of place before the @");
        }
        if local.contains(['@', ',', ';', ':', '<', '>', '(', ')', '[', ']', '"', '\\']) {
            return refuse("has a character before the @ that needs quoting");
        }
        let is_label = |label: &str| {
            (1..=63).contains(&label.len())
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        };
        if !domain.split('.').all(is_label) {
            return refuse("has no host name after the @");
        }
        Ok(Self(text.to_ascii_lowercase()))
    }

    /// The address.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Somebody who signs up.
#[derive(Clone, Debug)]
pub struct NewUser {
    /// The address to sign in with.
    pub email: EmailAddress,
    /// Argon2id in PHC form; `None` for somebody who signs in elsewhere only.
    pub password_hash: Option<String>,
    /// The name to show.
    pub full_name: Option<String>,
    /// IANA name of the user's time zone; UTC when missing.
    pub timezone: Option<String>,
    /// Whether the user administers the installation.
    pub is_admin: bool,
}

/// What sign-up made.
#[derive(Clone, Debug)]
pub struct SignedUp {
    /// The user.
    pub user: User,
    /// The personal organization, which the user owns.
    pub organization: organizations::Organization,
}

/// Makes a user, the personal organization and the membership as its owner.
///
/// # Errors
/// [`Error::Unique`] with `uq_users_email` when the address is taken.
pub async fn sign_up(tx: &impl ConnectionTrait, now: DateTime<Utc>, new: NewUser) -> Result<SignedUp> {
    let name = new.full_name.clone().unwrap_or_else(|| new.email.as_str().to_owned());
    let user = users::ActiveModel {
        id: Set(ids::new_id()),
        email: Set(new.email.0),
        password_hash: Set(new.password_hash),
        full_name: Set(new.full_name),
        timezone: Set(new.timezone.unwrap_or_else(|| "UTC".to_owned())),
        is_admin: Set(new.is_admin),
        created_at: Set(now.fixed_offset()),
        updated_at: Set(now.fixed_offset()),
        ..Default::default()
    };
    let user = user.insert(tx).await?;
    let organization = organizations::create(
        tx,
        now,
        NewOrganization { name, slug: None, is_personal: true, owner: user.id },
    )
    .await?;
    Ok(SignedUp { user, organization })
}

/// The user with this id.
///
/// # Errors
/// Those of the database.
pub async fn find(db: &impl ConnectionTrait, user_id: Uuid) -> Result<Option<User>> {
    Ok(users::Entity::find_by_id(user_id).one(db).await?)
}

/// The user who signs in with this address, inactive ones too: the caller answers all failures alike.
///
/// # Errors
/// Those of the database.
pub async fn find_by_email(db: &impl ConnectionTrait, email: &EmailAddress) -> Result<Option<User>> {
    Ok(users::Entity::find().filter(users::Column::Email.eq(email.as_str())).one(db).await?)
}

/// Whether there is any user: the first one of an installation becomes its administrator.
///
/// # Errors
/// Those of the database.
pub async fn is_any(db: &impl ConnectionTrait) -> Result<bool> {
    let found: Option<Uuid> =
        users::Entity::find().select_only().column(users::Column::Id).limit(1).into_tuple().one(db).await?;
    Ok(found.is_some())
}

/// What a user may change of the profile; `None` leaves a field as it is.
#[derive(Clone, Debug, Default)]
pub struct ProfileUpdate {
    /// The name to show; `Some(None)` removes it.
    pub full_name: Option<Option<String>>,
    /// IANA name of the time zone.
    pub timezone: Option<String>,
    /// Where the picture is; `Some(None)` removes it.
    pub avatar_url: Option<Option<String>>,
    /// Whether the introduction was finished.
    pub onboarding_completed: Option<bool>,
    /// Settings such as the theme, whole.
    pub preferences: Option<serde_json::Value>,
}

/// Changes a profile; `None` when there is no such user.
///
/// # Errors
/// Those of the database.
pub async fn update_profile(
    tx: &impl ConnectionTrait,
    now: DateTime<Utc>,
    user_id: Uuid,
    update: ProfileUpdate,
) -> Result<Option<User>> {
    let Some(user) = find(tx, user_id).await? else { return Ok(None) };
    let mut row: users::ActiveModel = user.into();
    if let Some(full_name) = update.full_name {
        row.full_name = Set(full_name);
    }
    if let Some(timezone) = update.timezone {
        row.timezone = Set(timezone);
    }
    if let Some(avatar_url) = update.avatar_url {
        row.avatar_url = Set(avatar_url);
    }
    if let Some(onboarding_completed) = update.onboarding_completed {
        row.onboarding_completed = Set(onboarding_completed);
    }
    if let Some(preferences) = update.preferences {
        row.preferences = Set(preferences);
    }
    row.updated_at = Set(now.fixed_offset());
    Ok(Some(row.update(tx).await?))
}

/// Replaces the password's hash; whether there is such a user.
///
/// # Errors
/// Those of the database.
pub async fn set_password_hash(
    tx: &impl ConnectionTrait,
    now: DateTime<Utc>,
    user_id: Uuid,
    password_hash: String,
) -> Result<bool> {
    let row = users::ActiveModel {
        password_hash: Set(Some(password_hash)),
        updated_at: Set(now.fixed_offset()),
        ..Default::default()
    };
    update_one(tx, user_id, row).await
}

/// Notes a sign-in; whether there is such a user.
///
/// # Errors
/// Those of the database.
pub async fn record_login(tx: &impl ConnectionTrait, now: DateTime<Utc>, user_id: Uuid) -> Result<bool> {
    let row = users::ActiveModel { last_login_at: Set(Some(now.fixed_offset())), ..Default::default() };
    update_one(tx, user_id, row).await
}

async fn update_one(tx: &impl ConnectionTrait, user_id: Uuid, row: users::ActiveModel) -> Result<bool> {
    let outcome =
        users::Entity::update_many().set(row).filter(users::Column::Id.eq(user_id)).exec(tx).await?;
    Ok(outcome.rows_affected > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_kept_in_lower_case() {
        assert_eq!(EmailAddress::parse("  Ada.L+x@Example.ORG ").unwrap().as_str(), "ada.l+x@example.org");
        assert!(EmailAddress::parse("root@localhost").is_ok());
    }

    #[test]
    fn what_is_no_address_is_refused_with_a_reason() {
        let long = format!("{}@example.org", "a".repeat(250));
        for text in [
            "",
            "@",
            "a",
            "a@",
            "@b",
            "a b@c",
            "a@b@c",
            "a@-b.c",
            "a@b..c",
            ".a@b",
            "a..b@c",
            "a\u{0}@b",
            "é@b.c",
            "a@b.c\r\nBcc: x@y.z",
            "\"a\"@b.c",
            &long,
        ] {
            let error = EmailAddress::parse(text).unwrap_err();
            assert!(error.to_string().contains("email"), "{text:?}: {error}");
        }
    }
}
