//! How often webhooks started something, counted in memory so that calls do not wait for each other's writes.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use store::Db;
use store::webhooks::{Triggered, count_triggers};
use uuid::Uuid;

use crate::problem::Problem;

/// Calls that are still to be written down.
#[derive(Default)]
pub struct WebhookCalls {
    counts: Mutex<HashMap<Uuid, i64>>,
}

impl WebhookCalls {
    /// Counts one call.
    pub fn count(&self, webhook_id: Uuid) {
        *self.counts.lock().unwrap_or_else(PoisonError::into_inner).entry(webhook_id).or_default() += 1;
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
        let triggered: Vec<_> =
            counts.iter().map(|(&webhook_id, &count)| Triggered { webhook_id, count }).collect();
        let written = write(db, &triggered).await;
        if written.is_err() {
            let mut waiting = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
            for (webhook_id, count) in counts {
                *waiting.entry(webhook_id).or_default() += count;
            }
        }
        Ok(written?)
    }
}

async fn write(db: &Db, triggered: &[Triggered]) -> Result<(), store::Error> {
    let tx = db.begin().await?;
    count_triggers(&tx, db.now(), triggered).await?;
    Ok(tx.commit().await?)
}
