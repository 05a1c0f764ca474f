//! The example workspace: workflows that do real work without an account anywhere.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use engine::node::Catalogue;
use store::users::{EmailAddress, NewUser};
use store::vault::Vault;
use store::workflows::{self, NewWorkflow, SaveContext, Status};
use store::{Db, users};

use crate::command::WorkflowFile;
use crate::command::say;

/// Who owns the examples.
const EMAIL: &str = "demo@tidemill.localhost";

/// The file with the password of the example account.
const ACCOUNT_FILE: &str = "example-account.txt";

/// The examples, as files.
const FILES: [&str; 4] = [
    include_str!("../../../config/examples/deadline-watch.json"),
    include_str!("../../../config/examples/order-intake.json"),
    include_str!("../../../config/examples/approval.json"),
    include_str!("../../../config/examples/batches.json"),
];

/// Makes an account with the example workflows in an installation that has no user yet. Its password is made here
/// and written to a file that only the owner can read.
pub(crate) async fn load(
    db: &Db,
    vault: &Arc<Vault>,
    catalogue: &Catalogue,
    folder: &Path,
) -> anyhow::Result<()> {
    let account = folder.join(ACCOUNT_FILE);
    if users::is_any(db.reader()).await? {
        if account.is_file() {
            say(format_args!("Example workspace: sign in as {EMAIL}, password in {}", account.display()));
        }
        return Ok(());
    }
    let password = store::ids::new_token();
    let password_hash = api::auth::Passwords::new()?.hash(password.clone()).await?;
    let now = db.now();
    let tx = db.begin().await?;
    let new = NewUser {
        email: EmailAddress::parse(EMAIL)?,
        password_hash: Some(password_hash),
        full_name: Some("Example".to_owned()),
        timezone: None,
        is_admin: false,
    };
    let owner = users::sign_up(&tx, now, new).await?;
    for text in FILES {
        let file = WorkflowFile::parse(serde_json::from_str(text)?)?;
        let name = file.name.clone();
        let new = NewWorkflow {
            organization_id: owner.organization.id,
            user_id: Some(owner.user.id),
            name: file.name,
            description: file.description,
            definition: file.definition,
            tags: file.tags,
            status: if file.activate { Status::Active } else { Status::Draft },
            is_public: false,
            retention_days: Some(1),
            retention_count: None,
            change_summary: Some("Example".to_owned()),
            chat_session_id: None,
        };
        workflows::create(&tx, SaveContext { now, catalogue, vault }, new)
            .await
            .with_context(|| format!("example {name:?}"))?;
    }
    // Written before the commit: an account whose password nobody knows would be worse than a file too many.
    write_private(&account, &format!("{EMAIL}\n{password}\n"))
        .with_context(|| format!("cannot write {}", account.display()))?;
    tx.commit().await?;
    say(format_args!("Example workspace loaded: sign in as {EMAIL}, password in {}", account.display()));
    Ok(())
}

fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    use std::io::Write as _;
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut file =
        std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;
    use engine::Definition;

    #[test]
    fn every_example_is_valid_without_a_warning() {
        let egress = nodes::egress::Client::new(&nodes::egress::Settings::default()).unwrap();
        let catalogue = nodes::catalogue(&egress);
        for text in FILES {
            let file = WorkflowFile::parse(serde_json::from_str(text).unwrap()).unwrap();
            let checked = Definition::from_json(file.definition).unwrap().validate(&catalogue);
            assert_eq!(checked.problems, [], "{}", file.name);
        }
    }
}
