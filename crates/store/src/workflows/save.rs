//! Saving: a new version and all that follows from it, or nothing.

use engine::definition::Definition;
use entity::workflows;
use sea_orm::{ActiveModelTrait, ConnectionTrait, IntoActiveModel, Set};
use serde_json::Value;
use uuid::Uuid;

use super::prepare::Prepared;
use super::{SaveContext, Status, Workflow, steps, triggers};
use crate::{Error, Result, ids, text, workflow_versions as versions};

/// Longest name, in characters.
const MAX_NAME_CHARS: usize = 200;

/// Most tags of a workflow, and most characters of a tag.
const MAX_TAGS: usize = 50;

/// A workflow to be made.
#[derive(Clone, Debug, Default)]
pub struct NewWorkflow {
    /// The organization.
    pub organization_id: Uuid,
    /// Who makes it.
    pub user_id: Option<Uuid>,
    /// The name to show.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// Nodes and edges, or a list of steps.
    pub definition: Value,
    /// Words to sort workflows by.
    pub tags: Vec<String>,
    /// Where it stands.
    pub status: Status,
    /// Whether others may read and copy it.
    pub is_public: bool,
    /// How long finished executions are kept.
    pub retention_days: Option<u32>,
    /// How many finished executions are kept.
    pub retention_count: Option<u32>,
    /// What the first version is about.
    pub change_summary: Option<String>,
    /// The chat that made it.
    pub chat_session_id: Option<Uuid>,
}

/// What of a workflow is to be changed; `None` leaves a field as it is.
#[derive(Clone, Debug, Default)]
pub struct WorkflowUpdate {
    /// The version that the change was made on; `None` to change whichever is current.
    pub expected_version: Option<i64>,
    /// Who changes it.
    pub user_id: Option<Uuid>,
    /// The name to show.
    pub name: Option<String>,
    /// What it is for; `Some(None)` removes it.
    pub description: Option<Option<String>>,
    /// Nodes and edges, or a list of steps.
    pub definition: Option<Value>,
    /// Words to sort workflows by.
    pub tags: Option<Vec<String>>,
    /// Whether others may read and copy it.
    pub is_public: Option<bool>,
    /// How long finished executions are kept; `Some(None)` for the installation's default.
    pub retention_days: Option<Option<u32>>,
    /// How many finished executions are kept; `Some(None)` for no such bound.
    pub retention_count: Option<Option<u32>>,
    /// What changed.
    pub change_summary: Option<String>,
}

/// What became of a save.
#[derive(Clone, Debug)]
pub enum Saved {
    /// It is the current version.
    Saved(Box<Workflow>),
    /// The organization has no such workflow.
    NotFound,
    /// Somebody else was faster.
    VersionConflict {
        /// The current version.
        current: i64,
    },
}

/// Makes a workflow with version 1.
///
/// # Errors
/// [`Error::Invalid`] for a definition that cannot be read, or that has errors while the status is active;
/// [`Error::WebhookPathTaken`].
pub async fn create(
    tx: &impl ConnectionTrait,
    context: SaveContext<'_>,
    new: NewWorkflow,
) -> Result<Workflow> {
    check_name(&new.name)?;
    check_description(new.description.as_deref())?;
    let tags = check_tags(new.tags)?;
    let prepared = Prepared::of(new.definition, new.status, context.catalogue)?;
    let row = workflows::ActiveModel {
        id: Set(ids::new_id()),
        organization_id: Set(new.organization_id),
        user_id: Set(new.user_id),
        name: Set(new.name),
        description: Set(new.description),
        version: Set(1),
        status: Set(new.status.as_str().to_owned()),
        definition: Set(prepared.value.clone()),
        trigger_type: Set(prepared.trigger_type.to_owned()),
        trigger_config: Set(prepared.trigger_config.clone()),
        tags: Set(tags),
        is_public: Set(new.is_public),
        created_from_chat: Set(new.chat_session_id.is_some()),
        chat_session_id: Set(new.chat_session_id),
        concurrency_limit: Set(concurrency_limit(&prepared.definition)),
        retention_days: Set(new.retention_days.map(i64::from)),
        retention_count: Set(new.retention_count.map(i64::from)),
        created_at: Set(context.now.fixed_offset()),
        updated_at: Set(context.now.fixed_offset()),
        ..Default::default()
    };
    let workflow = row.insert(tx).await?;
    write_derived(tx, context, &workflow, &prepared, new.user_id, new.change_summary).await?;
    Ok(workflow)
}

/// Changes a workflow: its next version.
///
/// # Errors
/// Those of [`create`].
pub async fn update(
    tx: &impl ConnectionTrait,
    context: SaveContext<'_>,
    organization_id: Uuid,
    workflow_id: Uuid,
    update: WorkflowUpdate,
) -> Result<Saved> {
    let Some(workflow) = super::lock(tx, organization_id, workflow_id).await? else {
        return Ok(Saved::NotFound);
    };
    if update.expected_version.is_some_and(|expected| expected != workflow.version) {
        return Ok(Saved::VersionConflict { current: workflow.version });
    }
    let definition = match update.definition {
        Some(definition) => definition,
        None => versions::find(tx, organization_id, workflow_id, workflow.version)
            .await?
            .map_or_else(|| workflow.definition.clone(), |current| current.definition),
    };
    let prepared = Prepared::of(definition, workflow.status.parse()?, context.catalogue)?;
    let version = workflow.version + 1;

    let mut row = workflow.into_active_model();
    if let Some(name) = update.name {
        check_name(&name)?;
        row.name = Set(name);
    }
    if let Some(description) = update.description {
        check_description(description.as_deref())?;
        row.description = Set(description);
    }
    if let Some(tags) = update.tags {
        row.tags = Set(check_tags(tags)?);
    }
    if let Some(is_public) = update.is_public {
        row.is_public = Set(is_public);
    }
    if let Some(retention_days) = update.retention_days {
        row.retention_days = Set(retention_days.map(i64::from));
    }
    if let Some(retention_count) = update.retention_count {
        row.retention_count = Set(retention_count.map(i64::from));
    }
    row.version = Set(version);
    row.definition = Set(prepared.value.clone());
    row.trigger_type = Set(prepared.trigger_type.to_owned());
    row.trigger_config = Set(prepared.trigger_config.clone());
    row.concurrency_limit = Set(concurrency_limit(&prepared.definition));
    row.updated_at = Set(context.now.fixed_offset());
    let workflow = row.update(tx).await?;
    write_derived(tx, context, &workflow, &prepared, update.user_id, update.change_summary).await?;
    Ok(Saved::Saved(Box::new(workflow)))
}

/// Makes the definition of an earlier version the next version. [`Saved::NotFound`] when there is no such workflow or
/// version.
///
/// # Errors
/// Those of [`create`].
pub async fn restore(
    tx: &impl ConnectionTrait,
    context: SaveContext<'_>,
    organization_id: Uuid,
    workflow_id: Uuid,
    version: i64,
    user_id: Option<Uuid>,
    expected_version: Option<i64>,
) -> Result<Saved> {
    let Some(earlier) = versions::find(tx, organization_id, workflow_id, version).await? else {
        return Ok(Saved::NotFound);
    };
    let change = WorkflowUpdate {
        expected_version,
        user_id,
        definition: Some(earlier.definition),
        change_summary: Some(format!("Restored version {version}")),
        ..WorkflowUpdate::default()
    };
    update(tx, context, organization_id, workflow_id, change).await
}

async fn write_derived(
    tx: &impl ConnectionTrait,
    context: SaveContext<'_>,
    workflow: &Workflow,
    prepared: &Prepared,
    user_id: Option<Uuid>,
    change_summary: Option<String>,
) -> Result<()> {
    versions::add(tx, workflow, &prepared.value, user_id, change_summary).await?;
    steps::derive(tx, context, workflow, &prepared.definition).await?;
    triggers::derive(tx, context, workflow, prepared).await
}

fn concurrency_limit(definition: &Definition) -> Option<i64> {
    definition.settings.concurrency.map(i64::from)
}

fn check_name(name: &str) -> Result<()> {
    text::refuse_nul("name", name)?;
    if name.trim().is_empty() {
        return Err(Error::invalid("name", "is empty"));
    }
    if name.chars().count() > MAX_NAME_CHARS {
        return Err(Error::invalid("name", format!("is longer than {MAX_NAME_CHARS} characters")));
    }
    Ok(())
}

fn check_description(description: Option<&str>) -> Result<()> {
    description.map_or(Ok(()), |description| text::refuse_nul("description", description))
}

fn check_tags(tags: Vec<String>) -> Result<Value> {
    let mut kept: Vec<String> = Vec::with_capacity(tags.len());
    for tag in tags {
        text::refuse_nul("tags", &tag)?;
        let tag = tag.trim();
        if tag.is_empty() || tag.chars().count() > MAX_TAGS {
            return Err(Error::invalid(
                "tags",
                format!("hold {tag:?}, which has not 1 to {MAX_TAGS} characters"),
            ));
        }
        if !kept.iter().any(|known| known == tag) {
            kept.push(tag.to_owned());
        }
    }
    if kept.len() > MAX_TAGS {
        return Err(Error::invalid("tags", format!("are more than {MAX_TAGS}")));
    }
    Ok(Value::from(kept))
}
