//! Webhook events: each is taken once within its window.
//!
//! [`record`] is called in the transaction that enqueues the execution. Of any number of deliveries of one event that
//! come in at once, on any number of servers, one gets [`Recorded::New`]; the others wait for it and are told the
//! execution that it started. If that transaction is rolled back, one of the others is the new one.

use chrono::{DateTime, TimeDelta, Utc};
use entity::webhook_events;
use sea_orm::sea_query::{Expr, OnConflict, Query};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Set};
use serde_json::Value;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::{Error, Result, backend, ids};

pub use entity::webhook_events::Model as WebhookEvent;

/// Times that [`record`] looks again after the row that it conflicted with went away.
const ATTEMPTS: usize = 3;

/// An event that came in.
#[derive(Clone, Debug)]
pub struct NewWebhookEvent<'a> {
    /// The organization.
    pub organization_id: Uuid,
    /// The webhook that was called.
    pub webhook_id: Uuid,
    /// The sender's name for the event, or the hash of its body.
    pub event_id: &'a str,
    /// What kind of event it is.
    pub event_type: &'a str,
    /// The event itself.
    pub event_data: Value,
    /// How long a repeat of it starts nothing.
    pub window_secs: i64,
}

/// Whether an event is new.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recorded {
    /// It is: start its execution, then call [`link`].
    New {
        /// The row.
        id: Uuid,
    },
    /// It was taken already.
    Duplicate {
        /// What it started; `None` when that was deleted.
        execution_id: Option<Uuid>,
    },
}

/// Takes an event in, unless it was taken within its window.
///
/// # Errors
/// Those of the database.
pub async fn record(
    tx: &impl ConnectionTrait,
    now: DateTime<Utc>,
    event: NewWebhookEvent<'_>,
) -> Result<Recorded> {
    let window = TimeDelta::try_seconds(event.window_secs.max(0))
        .ok_or_else(|| Error::invalid("dedup_window_secs", "is too long"))?;
    let expires_at = now
        .checked_add_signed(window)
        .ok_or_else(|| Error::invalid("dedup_window_secs", "is too long"))?
        .fixed_offset();
    let hash = event_hash(event.webhook_id, event.event_id);
    let event_data = backend::json::as_written(tx.get_database_backend(), &event.event_data);
    let event_type = event.event_type.replace('\0', "\u{fffd}");
    let id = ids::new_id();
    let insert = Query::insert()
        .into_table(webhook_events::Entity)
        .columns([
            webhook_events::Column::Id,
            webhook_events::Column::OrganizationId,
            webhook_events::Column::WebhookId,
            webhook_events::Column::EventId,
            webhook_events::Column::EventType,
            webhook_events::Column::EventData,
            webhook_events::Column::EventHash,
            webhook_events::Column::ProcessedAt,
            webhook_events::Column::ExpiresAt,
        ])
        .values_panic([
            Expr::value(id),
            Expr::value(event.organization_id),
            Expr::value(event.webhook_id),
            Expr::value(event.event_id.replace('\0', "\u{fffd}")),
            Expr::value(event_type.as_str()),
            event_data.clone(),
            Expr::value(hash.as_str()),
            Expr::value(now.fixed_offset()),
            Expr::value(expires_at),
        ])
        // No target: a conflict with any of the unique constraints counts, whichever is seen first.
        .on_conflict(OnConflict::new().do_nothing().to_owned())
        .to_owned();
    for _ in 0..ATTEMPTS {
        if tx.execute(&insert).await?.rows_affected() > 0 {
            return Ok(Recorded::New { id });
        }
        // The row is there: if its window has passed it is taken over, by whoever changes it first.
        let renewed = webhook_events::Entity::update_many()
            .set(webhook_events::ActiveModel {
                event_type: Set(event_type.clone()),
                execution_id: Set(None),
                processed_at: Set(now.fixed_offset()),
                processing_duration_ms: Set(None),
                expires_at: Set(expires_at),
                ..Default::default()
            })
            .col_expr(webhook_events::Column::EventData, event_data.clone())
            .filter(webhook_events::Column::EventHash.eq(hash.as_str()))
            .filter(webhook_events::Column::ExpiresAt.lte(now.fixed_offset()))
            .exec(tx)
            .await?;
        let known = webhook_events::Entity::find()
            .select_only()
            .columns([webhook_events::Column::Id, webhook_events::Column::ExecutionId])
            .filter(webhook_events::Column::EventHash.eq(hash.as_str()))
            .into_tuple::<(Uuid, Option<Uuid>)>()
            .one(tx)
            .await?;
        match known {
            Some((id, _)) if renewed.rows_affected > 0 => return Ok(Recorded::New { id }),
            Some((_, execution_id)) => return Ok(Recorded::Duplicate { execution_id }),
            // It was cleaned up in between.
            None => {}
        }
    }
    Err(Error::Busy(sea_orm::DbErr::Custom("the event's row comes and goes".to_owned())))
}

/// Notes the execution that a new event started, and how long taking it in lasted.
///
/// # Errors
/// Those of the database.
pub async fn link(
    tx: &impl ConnectionTrait,
    organization_id: Uuid,
    event_row_id: Uuid,
    execution_id: Uuid,
    processing_duration_ms: Option<i64>,
) -> Result<bool> {
    let row = webhook_events::ActiveModel {
        execution_id: Set(Some(execution_id)),
        processing_duration_ms: Set(processing_duration_ms),
        ..Default::default()
    };
    let outcome = webhook_events::Entity::update_many()
        .set(row)
        .filter(webhook_events::Column::Id.eq(event_row_id))
        .filter(webhook_events::Column::OrganizationId.eq(organization_id))
        .exec(tx)
        .await?;
    Ok(outcome.rows_affected > 0)
}

/// Deletes at most `limit` events whose window has passed; returns how many.
///
/// # Errors
/// Those of the database.
pub async fn delete_expired(tx: &impl ConnectionTrait, now: DateTime<Utc>, limit: u64) -> Result<u64> {
    let expired: Vec<Uuid> = webhook_events::Entity::find()
        .select_only()
        .column(webhook_events::Column::Id)
        .filter(webhook_events::Column::ExpiresAt.lte(now.fixed_offset()))
        .order_by_asc(webhook_events::Column::ExpiresAt)
        .limit(limit)
        .into_tuple()
        .all(tx)
        .await?;
    if expired.is_empty() {
        return Ok(0);
    }
    // The time is asked again: a repeat may have renewed a row since.
    let outcome = webhook_events::Entity::delete_many()
        .filter(webhook_events::Column::Id.is_in(expired))
        .filter(webhook_events::Column::ExpiresAt.lte(now.fixed_offset()))
        .exec(tx)
        .await?;
    Ok(outcome.rows_affected)
}

/// SHA-256 of the webhook's id and the event's id, in hex.
fn event_hash(webhook_id: Uuid, event_id: &str) -> String {
    let mut hash = Sha256::new();
    hash.update(webhook_id.as_bytes());
    hash.update(event_id.as_bytes());
    hex::encode(hash.finalize())
}
