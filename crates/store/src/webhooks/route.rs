//! The way of a call: from its path to the workflow that it starts.

use chrono::{DateTime, Utc};
use entity::{webhooks, workflows};
use sea_orm::sea_query::{Expr, ExprTrait as _};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult, JoinType, QueryFilter, QuerySelect,
};
use uuid::Uuid;

use super::secret::unseal_secret;
use super::{Method, ResponseMode, SignatureScheme, Webhook};
use crate::Result;
use crate::settings::Secret;
use crate::vault::Vault;
use crate::workflows::{Status, priority_column};

/// A webhook and what the execution needs to know of its workflow.
#[derive(Clone, Debug)]
pub struct Route {
    /// The webhook.
    pub webhook: Webhook,
    /// The version to run.
    pub workflow_version: i64,
    /// Where the workflow stands.
    pub workflow_status: Status,
    /// The priority of its executions.
    pub priority: i64,
    /// Which method is answered.
    pub method: Method,
    /// How the call is signed.
    pub signature_scheme: SignatureScheme,
    /// When the caller is answered.
    pub response_mode: ResponseMode,
}

impl Route {
    /// Whether calls are taken now.
    #[must_use]
    pub fn is_live(&self) -> bool {
        self.webhook.is_active && self.workflow_status == Status::Active
    }

    /// The signing secret; `None` when none is stored. A call to a webhook whose scheme is not
    /// [`SignatureScheme::None`] must then be refused.
    ///
    /// # Errors
    /// [`crate::Error::Vault`] when it cannot be unsealed.
    pub fn secret(&self, vault: &Vault) -> Result<Option<Secret>> {
        unseal_secret(vault, &self.webhook)
    }
}

#[derive(FromQueryResult)]
struct Row {
    #[sea_orm(nested)]
    webhook: Webhook,
    workflow_version: i64,
    workflow_status: String,
    priority: Option<i64>,
}

/// The webhook with this path, live or not, in one query: every call does it.
///
/// It is by path alone: a path is unique in the installation and says whose it is.
///
/// # Errors
/// Those of the database.
pub async fn find_by_path(db: &impl ConnectionTrait, path: &str) -> Result<Option<Route>> {
    if path.contains('\0') {
        return Ok(None);
    }
    let to_workflow = webhooks::Entity::belongs_to(workflows::Entity)
        .from(webhooks::Column::WorkflowId)
        .to(workflows::Column::Id)
        .into();
    let row = webhooks::Entity::find()
        .filter(webhooks::Column::Path.eq(path))
        .join(JoinType::InnerJoin, to_workflow)
        .expr_as(workflows::Column::Version.into_expr(), "workflow_version")
        .expr_as(workflows::Column::Status.into_expr(), "workflow_status")
        .expr_as(priority_column(), "priority")
        .into_model::<Row>()
        .one(db)
        .await?;
    row.map(|row| {
        Ok(Route {
            workflow_version: row.workflow_version,
            workflow_status: row.workflow_status.parse()?,
            priority: row.priority.unwrap_or(0),
            method: row.webhook.method.parse()?,
            signature_scheme: row.webhook.signature_scheme.parse()?,
            response_mode: row.webhook.response_mode.parse()?,
            webhook: row.webhook,
        })
    })
    .transpose()
}

/// How many executions a webhook started since it was last counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Triggered {
    /// The webhook.
    pub webhook_id: Uuid,
    /// How many.
    pub count: i64,
}

/// Adds to the counts of webhooks. Callers collect calls for some seconds: a write with each call would make all calls
/// of one webhook wait for each other.
///
/// # Errors
/// Those of the database.
pub async fn count_triggers(
    tx: &impl ConnectionTrait,
    now: DateTime<Utc>,
    triggered: &[Triggered],
) -> Result<()> {
    let mut triggered = triggered.to_vec();
    // Two processes that count the same webhooks lock them in the same order.
    triggered.sort_by_key(|one| one.webhook_id);
    for one in triggered {
        webhooks::Entity::update_many()
            .col_expr(
                webhooks::Column::TriggerCount,
                Expr::col(webhooks::Column::TriggerCount).add(Expr::value(one.count)),
            )
            .col_expr(webhooks::Column::LastTriggeredAt, Expr::value(now.fixed_offset()))
            .filter(webhooks::Column::Id.eq(one.webhook_id))
            .exec(tx)
            .await?;
    }
    Ok(())
}
