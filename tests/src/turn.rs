//! Heavy tests go one after the other: each starts several processes, and measures times.

use tokio::sync::{Mutex, MutexGuard};

/// A test's turn; it lasts until it is dropped.
pub type Turn = MutexGuard<'static, ()>;

/// Waits for its turn among the tests of this process. Under cargo-nextest, where each test is a process, the test
/// group in `.config/nextest.toml` does the same.
pub async fn take_turn() -> Turn {
    static TURN: Mutex<()> = Mutex::const_new(());
    TURN.lock().await
}
