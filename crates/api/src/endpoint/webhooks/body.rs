//! Webhooks as the API shows them.

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::{Value, json};
use store::webhooks::Webhook;
use utoipa::ToSchema;
use uuid::Uuid;

/// An address that starts a workflow when it is called.
#[derive(Serialize, ToSchema)]
#[schema(as = Webhook)]
pub struct WebhookBody {
    id: Uuid,
    /// The workflow that it starts.
    workflow_id: Uuid,
    /// The trigger node that it comes from: it is changed by changing the workflow. Null for one that was made by hand.
    #[schema(required)]
    node_id: Option<String>,
    /// The part of the address after `/webhooks/`.
    path: String,
    /// The whole address.
    url: String,
    /// The HTTP method that it answers to, or `ANY`.
    method: String,
    /// How calls are signed: `none`, `standard` (Standard Webhooks) or `github`.
    signature_scheme: String,
    /// Whether a secret is stored. Without one, a webhook that asks for a signature refuses every call.
    has_secret: bool,
    /// How old a signed timestamp may be.
    tolerance_secs: i64,
    /// How long a repeated event is known as a repeat; 0 takes every call.
    dedup_window_secs: i64,
    /// The header that names the event, where it is not the one of the scheme.
    #[schema(required)]
    dedup_header: Option<String>,
    /// When the caller is answered: `immediate`, `last_node` or `respond_node`.
    response_mode: String,
    /// The largest body; null for the installation's default.
    #[schema(required)]
    max_body_bytes: Option<i64>,
    /// Whether it takes calls; its workflow must be active too.
    is_active: bool,
    /// The latest call that started something; written down every few seconds.
    #[schema(required)]
    last_triggered_at: Option<DateTime<Utc>>,
    /// How many executions it started.
    trigger_count: i64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

/// A webhook that was just made.
#[derive(Serialize, ToSchema)]
#[schema(as = NewWebhook)]
pub struct NewWebhookBody {
    #[serde(flatten)]
    pub(super) webhook: WebhookBody,
    /// The secret to sign with, if one was made. It is not shown again.
    #[schema(required, example = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")]
    pub(super) secret: Option<String>,
}

impl WebhookBody {
    /// A webhook below our address.
    pub(super) fn of(webhook: Webhook, base_url: &str) -> Self {
        Self {
            id: webhook.id,
            workflow_id: webhook.workflow_id,
            node_id: webhook.node_id,
            url: format!("{base_url}/webhooks/{}", webhook.path),
            path: webhook.path,
            method: webhook.method,
            signature_scheme: webhook.signature_scheme,
            has_secret: webhook.secret_encrypted.is_some(),
            tolerance_secs: webhook.tolerance_secs,
            dedup_window_secs: webhook.dedup_window_secs,
            dedup_header: webhook.dedup_header,
            response_mode: webhook.response_mode,
            max_body_bytes: webhook.max_body_bytes,
            is_active: webhook.is_active,
            last_triggered_at: webhook.last_triggered_at.map(|at| at.to_utc()),
            trigger_count: webhook.trigger_count,
            created_at: webhook.created_at.to_utc(),
            updated_at: webhook.updated_at.to_utc(),
        }
    }
}

/// What the audit log says of a webhook.
pub(super) fn told(webhook: &Webhook) -> Value {
    json!({
        "workflow_id": webhook.workflow_id,
        "path": webhook.path,
        "method": webhook.method,
        "scheme": webhook.signature_scheme,
        "tolerance_secs": webhook.tolerance_secs,
        "dedup_window_secs": webhook.dedup_window_secs,
        "dedup_header": webhook.dedup_header,
        "response_mode": webhook.response_mode,
        "max_body_bytes": webhook.max_body_bytes,
        "is_active": webhook.is_active,
    })
}
