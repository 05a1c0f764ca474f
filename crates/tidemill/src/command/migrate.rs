//! `tidemill migrate`

use std::process::ExitCode;

use clap::Args;
use store::settings;

use super::{block_on, say};

/// Bring the database schema up to date
#[derive(Debug, Args)]
pub(crate) struct Migrate {
    #[command(flatten)]
    settings: settings::Arguments,
}

impl Migrate {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let settings = settings::load(&self.settings)?;
        block_on(async {
            let db = super::serve::open_database(&settings).await?;
            let pending = migration::pending(db.writer()).await?;
            migration::up_locked(db.writer()).await?;
            say(if pending.is_empty() {
                "the schema is up to date".to_owned()
            } else {
                format!("applied {}", pending.join(", "))
            });
            Ok(ExitCode::SUCCESS)
        })
    }
}
