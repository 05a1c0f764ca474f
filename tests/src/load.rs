//! Callers that go on calling while services are killed.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use reqwest::{Method, RequestBuilder};
use serde_json::json;
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval, sleep};

use crate::client::Client;
use crate::wait::{PATIENCE, wait_for};

/// A caller calls this often.
const PACE: Duration = Duration::from_millis(100);

/// Pause of a caller who got no answer.
const PAUSE: Duration = Duration::from_millis(100);

#[derive(Debug, Default)]
struct Shared {
    answered: Mutex<BTreeSet<String>>,
    /// Calls that got no answer: nobody knows whether they were taken in.
    unanswered: AtomicUsize,
    is_over: AtomicBool,
}

/// Callers of a workflow, by the API and by its webhook.
#[derive(Debug)]
pub struct Load {
    shared: Arc<Shared>,
    callers: Vec<JoinHandle<()>>,
}

impl Load {
    /// Lets `count` callers execute a workflow by the API, and as many call its webhook, which has no signature.
    #[must_use]
    pub fn start(client: &Client, workflow: &str, webhook: &str, count: usize) -> Self {
        let shared = Arc::new(Shared::default());
        let mut callers = Vec::new();
        for caller in 0..count {
            let path = format!("/api/v1/workflows/{workflow}/execute");
            // Two executions of a call that got no answer would both be right: it has no name.
            callers.push(tokio::spawn(go_on(client.clone(), Arc::clone(&shared), "id", move |client, _| {
                client.request(Method::POST, &path).json(&json!({}))
            })));
            let path = format!("/webhooks/{webhook}");
            callers.push(tokio::spawn(go_on(
                client.clone(),
                Arc::clone(&shared),
                "execution_id",
                move |client, number| {
                    let key = format!("{caller}-{number}");
                    client.request(Method::POST, &path).header("idempotency-key", key).json(&json!({}))
                },
            )));
        }
        Self { shared, callers }
    }

    /// Waits until so many calls were answered that they were taken in.
    pub async fn answered(&self, count: usize) {
        let what = format!("answer {count}");
        wait_for(&what, PATIENCE, async || {
            (self.shared.answered.lock().unwrap().len() >= count).then_some(())
        })
        .await;
    }

    /// Ends it. Gives the executions that callers were told of, and how many calls by the API got no answer at most.
    pub async fn stop(self) -> (BTreeSet<String>, usize) {
        self.shared.is_over.store(true, Ordering::Relaxed);
        for caller in self.callers {
            caller.await.unwrap();
        }
        let answered = std::mem::take(&mut *self.shared.answered.lock().unwrap());
        (answered, self.shared.unanswered.load(Ordering::Relaxed))
    }
}

async fn go_on(
    client: Client,
    shared: Arc<Shared>,
    field: &'static str,
    call: impl Fn(&Client, usize) -> RequestBuilder,
) {
    let mut pace = interval(PACE);
    pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
    for number in 0.. {
        pace.tick().await;
        if shared.is_over.load(Ordering::Relaxed) {
            return;
        }
        // A caller who got no answer calls again, as senders of webhooks do.
        loop {
            match client.try_send(call(&client, number)).await {
                Ok(answer) if (200..300).contains(&answer.status) => {
                    let id = answer.body[field]
                        .as_str()
                        .unwrap_or_else(|| panic!("no {field} in {}", answer.text));
                    shared.answered.lock().unwrap().insert(id.to_owned());
                    break;
                }
                Ok(answer) => assert!(answer.status >= 500, "{} {}", answer.status, answer.text),
                Err(_) if field == "id" => {
                    shared.unanswered.fetch_add(1, Ordering::Relaxed);
                }
                Err(_) => {}
            }
            sleep(PAUSE).await;
        }
    }
}
