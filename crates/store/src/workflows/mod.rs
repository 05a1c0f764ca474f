//! Workflows: what is to be done.
//!
//! Each save is a new version, and writes everything that follows from the definition in the same transaction: the
//! version's copy, one `workflow_steps` row per node, and the schedules and webhooks of its trigger nodes. So what
//! fires is at any time what the current version says. Only the triggers of an active workflow fire.
//!
//! A draft may be saved half-finished: trigger nodes that cannot be read yet derive nothing. An active workflow must be
//! free of errors, at every save.

mod list;
mod prepare;
mod save;
mod status;
mod steps;
mod trigger_fields;
mod triggers;

use chrono::{DateTime, Utc};
use engine::node::Catalogue;
use entity::workflows;
use sea_orm::sea_query::{Expr, LockType, SimpleExpr};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect};
use uuid::Uuid;

use crate::Result;
use crate::vault::Vault;

pub use entity::workflows::Model as Workflow;
pub use list::{WorkflowFilter, WorkflowSummary, list};
pub use save::{NewWorkflow, Saved, WorkflowUpdate, create, restore, update};
pub use status::{Status, StatusChange, set_status};

/// What saving a workflow needs besides the workflow.
#[derive(Clone, Copy)]
pub struct SaveContext<'a> {
    /// The present.
    pub now: DateTime<Utc>,
    /// The node types of this installation.
    pub catalogue: &'a Catalogue,
    /// Seals the secrets of new webhooks.
    pub vault: &'a Vault,
}

/// The workflow with this id.
///
/// # Errors
/// Those of the database.
pub async fn find(
    db: &impl ConnectionTrait,
    organization_id: Uuid,
    workflow_id: Uuid,
) -> Result<Option<Workflow>> {
    Ok(workflows::Entity::find_by_id(workflow_id)
        .filter(workflows::Column::OrganizationId.eq(organization_id))
        .one(db)
        .await?)
}

/// The workflow with this id, or the newest one with this name: how another workflow refers to it.
///
/// # Errors
/// Those of the database.
pub async fn find_by_reference(
    db: &impl ConnectionTrait,
    organization_id: Uuid,
    reference: &str,
) -> Result<Option<Workflow>> {
    if let Ok(workflow_id) = reference.parse() {
        return find(db, organization_id, workflow_id).await;
    }
    if reference.contains('\0') {
        return Ok(None);
    }
    use sea_orm::QueryOrder as _;
    Ok(workflows::Entity::find()
        .filter(workflows::Column::OrganizationId.eq(organization_id))
        .filter(workflows::Column::Name.eq(reference))
        .order_by_desc(workflows::Column::CreatedAt)
        .order_by_desc(workflows::Column::Id)
        .limit(1)
        .one(db)
        .await?)
}

/// Deletes a workflow with its versions, triggers and executions; whether there was one.
///
/// # Errors
/// Those of the database.
pub async fn delete(tx: &impl ConnectionTrait, organization_id: Uuid, workflow_id: Uuid) -> Result<bool> {
    let outcome = workflows::Entity::delete_many()
        .filter(workflows::Column::Id.eq(workflow_id))
        .filter(workflows::Column::OrganizationId.eq(organization_id))
        .exec(tx)
        .await?;
    Ok(outcome.rows_affected > 0)
}

async fn lock(
    tx: &impl ConnectionTrait,
    organization_id: Uuid,
    workflow_id: Uuid,
) -> Result<Option<Workflow>> {
    // Not FOR UPDATE: that would hold up whoever enqueues an execution of the workflow, whose foreign key locks the
    // row against deletion, and a scheduler that has locked the schedules which a save changes would never end. On
    // SQLite this adds nothing, and need not: there is one write transaction at a time.
    Ok(workflows::Entity::find_by_id(workflow_id)
        .filter(workflows::Column::OrganizationId.eq(organization_id))
        .lock(LockType::NoKeyUpdate)
        .one(tx)
        .await?)
}

/// `settings.priority` of the definition, null if it has none. The operators and the cast mean the same on both
/// databases, though `->>` gives text on one and a number on the other; parsing the definition made sure that it is
/// an integer.
pub(crate) fn priority_column() -> SimpleExpr {
    Expr::cust("CAST(workflows.definition -> 'settings' ->> 'priority' AS bigint)")
}
