//! Integrations as the API shows them.

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::{Value, json};
use store::integrations::Integration;
use utoipa::ToSchema;
use uuid::Uuid;

/// A connection to a service, without its credentials.
#[derive(Serialize, ToSchema)]
#[schema(as = Integration)]
pub struct IntegrationBody {
    id: Uuid,
    /// What it connects to, as in the list of connectors.
    #[schema(example = "http_bearer")]
    connector: String,
    /// The name to show, by which nodes can refer to it.
    name: String,
    /// Settings that are no secret.
    #[schema(value_type = Object)]
    configuration: Value,
    /// `active`; `inactive`: no node may use it; `error`: the latest test failed; `expired`: its tokens have ended.
    status: String,
    /// Why the latest test failed.
    #[schema(required)]
    error_message: Option<String>,
    /// When it was last tested.
    #[schema(required)]
    last_tested_at: Option<DateTime<Utc>>,
    /// When its access token ends.
    #[schema(required)]
    expires_at: Option<DateTime<Utc>>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl From<Integration> for IntegrationBody {
    fn from(integration: Integration) -> Self {
        Self {
            id: integration.id,
            connector: integration.service_name,
            name: integration.display_name,
            configuration: integration.configuration,
            status: integration.status,
            error_message: integration.error_message,
            last_tested_at: integration.last_tested_at,
            expires_at: integration.expires_at,
            created_at: integration.created_at,
            updated_at: integration.updated_at,
        }
    }
}

/// What the audit log says of an integration.
pub(super) fn told(integration: &Integration) -> Value {
    json!({
        "connector": integration.service_name,
        "name": integration.display_name,
        "configuration": integration.configuration,
        "status": integration.status,
    })
}
