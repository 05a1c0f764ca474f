//! Trying whether the credentials of an integration work.

use actix_web::{post, web};
use chrono::{DateTime, Utc};
use engine::node::Credential;
use nodes::connectors::{self, TestOutcome};
use serde::Serialize;
use serde_json::json;
use store::audit::{self, Deed};
use store::integrations::{self, Status};
use utoipa::ToSchema;
use uuid::Uuid;

use super::crud::find;
use crate::auth::{Access, Admin};
use crate::problem::{Code, Problem};
use crate::state::State;

/// What a test came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The service accepted the credentials.
    Passed,
    /// It did not, or could not be reached.
    Failed,
    /// There is nothing to ask; `detail` says what to add.
    NotTestable,
}

/// What a test of an integration came to.
#[derive(Serialize, ToSchema)]
#[schema(as = IntegrationTest)]
pub struct IntegrationTestBody {
    /// What it came to.
    outcome: Outcome,
    /// What was seen, or what is wrong.
    detail: String,
    /// When.
    tested_at: DateTime<Utc>,
}

/// Test an integration
///
/// Connects to the service with the credentials. A failed test is an answer, not an error; it is noted with the
/// integration.
#[utoipa::path(
    tag = "integrations",
    responses(
        (status = 200, description = "What the test came to", body = IntegrationTestBody),
        (status = 409, description = "The integration is switched off"),
    ),
)]
#[post("/integrations/{id}/test")]
pub(crate) async fn test_integration(
    state: web::Data<State>,
    access: Access<Admin>,
    id: web::Path<Uuid>,
) -> Result<web::Json<IntegrationTestBody>, Problem> {
    let found = find(state.db.reader(), access.organization_id, *id).await?;
    if found.status == Status::Inactive.as_str() {
        return Err(Problem::new(Code::StateConflict, "the integration is switched off"));
    }
    let (outcome, detail) = attempt(&state, access.organization_id, found.id).await?;
    let (now, tx) = (state.db.now(), state.db.begin().await?);
    let noted = match outcome {
        Outcome::Passed => Some(Ok(())),
        Outcome::Failed => Some(Err(detail.as_str())),
        Outcome::NotTestable => None,
    };
    if let Some(noted) = noted {
        integrations::mark_tested(&tx, now, access.organization_id, found.id, noted).await?;
    }
    let deed = access.deed("integration.test", "integration", found.id);
    let deed = Deed { new_values: Some(json!({ "outcome": outcome })), ..deed };
    audit::record(&tx, now, deed).await?;
    tx.commit().await?;
    Ok(web::Json(IntegrationTestBody { outcome, detail, tested_at: now }))
}

async fn attempt(state: &State, organization_id: Uuid, id: Uuid) -> Result<(Outcome, String), Problem> {
    let unsealed =
        integrations::unseal(state.db.reader(), &state.vault, organization_id, &id.to_string(), &[]).await;
    let credential: Credential = match unsealed {
        Ok(Some(unsealed)) => unsealed.into(),
        Ok(None) => return Err(Problem::not_found("integration")),
        Err(store::Error::Vault(error)) => {
            tracing::warn!(integration = %id, %error, "credentials cannot be decrypted");
            return Ok((Outcome::Failed, "the credentials cannot be decrypted; enter them again".to_owned()));
        }
        Err(error) => return Err(error.into()),
    };
    Ok(match connectors::test(&state.egress, &credential).await {
        Ok(TestOutcome::Passed(detail)) => (Outcome::Passed, detail),
        Ok(TestOutcome::NotTestable(detail)) => (Outcome::NotTestable, detail),
        Err(error) => (Outcome::Failed, error.message),
    })
}
