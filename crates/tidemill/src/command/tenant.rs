//! Which organization a command works in.

use anyhow::{Context, bail};
use clap::Args;
use store::users::EmailAddress;
use store::{Db, organizations, users};
use uuid::Uuid;

/// The flags that choose an organization.
#[derive(Debug, Args)]
pub(super) struct Tenant {
    /// E-mail address of the user whose personal organization is meant
    #[arg(long, value_name = "EMAIL", required_unless_present = "organization")]
    user: Option<String>,
    /// Id of the organization, instead of a user
    #[arg(long, value_name = "ID", conflicts_with = "user")]
    organization: Option<Uuid>,
}

impl Tenant {
    /// The organization, and the user if one was named.
    pub(super) async fn find(&self, db: &Db) -> anyhow::Result<(Uuid, Option<Uuid>)> {
        if let Some(id) = self.organization {
            organizations::find(db.reader(), id)
                .await?
                .with_context(|| format!("--organization: there is none with the id {id}"))?;
            return Ok((id, None));
        }
        let Some(email) = &self.user else { bail!("name a user or an organization") };
        let email = EmailAddress::parse(email).context("--user")?;
        let user = users::find_by_email(db.reader(), &email).await?;
        let user = user.with_context(|| format!("--user: there is no user {email}"))?;
        let personal = organizations::personal_of(db.reader(), user.id).await?;
        let personal = personal.with_context(|| format!("--user: {email} has no personal organization"))?;
        Ok((personal.id, Some(user.id)))
    }
}
