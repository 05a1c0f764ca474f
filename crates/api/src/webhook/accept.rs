//! Taking a call in: the event and the execution that it starts, in one transaction, before anybody gets an answer.

use chrono::{DateTime, Utc};
use engine::Item;
use serde_json::{Value, json};
use store::queue::{self, NewExecution, TriggerType};
use store::webhook_events::{self, NewWebhookEvent, Recorded};
use store::webhooks::Route;
use store::{Topic, ids};
use uuid::Uuid;

use super::attachment::Kept;
use crate::problem::Problem;
use crate::state::State;

/// A call that may start an execution.
pub(super) struct Delivery<'a> {
    /// Where it came in.
    pub route: &'a Route,
    /// The sender's names for the event: a call with one that is known is a repeat. Without any every call is new.
    pub event_ids: Vec<&'a str>,
    /// The HTTP method.
    pub method: &'a str,
    /// The address that it came from.
    pub remote_address: Option<String>,
    /// Size of the body.
    pub body_bytes: usize,
    /// What the trigger gives out.
    pub item: Item,
    /// Its attachments.
    pub kept: Kept,
}

/// What became of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Accepted {
    /// It started this execution.
    New(Uuid),
    /// The event has been taken in before; `None` when its execution was deleted.
    Repeat(Option<Uuid>),
}

/// Takes a call in.
///
/// # Errors
/// Those of the database; nothing is stored then, and the sender is to try again.
pub(super) async fn accept(
    state: &State,
    now: DateTime<Utc>,
    mut delivery: Delivery<'_>,
) -> Result<Accepted, Problem> {
    let kept = std::mem::take(&mut delivery.kept);
    let outcome = store(state, now, delivery, &kept).await;
    match &outcome {
        Ok(Accepted::New(_)) => state.db.notifier().notify(Topic::Queue),
        Ok(Accepted::Repeat(_)) => kept.discard(&state.files).await,
        // The connection may have broken after the commit: content that has its rows must stay.
        Err(_) => {}
    }
    Ok(outcome?)
}

async fn store(
    state: &State,
    now: DateTime<Utc>,
    delivery: Delivery<'_>,
    kept: &Kept,
) -> Result<Accepted, store::Error> {
    let webhook = &delivery.route.webhook;
    let trigger_data = json!({
        "webhook_id": webhook.id,
        "path": webhook.path,
        "method": delivery.method,
        "event_id": delivery.event_ids.first(),
        "remote_address": delivery.remote_address,
        "body_bytes": delivery.body_bytes,
    });
    let items = serde_json::to_value([&delivery.item])
        .map_err(|error| store::Error::invalid("body", format!("cannot be stored: {error}")))?;
    let execution = execution(delivery.route, now, trigger_data.clone(), items);
    let execution_id = execution.id;

    let tx = state.db.begin().await?;
    let mut event_row_ids = Vec::new();
    for event_id in delivery.event_ids {
        let event = NewWebhookEvent {
            organization_id: webhook.organization_id,
            webhook_id: webhook.id,
            event_id,
            event_type: "webhook",
            // The request itself is the input of the execution; here is what to recognise it by.
            event_data: trigger_data.clone(),
            window_secs: webhook.dedup_window_secs,
        };
        match webhook_events::record(&tx, now, event).await? {
            Recorded::New { id } => event_row_ids.push(id),
            Recorded::Duplicate { execution_id } => {
                tx.rollback().await?;
                return Ok(Accepted::Repeat(execution_id));
            }
        }
    }
    queue::enqueue(&tx, now, &[execution]).await?;
    kept.record(&tx, now, webhook.organization_id, execution_id).await?;
    for id in event_row_ids {
        webhook_events::link(&tx, webhook.organization_id, id, execution_id, None).await?;
    }
    tx.commit().await?;
    Ok(Accepted::New(execution_id))
}

fn execution(route: &Route, now: DateTime<Utc>, trigger_data: Value, items: Value) -> NewExecution {
    let webhook = &route.webhook;
    NewExecution {
        id: ids::new_id(),
        organization_id: webhook.organization_id,
        workflow_id: webhook.workflow_id,
        workflow_version: route.workflow_version,
        user_id: webhook.user_id,
        trigger_type: TriggerType::Webhook,
        trigger_node_id: webhook.node_id.clone(),
        trigger_data: Some(trigger_data),
        input_data: Some(items),
        priority: route.priority,
        run_at: now,
        concurrency_key: None,
        parent: None,
        origin_execution_id: None,
        schedule: None,
        webhook_id: Some(webhook.id),
        metadata: json!({}),
    }
}
