//! `tidemill import`

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::Args;
use store::service;
use store::settings;
use store::vault::IfMissing;
use store::workflows::{self, NewWorkflow, SaveContext, Status};

use super::tenant::Tenant;
use super::workspace::WorkflowFile;
use super::{block_on, say};

/// Store workflow files in the database
#[derive(Debug, Args)]
pub(crate) struct Import {
    /// Workflow files; - is standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    #[command(flatten)]
    tenant: Tenant,
    /// Switch the workflows on, even where the file does not say so
    #[arg(long)]
    activate: bool,
    #[command(flatten)]
    settings: settings::Arguments,
}

impl Import {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let settings = settings::load(&self.settings)?;
        let files: Vec<_> =
            self.files.iter().map(|path| WorkflowFile::read(path)).collect::<Result<_, _>>()?;
        block_on(async {
            let db = service::open_database(&settings).await?;
            let vault = service::open_vault(&settings, &db, IfMissing::Refuse).await?;
            let egress = nodes::egress::Client::new(&settings.egress.read("egress")?)?;
            let catalogue = nodes::catalogue(&egress);
            let (organization_id, user_id) = self.tenant.find(&db).await?;
            // All of the files or none of them.
            let tx = db.begin().await?;
            let context = SaveContext { now: db.now(), catalogue: &catalogue, vault: &vault };
            let mut stored = Vec::new();
            for (path, file) in self.files.iter().zip(files) {
                let active = self.activate || file.activate;
                let new = NewWorkflow {
                    organization_id,
                    user_id,
                    name: file.name,
                    description: file.description,
                    definition: file.definition,
                    tags: file.tags,
                    status: if active { Status::Active } else { Status::Draft },
                    is_public: false,
                    retention_days: None,
                    retention_count: None,
                    change_summary: Some("Imported".to_owned()),
                    chat_session_id: None,
                };
                let workflow = workflows::create(&tx, context, new).await;
                stored.push(workflow.with_context(|| path.display().to_string())?);
            }
            tx.commit().await?;
            for workflow in stored {
                say(format_args!("{} {} ({})", workflow.id, workflow.name, workflow.status));
            }
            Ok(ExitCode::SUCCESS)
        })
    }
}
