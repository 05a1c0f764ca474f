//! A secret is never recorded.

use serde_json::json;

use crate::bench::{Bench, SECRET};
use crate::support::chain;

#[tokio::test]
async fn a_secret_in_items_logs_or_errors_is_masked() {
    for fatal in [false, true] {
        let nodes = [("a", json!({ "fields": { "leak": "github", "fatal": fatal } })), ("b", json!({}))];
        let bench = Bench::new(chain(&nodes));
        bench.drive().await;
        let everything =
            format!("{:?} {:?} {:?}", bench.journal.steps(), bench.journal.logs(), bench.journal.ended());
        assert!(!everything.contains(SECRET), "{everything}");
        assert!(everything.contains("***"));
        assert!(bench.journal.logs().iter().any(|line| line.message == "the token is ***"));
    }
}
