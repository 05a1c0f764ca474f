//! Waiting for something that another process does.

use std::time::Duration;

use tokio::time::{Instant, sleep};

/// How long a test waits for what should happen soon. Far beyond what it takes, for machines that are busy.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Pause between two looks.
const PAUSE: Duration = Duration::from_millis(25);

/// Looks again and again until there is something to see; fails after `limit`, naming what was waited for.
pub async fn wait_for<T>(what: &str, limit: Duration, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + limit;
    loop {
        if let Some(seen) = look().await {
            return seen;
        }
        assert!(Instant::now() < deadline, "waited {limit:?} for {what}");
        sleep(PAUSE).await;
    }
}
