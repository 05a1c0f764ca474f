//! `tidemill export`

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::Args;
use store::page::PageRequest;
use store::workflows::{self, WorkflowFilter};
use store::{service, settings, workflow_versions};
use uuid::Uuid;

use super::tenant::Tenant;
use super::workspace::WorkflowFile;
use super::{block_on, say};

/// Write stored workflows as JSON files
#[derive(Debug, Args)]
pub(crate) struct Export {
    /// Ids of workflows; all of the organization when missing
    #[arg(value_name = "ID")]
    workflows: Vec<Uuid>,
    #[command(flatten)]
    tenant: Tenant,
    /// Folder that the files are written to; without it one workflow goes to standard output
    #[arg(long, short, value_name = "FOLDER")]
    output: Option<PathBuf>,
    #[command(flatten)]
    settings: settings::Arguments,
}

impl Export {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let settings = settings::load(&self.settings)?;
        if self.output.is_none() && self.workflows.len() != 1 {
            bail!("name one workflow, or a folder with --output");
        }
        block_on(async {
            let db = service::open_database(&settings).await?;
            let (organization_id, _) = self.tenant.find(&db).await?;
            let mut ids = self.workflows.clone();
            if ids.is_empty() {
                let mut page = PageRequest::default();
                loop {
                    let found =
                        workflows::list(db.reader(), organization_id, &WorkflowFilter::default(), page)
                            .await?;
                    ids.extend(found.items.iter().map(|workflow| workflow.id));
                    let Some(next) = found.next else { break };
                    page = PageRequest::new(None, Some(next))?;
                }
            }
            for id in ids {
                let file = read(&db, organization_id, id).await?;
                let text = serde_json::to_string_pretty(&file)? + "\n";
                match &self.output {
                    Some(folder) => say(write(folder, &file.name, id, &text)?.display()),
                    None => say(text.trim_end()),
                }
            }
            Ok(ExitCode::SUCCESS)
        })
    }
}

async fn read(db: &store::Db, organization_id: Uuid, id: Uuid) -> anyhow::Result<WorkflowFile> {
    let workflow = workflows::find(db.reader(), organization_id, id).await?;
    let workflow = workflow.with_context(|| format!("there is no workflow {id} in this organization"))?;
    // The version keeps the definition as it was written, down to the order of its keys.
    let version = workflow_versions::find(db.reader(), organization_id, id, workflow.version).await?;
    Ok(WorkflowFile {
        name: workflow.name,
        description: workflow.description,
        tags: serde_json::from_value(workflow.tags)?,
        activate: workflow.status == workflows::Status::Active.as_str(),
        definition: version.map_or(workflow.definition, |version| version.definition),
    })
}

/// Writes a workflow to a file named after it. Names are not unique, so the id follows where the file is there already.
fn write(folder: &Path, name: &str, id: Uuid, text: &str) -> anyhow::Result<PathBuf> {
    std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let plain: String =
        name.to_lowercase().chars().map(|c| if c.is_alphanumeric() { c } else { '-' }).take(80).collect();
    let plain = plain.split('-').filter(|part| !part.is_empty()).collect::<Vec<_>>().join("-");
    let mut path = folder.join(format!("{}.json", if plain.is_empty() { "workflow" } else { &plain }));
    if path.exists() {
        path = folder.join(format!("{plain}-{id}.json"));
    }
    std::fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
    Ok(path)
}
