//! Following executions.

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt as _;
use futures::stream::BoxStream;
use serde_json::{Value, json};
use store::{Db, SystemClock, queue};

use crate::on_both;
use crate::support::{Client, Method, Place, TestApp, echo};

/// Longest wait for an event.
const PATIENCE: Duration = Duration::from_secs(20);

/// An event.
#[derive(Clone, Debug)]
pub struct Followed {
    pub id: String,
    pub name: String,
    pub data: Value,
}

impl Followed {
    /// Whether it says that the execution has this status.
    pub fn is_status(&self, status: &str) -> bool {
        self.name == "status" && self.data["status"] == status
    }
}

/// A stream of events.
pub struct Stream {
    pieces: BoxStream<'static, reqwest::Result<bytes::Bytes>>,
    text: String,
}

/// Follows an execution.
pub async fn follow(client: &Client, execution: &str, last_event_id: Option<&str>) -> Stream {
    let mut request = client.request(Method::GET, &format!("/api/v1/executions/{execution}/events"));
    if let Some(id) = last_event_id {
        request = request.header("last-event-id", id);
    }
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers().get("content-type").unwrap(), "text/event-stream");
    Stream { pieces: response.bytes_stream().boxed(), text: String::new() }
}

impl Stream {
    /// The next event; `None` at the end.
    pub async fn next(&mut self) -> Option<Followed> {
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
                tokio::time::timeout(PATIENCE, self.pieces.next()).await.expect("no event came in time")?;
            self.text.push_str(std::str::from_utf8(&piece.unwrap()).unwrap());
        }
    }

    /// Reads up to the first event that fits.
    pub async fn until(&mut self, fits: impl Fn(&Followed) -> bool) -> Followed {
        loop {
            let event = self.next().await.expect("the stream has ended");
            if fits(&event) {
                return event;
            }
        }
    }

    /// Reads all that is left.
    pub async fn read_all(mut self) -> Vec<Followed> {
        let mut events = Vec::new();
        while let Some(event) = self.next().await {
            events.push(event);
        }
        events
    }
}

/// `None` for a comment.
fn parse(text: &str) -> Option<Followed> {
    let field = |name: &str| text.lines().find_map(|line| line.strip_prefix(name).map(str::to_owned));
    let data = serde_json::from_str(&field("data: ")?).unwrap();
    Some(Followed { id: field("id: ").unwrap(), name: field("event: ").unwrap(), data })
}

async fn start(client: &Client) -> String {
    let workflow = client.workflow("w", echo()).await;
    client.post(&format!("/api/v1/workflows/{workflow}/execute"), json!({})).await.id().to_string()
}

on_both! {
    async fn an_execution_is_followed_to_its_end(app: &TestApp) {
        let ada = app.person("ada").await;
        let id = start(&ada).await;
        let mut stream = follow(&ada, &id, None).await;
        assert!(stream.next().await.unwrap().is_status("pending"));
        let working = app.work();
        let events = stream.read_all().await;
        let last = events.last().unwrap();
        assert!(last.is_status("completed"), "{events:?}");
        assert_eq!(last.data["steps"]["completed"], 2);
        let ended: Vec<_> = events
            .iter()
            .filter(|event| event.name == "step" && event.data["status"] == "completed")
            .map(|event| event.data["node_name"].clone())
            .collect();
        assert_eq!(ended, ["Start", "End"]);
        assert!(events.iter().any(|event| event.name == "log" && event.data["message"].is_string()));
        working.stop().await;
    }

    async fn a_follower_who_comes_back_is_told_the_rest_and_nothing_twice(app: &TestApp) {
        let ada = app.person("ada").await;
        let id = start(&ada).await;
        let working = app.work();
        let all = follow(&ada, &id, None).await.read_all().await;
        working.stop().await;
        // All of it has happened: what is told from the start is all there is.
        let all_again = follow(&ada, &id, None).await.read_all().await;
        assert!(all_again.len() >= 4 && all_again.len() <= all.len(), "{all_again:?}");
        for (index, event) in all_again.iter().enumerate().take(all_again.len() - 1) {
            let rest: Vec<_> = follow(&ada, &id, Some(&event.id)).await.read_all().await;
            let told: Vec<_> = rest.iter().map(|event| (&event.name, &event.data["id"])).collect();
            let left: Vec<_> = all_again[index + 1..].iter().map(|event| (&event.name, &event.data["id"])).collect();
            assert_eq!(told, left, "after {}", event.id);
        }
        let request = ada.request(Method::GET, &format!("/api/v1/executions/{id}/events"));
        let answer = Client::answer(request.header("last-event-id", &all_again.last().unwrap().id)).await;
        assert_eq!((answer.status, answer.text.as_str()), (204, ""));
    }

    async fn what_another_process_does_is_seen(app: &TestApp) {
        let ada = app.person("ada").await;
        let id = start(&ada).await;
        let mut stream = follow(&ada, &id, None).await;
        assert!(stream.next().await.unwrap().is_status("pending"));
        let other = Db::connect(&app.settings.database, Arc::new(SystemClock)).await.unwrap();
        let tx = other.begin().await.unwrap();
        queue::request_cancel(&tx, other.now(), ada.organization, id.parse().unwrap()).await.unwrap();
        // Nobody is notified: the stream polls.
        tx.commit().await.unwrap();
        assert!(stream.read_all().await.last().unwrap().is_status("cancelled"));
        other.close().await.unwrap();
    }

    async fn an_execution_of_another_organization_cannot_be_followed(app: &TestApp) {
        let (ada, eve) = (app.person("ada").await, app.person("eve").await);
        let path = format!("/api/v1/executions/{}/events", start(&ada).await);
        eve.get(&path).await.problem(404, "not_found");
        app.nobody().get(&path).await.problem(401, "unauthenticated");
        let problem = ada.clone().with_header("last-event-id", "nonsense").get(&path).await.problem(400, "invalid_request");
        assert_eq!(problem["errors"][0]["field"], "Last-Event-ID");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_stream_ends_when_the_service_stops() {
    let app = TestApp::spawn(Place::sqlite()).await;
    let ada = app.person("ada").await;
    let id = start(&ada).await;
    let mut stream = follow(&ada, &id, None).await;
    assert!(stream.next().await.unwrap().is_status("pending"));
    app.stop().await;
    assert!(stream.next().await.is_none());
}
