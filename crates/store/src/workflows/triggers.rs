//! The rows of `schedules` and `webhooks` that follow from trigger nodes.
//!
//! A row keeps its id, its counts and its secret for as long as its node is there. A schedule keeps its next
//! occurrence too, unless its time was changed: an edit elsewhere in the workflow must not lose an occurrence that is
//! due.

use chrono::{DateTime, Utc};
use entity::{schedules, webhooks};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder,
    Set,
};

use super::prepare::Prepared;
use super::trigger_fields::{ScheduleRule, WebhookNode};
use super::{SaveContext, Status, Workflow};
use crate::schedules::{Schedule, Timing};
use crate::webhooks::{SignatureScheme, Webhook, generate_secret, path_taken, seal_secret};
use crate::{Result, ids};

/// Makes the triggers of a workflow what its definition and its status say.
pub(super) async fn derive(
    tx: &impl ConnectionTrait,
    context: SaveContext<'_>,
    workflow: &Workflow,
    prepared: &Prepared,
) -> Result<()> {
    let is_active = workflow.status == Status::Active.as_str();
    derive_schedules(tx, context.now, workflow, &prepared.rules, is_active).await?;
    derive_webhooks(tx, context, workflow, &prepared.webhooks, is_active).await
}

async fn derive_schedules(
    tx: &impl ConnectionTrait,
    now: DateTime<Utc>,
    workflow: &Workflow,
    rules: &[ScheduleRule],
    is_workflow_active: bool,
) -> Result<()> {
    let mut present = schedules::Entity::find()
        .filter(schedules::Column::WorkflowId.eq(workflow.id))
        .order_by_asc(schedules::Column::Id)
        .all(tx)
        .await?;
    for rule in rules {
        let known = present
            .iter()
            .position(|row| row.node_id.as_deref() == Some(&rule.rule_id))
            .map(|at| present.remove(at));
        write_schedule(tx, now, workflow, rule, known, is_workflow_active).await?;
    }
    for row in present {
        if row.node_id.is_some() {
            schedules::Entity::delete_by_id(row.id).exec(tx).await?;
        } else {
            // Made by hand: whether it is active is its user's word, but it fires only while its workflow is active.
            let can_fire = is_workflow_active && row.is_active;
            if can_fire != row.next_run_at.is_some() {
                let next = if can_fire { Timing::of(&row).next_after(now)? } else { None };
                let mut row = row.into_active_model();
                row.next_run_at = Set(next.map(|at| at.fixed_offset()));
                row.updated_at = Set(now.fixed_offset());
                row.update(tx).await?;
            }
        }
    }
    Ok(())
}

async fn write_schedule(
    tx: &impl ConnectionTrait,
    now: DateTime<Utc>,
    workflow: &Workflow,
    rule: &ScheduleRule,
    known: Option<Schedule>,
    is_workflow_active: bool,
) -> Result<()> {
    let is_active = is_workflow_active && rule.is_enabled;
    let kept = known.as_ref().filter(|row| Timing::of(row) == rule.timing).and_then(|row| row.next_run_at);
    let next = match (is_active, kept) {
        (false, _) => None,
        (true, Some(next)) => Some(next),
        (true, None) => rule.timing.next_after(now)?.map(|at| at.fixed_offset()),
    };
    let is_new = known.is_none();
    let mut row = known.map_or_else(
        || schedules::ActiveModel {
            id: Set(ids::new_id()),
            organization_id: Set(workflow.organization_id),
            workflow_id: Set(workflow.id),
            node_id: Set(Some(rule.rule_id.clone())),
            created_at: Set(now.fixed_offset()),
            ..Default::default()
        },
        IntoActiveModel::into_active_model,
    );
    row.user_id = Set(workflow.user_id);
    row.name = Set(rule.name.clone());
    row.cron_expression = Set(rule.timing.cron_expression.clone());
    row.timezone = Set(rule.timing.timezone.clone());
    row.is_active = Set(is_active);
    row.missed_run_policy = Set(rule.missed_run_policy.as_str().to_owned());
    row.max_catch_up = Set(rule.max_catch_up.into());
    row.overlap_policy = Set(rule.overlap_policy.as_str().to_owned());
    row.jitter_ms = Set(rule.jitter_ms.into());
    row.next_run_at = Set(next);
    if kept.is_none() {
        row.last_error = Set(None);
    }
    row.updated_at = Set(now.fixed_offset());
    if is_new {
        schedules::Entity::insert(row).exec_without_returning(tx).await?;
    } else {
        row.update(tx).await?;
    }
    Ok(())
}

async fn derive_webhooks(
    tx: &impl ConnectionTrait,
    context: SaveContext<'_>,
    workflow: &Workflow,
    nodes: &[WebhookNode],
    is_workflow_active: bool,
) -> Result<()> {
    let mut present = webhooks::Entity::find()
        .filter(webhooks::Column::WorkflowId.eq(workflow.id))
        .filter(webhooks::Column::NodeId.is_not_null())
        .order_by_asc(webhooks::Column::Id)
        .all(tx)
        .await?;
    let mut matched: Vec<(&WebhookNode, Option<Webhook>)> = nodes.iter().map(|node| (node, None)).collect();
    for (node, row) in &mut matched {
        *row = take(&mut present, |row| row.node_id.as_deref() == Some(&node.node_id));
    }
    // A node that was deleted and drawn anew under the same path keeps the secret that its callers know.
    for (node, row) in matched.iter_mut().filter(|(_, row)| row.is_none()) {
        *row = take(&mut present, |row| row.path == node.path.as_str());
    }
    // First those that are gone: their paths may be in use again.
    for row in present {
        webhooks::Entity::delete_by_id(row.id).exec(tx).await?;
    }
    for (node, known) in matched {
        write_webhook(tx, context, workflow, node, known, is_workflow_active).await?;
    }
    Ok(())
}

fn take(rows: &mut Vec<Webhook>, is_wanted: impl Fn(&Webhook) -> bool) -> Option<Webhook> {
    rows.iter().position(is_wanted).map(|at| rows.remove(at))
}

async fn write_webhook(
    tx: &impl ConnectionTrait,
    context: SaveContext<'_>,
    workflow: &Workflow,
    node: &WebhookNode,
    known: Option<Webhook>,
    is_workflow_active: bool,
) -> Result<()> {
    let now = context.now.fixed_offset();
    let (id, has_secret, is_new) = known
        .as_ref()
        .map_or_else(|| (ids::new_id(), false, true), |row| (row.id, row.secret_encrypted.is_some(), false));
    let mut row = known.map_or_else(
        || webhooks::ActiveModel {
            id: Set(id),
            organization_id: Set(workflow.organization_id),
            workflow_id: Set(workflow.id),
            created_at: Set(now),
            ..Default::default()
        },
        IntoActiveModel::into_active_model,
    );
    if node.rules.signature_scheme != SignatureScheme::None && !has_secret {
        let sealed = seal_secret(context.vault, workflow.organization_id, id, &generate_secret())?;
        row.secret_encrypted = Set(Some(sealed));
    }
    row.node_id = Set(Some(node.node_id.clone()));
    row.user_id = Set(workflow.user_id);
    row.path = Set(node.path.as_str().to_owned());
    node.rules.clone().put(&mut row)?;
    row.is_active = Set(is_workflow_active && node.is_enabled);
    row.updated_at = Set(now);
    let outcome = if is_new {
        webhooks::Entity::insert(row).exec_without_returning(tx).await.map(|_| ())
    } else {
        row.update(tx).await.map(|_| ())
    };
    outcome.map_err(|error| path_taken(error, &node.path))
}
