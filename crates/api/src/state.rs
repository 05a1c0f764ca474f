//! What every handler can reach.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use engine::node::Catalogue;
use nodes::egress;
use store::files::FileStore;
use store::settings::Settings;
use store::vault::Vault;
use store::{Db, api_keys};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::auth::Passwords;
use crate::checked::CheckedVersions;
use crate::events::Seats;
use crate::problem::Problem;
use crate::webhook::WebhookCalls;

/// The state of the service, shared by its threads.
pub struct State {
    /// The database.
    pub db: Db,
    /// Encrypts and decrypts credentials.
    pub vault: Arc<Vault>,
    /// The node types.
    pub catalogue: Arc<Catalogue>,
    /// All settings.
    pub settings: Arc<Settings>,
    /// The only way to the network, for trying integrations.
    pub egress: egress::Client,
    /// The content of stored files.
    pub files: FileStore,
    /// The URL under which users reach us, without a slash at its end.
    pub base_url: String,
    /// Hashes and checks passwords.
    pub passwords: Passwords,
    /// Versions of workflows that were checked and can run.
    pub checked: CheckedVersions,
    /// Uses of API keys that are still to be written down.
    pub key_uses: KeyUses,
    /// Calls of webhooks that are still to be counted.
    pub webhook_calls: WebhookCalls,
    /// Places for those who wait for executions.
    pub seats: Seats,
    /// Cancelled when the service stops: open event streams end.
    pub shutdown: CancellationToken,
    /// The runtime that the service was started in; handlers are polled inside it.
    pub runtime: tokio::runtime::Handle,
}

/// Counts uses of API keys in memory, so that a request costs no write.
#[derive(Default)]
pub struct KeyUses {
    counts: Mutex<HashMap<Uuid, i64>>,
}

impl KeyUses {
    /// Counts one use.
    pub fn count(&self, key_id: Uuid) {
        *self.counts.lock().unwrap_or_else(PoisonError::into_inner).entry(key_id).or_default() += 1;
    }

    /// Writes the counts down and starts again from nothing; on an error they are kept for the next time.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn flush(&self, db: &Db) -> Result<(), Problem> {
        let counts = std::mem::take(&mut *self.counts.lock().unwrap_or_else(PoisonError::into_inner));
        if counts.is_empty() {
            return Ok(());
        }
        let uses: Vec<_> = counts.iter().map(|(&key_id, &count)| api_keys::Uses { key_id, count }).collect();
        let written = api_keys::count_uses(db.writer(), db.now(), &uses).await;
        if written.is_err() {
            let mut waiting = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
            for (key_id, count) in counts {
                *waiting.entry(key_id).or_default() += count;
            }
        }
        Ok(written?)
    }
}
