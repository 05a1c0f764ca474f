//! Renewing leases, and learning what is to be cancelled.

use std::sync::Arc;

use store::queue::Lease;
use tokio::time::{Instant, MissedTickBehavior};

use super::{Counts, Inner};

/// Renews leases for ever.
pub(super) async fn run(inner: Arc<Inner>) {
    let mut beats = tokio::time::interval(inner.options.heartbeat());
    beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        beats.tick().await;
        if let Err(error) = tick(&inner).await {
            tracing::warn!(%error, "leases could not be renewed");
        }
    }
}

/// Renews the lease of everything that runs here.
pub(super) async fn tick(inner: &Inner) -> Result<Counts, store::Error> {
    let leases: Vec<Lease> = inner.running().values().map(|running| running.lease.clone()).collect();
    if leases.is_empty() {
        return Ok(Counts::default());
    }
    let asked = Instant::now();
    let db = &inner.services.db;
    let answer = store::queue::heartbeat(db, db.now(), &leases, inner.options.lease_ms()).await?;
    let running = inner.running();
    let mut counts = Counts::default();
    for lease in &leases {
        // It may have ended, and even have been claimed again, while the answer was on its way.
        let Some(running) =
            running.get(&lease.execution_id).filter(|running| running.lease.token == lease.token)
        else {
            continue;
        };
        if answer.lost.contains(&lease.execution_id) {
            running.control.lost.cancel();
            counts.lost += 1;
            continue;
        }
        running.clock.renew(asked, inner.options.lease);
        counts.renewed += 1;
        if answer.cancelled.contains(&lease.execution_id) {
            running.control.cancel.cancel();
            counts.cancelled += 1;
        }
    }
    metrics::counter!("tidemill_leases_lost_total").increment(u64::try_from(counts.lost).unwrap_or(0));
    Ok(counts)
}
