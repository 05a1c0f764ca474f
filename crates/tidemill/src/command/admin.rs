//! `tidemill admin`

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use clap::{Args, Subcommand};
use store::settings;
use store::users::{EmailAddress, NewUser};

use super::{block_on, say};

/// Administer an installation
#[derive(Debug, Args)]
pub(crate) struct Admin {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Create a user with a personal organization
    CreateUser(CreateUser),
}

#[derive(Debug, Args)]
struct CreateUser {
    #[command(flatten)]
    settings: settings::Arguments,
    /// E-mail address, for signing in
    email: String,
    /// Name for people
    #[arg(long)]
    name: Option<String>,
    /// File with the password on its first line, - is standard input; without it one is made and printed
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// May administer the installation
    #[arg(long)]
    admin: bool,
}

impl Admin {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let Task::CreateUser(create) = self.task;
        let settings = settings::load(&create.settings)?;
        block_on(async {
            let email = EmailAddress::parse(&create.email)?;
            let given = create.password_file.as_deref().map(first_line).transpose()?;
            let password = given.clone().unwrap_or_else(api::auth::new_session_token);
            api::auth::Passwords::judge(&password)?;
            let password_hash = api::auth::Passwords::new()?.hash(password.clone()).await?;
            let db = store::service::open_database(&settings).await?;
            let new = NewUser {
                email: email.clone(),
                password_hash: Some(password_hash),
                full_name: create.name,
                timezone: None,
                is_admin: create.admin,
            };
            let tx = db.begin().await?;
            let signed_up = store::users::sign_up(&tx, db.now(), new).await.map_err(|error| match error {
                store::Error::Unique { .. } => {
                    anyhow::anyhow!("there is a user with the address {email} already")
                }
                error => error.into(),
            })?;
            tx.commit().await?;
            say(format_args!(
                "created user {email} ({}) with organization {}",
                signed_up.user.id, signed_up.organization.slug
            ));
            if given.is_none() {
                say(format_args!("password: {password}"));
            }
            Ok(ExitCode::SUCCESS)
        })
    }
}

fn first_line(path: &Path) -> anyhow::Result<String> {
    let mut text = String::new();
    if path == Path::new("-") {
        std::io::stdin().read_to_string(&mut text).context("cannot read the password")?;
    } else {
        text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    }
    Ok(text.lines().next().unwrap_or_default().to_owned())
}
