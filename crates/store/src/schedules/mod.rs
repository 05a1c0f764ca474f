//! Schedules: when a workflow runs.
//!
//! A schedule is made by hand, or derived from a schedule trigger node whenever its workflow is saved
//! (`crate::workflows`); a derived one is changed by changing the workflow.
//!
//! `next_run_at` holds the one fact that the scheduler polls. It is set exactly when the schedule can fire: it is
//! active, its workflow is active, and an occurrence lies ahead. [`reconcile`] finds schedules for which that is not
//! so. What to do about missed and overlapping occurrences is decided by the scheduler; here is only how to take the
//! due ones ([`claim_due`]) and to note what became of them ([`advance`]).

mod due;
mod model;

use chrono::{DateTime, Utc};
use entity::{schedules, workflows};
use sea_orm::sea_query::LockType;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, QuerySelect,
    Set,
};
use serde_json::Value;
use uuid::Uuid;

use crate::page::{Cursor, Direction, Page, PageRequest};
use crate::{Error, Result, ids, text};

pub use due::{Advanced, Due, Reconciled, advance, claim_due, claim_one, due_ids, reconcile};
pub use entity::schedules::Model as Schedule;
pub use model::{MissedRunPolicy, OverlapPolicy, Timing, trigger_node_id};

pub(crate) use model::{rule_id, split_rule};

/// A schedule to be made by hand.
#[derive(Clone, Debug)]
pub struct NewSchedule {
    /// The organization.
    pub organization_id: Uuid,
    /// The workflow to run.
    pub workflow_id: Uuid,
    /// Who made it.
    pub user_id: Option<Uuid>,
    /// The name to show.
    pub name: String,
    /// When it fires.
    pub timing: Timing,
    /// The input of its executions.
    pub input_data: Option<Value>,
    /// Whether it fires.
    pub is_active: bool,
    /// What to do about missed occurrences.
    pub missed_run_policy: MissedRunPolicy,
    /// How many missed occurrences are caught up at most.
    pub max_catch_up: u32,
    /// What to do when the last execution still runs.
    pub overlap_policy: OverlapPolicy,
    /// Up to how long an occurrence is put off.
    pub jitter_ms: u32,
}

/// Makes a schedule; `None` when the organization has no such workflow.
///
/// # Errors
/// [`Error::Invalid`] when the expression or the time zone cannot be read.
pub async fn create(
    tx: &impl ConnectionTrait,
    now: DateTime<Utc>,
    new: NewSchedule,
) -> Result<Option<Schedule>> {
    text::refuse_nul("name", &new.name)?;
    new.timing.check()?;
    if let Some(input) = &new.input_data {
        text::refuse_nul_in("input_data", input)?;
    }
    let Some(is_workflow_active) = is_workflow_active(tx, new.organization_id, new.workflow_id).await? else {
        return Ok(None);
    };
    let next = if new.is_active && is_workflow_active { new.timing.next_after(now)? } else { None };
    let row = schedules::ActiveModel {
        id: Set(ids::new_id()),
        organization_id: Set(new.organization_id),
        workflow_id: Set(new.workflow_id),
        user_id: Set(new.user_id),
        name: Set(new.name),
        cron_expression: Set(new.timing.cron_expression),
        timezone: Set(new.timing.timezone),
        input_data: Set(new.input_data),
        is_active: Set(new.is_active),
        starts_at: Set(new.timing.starts_at.map(|at| at.fixed_offset())),
        ends_at: Set(new.timing.ends_at.map(|at| at.fixed_offset())),
        missed_run_policy: Set(new.missed_run_policy.as_str().to_owned()),
        max_catch_up: Set(new.max_catch_up.into()),
        overlap_policy: Set(new.overlap_policy.as_str().to_owned()),
        jitter_ms: Set(new.jitter_ms.into()),
        next_run_at: Set(next.map(|at| at.fixed_offset())),
        created_at: Set(now.fixed_offset()),
        updated_at: Set(now.fixed_offset()),
        ..Default::default()
    };
    Ok(Some(row.insert(tx).await?))
}

/// What of a schedule is to be changed; `None` leaves a field as it is.
#[derive(Clone, Debug, Default)]
pub struct ScheduleUpdate {
    /// The name to show.
    pub name: Option<String>,
    /// When it fires, whole.
    pub timing: Option<Timing>,
    /// The input of its executions; `Some(None)` removes it.
    pub input_data: Option<Option<Value>>,
    /// Whether it fires.
    pub is_active: Option<bool>,
    /// What to do about missed occurrences.
    pub missed_run_policy: Option<MissedRunPolicy>,
    /// How many missed occurrences are caught up at most.
    pub max_catch_up: Option<u32>,
    /// What to do when the last execution still runs.
    pub overlap_policy: Option<OverlapPolicy>,
    /// Up to how long an occurrence is put off.
    pub jitter_ms: Option<u32>,
}

/// Changes a schedule, and its next occurrence when that is affected; `None` when the organization has no such one.
///
/// # Errors
/// [`Error::Invalid`] when the expression or the time zone cannot be read, or the schedule belongs to a trigger node.
pub async fn update(
    tx: &impl ConnectionTrait,
    now: DateTime<Utc>,
    organization_id: Uuid,
    schedule_id: Uuid,
    update: ScheduleUpdate,
) -> Result<Option<Schedule>> {
    let Some(schedule) = lock(tx, organization_id, schedule_id).await? else { return Ok(None) };
    refuse_derived(&schedule)?;
    let is_workflow_active =
        is_workflow_active(tx, organization_id, schedule.workflow_id).await?.unwrap_or(false);
    let before = Timing::of(&schedule);
    let timing = update.timing.unwrap_or_else(|| before.clone());
    timing.check()?;
    let is_active = update.is_active.unwrap_or(schedule.is_active);
    let keeps_next = timing == before && schedule.is_active == is_active && schedule.next_run_at.is_some();
    let next = match (is_active && is_workflow_active, keeps_next) {
        (false, _) => None,
        (true, true) => schedule.next_run_at.map(|at| at.to_utc()),
        (true, false) => timing.next_after(now)?,
    };

    let mut row = schedule.into_active_model();
    if let Some(name) = update.name {
        text::refuse_nul("name", &name)?;
        row.name = Set(name);
    }
    if let Some(input) = update.input_data {
        if let Some(input) = &input {
            text::refuse_nul_in("input_data", input)?;
        }
        row.input_data = Set(input);
    }
    if let Some(policy) = update.missed_run_policy {
        row.missed_run_policy = Set(policy.as_str().to_owned());
    }
    if let Some(max_catch_up) = update.max_catch_up {
        row.max_catch_up = Set(max_catch_up.into());
    }
    if let Some(policy) = update.overlap_policy {
        row.overlap_policy = Set(policy.as_str().to_owned());
    }
    if let Some(jitter_ms) = update.jitter_ms {
        row.jitter_ms = Set(jitter_ms.into());
    }
    row.cron_expression = Set(timing.cron_expression);
    row.timezone = Set(timing.timezone);
    row.starts_at = Set(timing.starts_at.map(|at| at.fixed_offset()));
    row.ends_at = Set(timing.ends_at.map(|at| at.fixed_offset()));
    row.is_active = Set(is_active);
    row.next_run_at = Set(next.map(|at| at.fixed_offset()));
    if !keeps_next {
        row.last_error = Set(None);
    }
    row.updated_at = Set(now.fixed_offset());
    Ok(Some(row.update(tx).await?))
}

/// Deletes a schedule; whether there was one.
///
/// # Errors
/// [`Error::Invalid`] when it belongs to a trigger node.
pub async fn delete(tx: &impl ConnectionTrait, organization_id: Uuid, schedule_id: Uuid) -> Result<bool> {
    let Some(schedule) = lock(tx, organization_id, schedule_id).await? else { return Ok(false) };
    refuse_derived(&schedule)?;
    Ok(schedules::Entity::delete_by_id(schedule_id).exec(tx).await?.rows_affected > 0)
}

/// The schedule with this id.
///
/// # Errors
/// Those of the database.
pub async fn find(
    db: &impl ConnectionTrait,
    organization_id: Uuid,
    schedule_id: Uuid,
) -> Result<Option<Schedule>> {
    Ok(schedules::Entity::find_by_id(schedule_id)
        .filter(schedules::Column::OrganizationId.eq(organization_id))
        .one(db)
        .await?)
}

/// Which schedules are wanted; `None` means all.
#[derive(Clone, Copy, Debug, Default)]
pub struct ScheduleFilter {
    /// Of this workflow.
    pub workflow_id: Option<Uuid>,
    /// That fire, or that do not.
    pub is_active: Option<bool>,
}

/// The schedules of an organization, the newest first.
///
/// # Errors
/// Those of the database.
pub async fn list(
    db: &impl ConnectionTrait,
    organization_id: Uuid,
    filter: ScheduleFilter,
    page: PageRequest,
) -> Result<Page<Schedule>> {
    let mut select = schedules::Entity::find().filter(schedules::Column::OrganizationId.eq(organization_id));
    if let Some(workflow_id) = filter.workflow_id {
        select = select.filter(schedules::Column::WorkflowId.eq(workflow_id));
    }
    if let Some(is_active) = filter.is_active {
        select = select.filter(schedules::Column::IsActive.eq(is_active));
    }
    let rows = page
        .apply(select, schedules::Column::CreatedAt, schedules::Column::Id, Direction::NewestFirst)
        .all(db)
        .await?;
    Ok(page.page(rows, |schedule| Cursor::new(schedule.created_at, schedule.id)))
}

async fn lock(
    tx: &impl ConnectionTrait,
    organization_id: Uuid,
    schedule_id: Uuid,
) -> Result<Option<Schedule>> {
    Ok(schedules::Entity::find_by_id(schedule_id)
        .filter(schedules::Column::OrganizationId.eq(organization_id))
        .lock(LockType::NoKeyUpdate)
        .one(tx)
        .await?)
}

fn refuse_derived(schedule: &Schedule) -> Result<()> {
    match trigger_node_id(schedule) {
        Some(node) => {
            Err(Error::invalid("schedule", format!("belongs to the node {node:?}: change the workflow")))
        }
        None => Ok(()),
    }
}

/// `None` when the organization has no such workflow.
async fn is_workflow_active(
    db: &impl ConnectionTrait,
    organization_id: Uuid,
    workflow_id: Uuid,
) -> Result<Option<bool>> {
    let status: Option<String> = workflows::Entity::find_by_id(workflow_id)
        .select_only()
        .column(workflows::Column::Status)
        .filter(workflows::Column::OrganizationId.eq(organization_id))
        .into_tuple()
        .one(db)
        .await?;
    Ok(status.map(|status| status == crate::workflows::Status::Active.as_str()))
}
