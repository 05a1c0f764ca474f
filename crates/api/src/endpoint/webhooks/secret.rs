//! Giving a webhook another secret.

use actix_web::{post, web};
use serde::{Deserialize, Serialize};
use store::audit;
use store::settings::Secret;
use store::webhooks;
use utoipa::ToSchema;
use uuid::Uuid;

use super::crud::find;
use crate::auth::{Access, Write};
use crate::http::Body;
use crate::problem::Problem;
use crate::state::State;

/// What the new secret is to be.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RotateSecretRequest {
    /// The secret that the sender signs with, where the sender made it; otherwise one is made.
    #[schema(write_only)]
    secret: Option<String>,
}

/// The secret of a webhook.
#[derive(Serialize, ToSchema)]
#[schema(as = WebhookSecret)]
pub struct WebhookSecretBody {
    /// The secret to sign with, if one was made. It is not shown again.
    #[schema(required, example = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")]
    secret: Option<String>,
}

/// Give a webhook another secret
///
/// The old one is of no use from now on. Works for webhooks of trigger nodes too. A secret that is made here is shown
/// this once.
#[utoipa::path(
    tag = "webhooks",
    request_body = RotateSecretRequest,
    responses((status = 200, description = "The new secret", body = WebhookSecretBody)),
)]
#[post("/webhooks/{id}/rotate-secret")]
pub(crate) async fn rotate_webhook_secret(
    state: web::Data<State>,
    access: Access<Write>,
    id: web::Path<Uuid>,
    body: Body<RotateSecretRequest>,
) -> Result<web::Json<WebhookSecretBody>, Problem> {
    let request = body.read_or_default().await?;
    let (secret, shown) = match request.secret {
        Some(secret) => (Secret::new(secret), None),
        None => {
            let made = webhooks::generate_secret();
            let shown = made.expose().to_owned();
            (made, Some(shown))
        }
    };
    let (now, tx) = (state.db.now(), state.db.begin().await?);
    let webhook = find(&tx, access.organization_id, *id).await?;
    webhooks::set_secret(&tx, now, &state.vault, access.organization_id, webhook.id, Some(secret)).await?;
    audit::record(&tx, now, access.deed("webhook.rotate_secret", "webhook", webhook.id)).await?;
    tx.commit().await?;
    Ok(web::Json(WebhookSecretBody { secret: shown }))
}
