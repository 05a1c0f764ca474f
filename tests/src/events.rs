//! Following an execution live, over server-sent events.

use reqwest::{Method, Response};
use serde_json::Value;
use tokio::time::timeout;

use crate::client::Client;
use crate::wait::PATIENCE;

/// An event.
#[derive(Clone, Debug)]
pub struct Event {
    /// Its id.
    pub id: String,
    /// `status`, `step` or `log`.
    pub name: String,
    /// What it is about.
    pub data: Value,
}

impl Event {
    /// Whether it says that the execution has this status.
    #[must_use]
    pub fn is_status(&self, status: &str) -> bool {
        self.name == "status" && self.data["status"] == status
    }
}

/// A stream of events.
#[derive(Debug)]
pub struct Events {
    client: Client,
    response: Response,
    text: String,
}

impl Events {
    /// Follows an execution.
    pub async fn follow(client: &Client, execution: &str) -> Self {
        let path = format!("/api/v1/executions/{execution}/events");
        let response = client.request(Method::GET, &path).send().await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers().get("content-type").unwrap(), "text/event-stream");
        Self { client: client.clone(), response, text: String::new() }
    }

    /// The next event; `None` at the end.
    pub async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some((event, rest)) = self.text.split_once("\n\n") {
                let event = parse(event);
                self.text = rest.to_owned();
                match event {
                    Some(event) => return Some(event),
                    None => continue,
                }
            }
            let piece =
                timeout(PATIENCE, self.response.chunk()).await.expect("no event came in time").unwrap()?;
            let piece = std::str::from_utf8(&piece).unwrap();
            self.client.remember(piece);
            self.text.push_str(piece);
        }
    }

    /// Reads up to the first event that fits; gives all that were read.
    pub async fn until(&mut self, fits: impl Fn(&Event) -> bool) -> Vec<Event> {
        let mut events = Vec::new();
        while events.last().is_none_or(|event| !fits(event)) {
            let next = self.next().await;
            events.push(next.unwrap_or_else(|| panic!("the stream has ended after {events:?}")));
        }
        events
    }

    /// Reads all that is left.
    pub async fn to_the_end(mut self) -> Vec<Event> {
        let mut events = Vec::new();
        while let Some(event) = self.next().await {
            events.push(event);
        }
        events
    }
}

/// `None` for a comment.
fn parse(text: &str) -> Option<Event> {
    let field = |name: &str| text.lines().find_map(|line| line.strip_prefix(name).map(str::to_owned));
    let data = serde_json::from_str(&field("data: ")?).unwrap();
    Some(Event { id: field("id: ")?, name: field("event: ")?, data })
}
