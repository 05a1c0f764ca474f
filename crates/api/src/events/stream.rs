//! Server-sent events of one execution: its status, its steps, its log lines.
//!
//! A step is told again whenever its status has changed; a log line once. Each event has a [`Mark`] as its id: a
//! client that connects again with `Last-Event-ID` misses nothing and is told nothing twice, except for steps that had
//! not ended. After the final status the stream ends, and connecting again with its id is answered 204, at which a
//! browser gives up.
//!
//! Bodies are sent from threads that must not touch the database (see [`crate::http`]), so a task looks, and hands
//! what it saw through a short channel: a slow client slows its own task down and nothing else.

use std::collections::BTreeMap;
use std::time::Duration;

use actix_web::http::header::{CACHE_CONTROL, HeaderMap};
use actix_web::{HttpRequest, HttpResponse, get, web};
use bytes::Bytes;
use engine::execution::ExecutionStatus;
use serde::Serialize;
use store::execution_logs::{self, LogFilter};
use store::execution_steps::{self, StepPlace, StepSummary};
use store::executions;
use store::page::PageRequest;
use tokio::sync::mpsc;
use tokio::time::Instant;
use uuid::Uuid;

use super::mark::Mark;
use super::watch::{Wake, Watch};
use crate::auth::{Access, Read};
use crate::endpoint::executions::{ExecutionSummaryBody, LogBody, StepSummaryBody};
use crate::problem::{Code, Problem};
use crate::state::State;

/// A silent connection is given a sign of life this often: proxies cut those that look dead, typically after a minute.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// A stream is ended after this long, so that a client whose access has ended does not stay for ever; it connects
/// again by itself and goes on where it was.
const MAX_LIFE: Duration = Duration::from_secs(1_800);

/// Events that wait for a slow client.
const BUFFER: usize = 16;

/// Log lines of one look.
const LOG_LINES: u64 = 200;

/// Follow an execution
///
/// Server-sent events: `status`, `step` and `log`, each with the execution, step or line as JSON, in the shape in which
/// it is read elsewhere. The stream ends with the final status.
/// With `Last-Event-ID` it goes on behind that event; behind the final one the answer is 204.
#[utoipa::path(
    tag = "executions",
    params(("Last-Event-ID" = Option<String>, Header, description = "The id of the last event that was received")),
    responses(
        (status = 200, description = "Events, as they happen", content_type = "text/event-stream", body = String),
        (status = 204, description = "The final status was received already"),
    ),
)]
#[get("/executions/{id}/events")]
pub(crate) async fn follow_execution(
    request: HttpRequest,
    state: web::Data<State>,
    access: Access<Read>,
    id: web::Path<Uuid>,
) -> Result<HttpResponse, Problem> {
    let mark = last_event_id(request.headers())?;
    let status = executions::status(state.db.reader(), access.organization_id, *id).await?;
    status.ok_or_else(|| Problem::not_found("execution"))?;
    if mark.is_end() {
        return Ok(HttpResponse::NoContent().finish());
    }
    let seat = state.seats.take(access.organization_id)?;
    let (sender, mut receiver) = mpsc::channel(BUFFER);
    let follower = Follower {
        watch: Watch::new(&state, seat, *id),
        state: state.into_inner(),
        organization_id: access.organization_id,
        execution_id: *id,
        mark,
        open: BTreeMap::new(),
        sender,
    };
    tokio::spawn(follower.run());
    let events = futures::stream::poll_fn(move |context| {
        receiver.poll_recv(context).map(|piece| piece.map(Ok::<_, Problem>))
    });
    Ok(HttpResponse::Ok()
        .content_type("text/event-stream")
        .insert_header((CACHE_CONTROL, "no-store, no-transform"))
        .insert_header(("x-accel-buffering", "no"))
        .streaming(events))
}

fn last_event_id(headers: &HeaderMap) -> Result<Mark, Problem> {
    let Some(value) = headers.get("last-event-id").filter(|value| !value.is_empty()) else {
        return Ok(Mark::default());
    };
    let mark = value.to_str().ok().and_then(|text| text.parse().ok());
    mark.ok_or_else(|| Problem::field("Last-Event-ID", "is not the id of an event of this stream"))
}

/// Why a stream ends early.
enum Stop {
    /// Nobody listens any more.
    Gone,
    /// The database does not answer, or something is wrong with what it holds.
    Failed(Problem),
}

impl<E: Into<Problem>> From<E> for Stop {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

struct Follower {
    state: std::sync::Arc<State>,
    watch: Watch,
    organization_id: Uuid,
    execution_id: Uuid,
    mark: Mark,
    /// Steps behind the mark that were told, with the status that was told.
    open: BTreeMap<(i64, i64), String>,
    sender: mpsc::Sender<Bytes>,
}

impl Follower {
    async fn run(mut self) {
        let end = Instant::now() + MAX_LIFE;
        let mut last_sign = Instant::now();
        while Instant::now() < end {
            match self.look().await {
                Ok(true) => last_sign = Instant::now(),
                Ok(false) => {}
                Err(Stop::Gone) => return,
                Err(Stop::Failed(problem)) if problem.code() == Code::Unavailable => {}
                Err(Stop::Failed(problem)) => {
                    tracing::warn!(%problem, execution = %self.execution_id, "the events of an execution are broken off");
                    return;
                }
            }
            if self.mark.is_end() {
                return;
            }
            if last_sign.elapsed() >= HEARTBEAT {
                last_sign = Instant::now();
                if self.sender.send(Bytes::from_static(b": still there\n\n")).await.is_err() {
                    return;
                }
            }
            let sender = self.sender.clone();
            tokio::select! {
                () = sender.closed() => return,
                wake = self.watch.wake() => if wake == Wake::Shutdown { return },
            }
        }
    }

    /// Tells what is new; whether there was anything.
    async fn look(&mut self) -> Result<bool, Stop> {
        // The status first: an execution ends together with its last records, so none is missing when it is final.
        let execution =
            executions::summary(self.state.db.reader(), self.organization_id, self.execution_id).await?;
        let execution = execution.ok_or_else(|| Problem::not_found("execution"))?;
        let status: ExecutionStatus = execution.status.parse().map_err(Problem::internal)?;
        let event = ExecutionSummaryBody::from(execution);
        let is_new = self.mark.status != Some(status);
        // What ends the stream comes last.
        if is_new && !status.is_final() {
            self.mark.status = Some(status);
            self.send("status", &event).await?;
        }
        let has_steps = self.tell_steps().await?;
        let has_lines = self.tell_logs().await?;
        if is_new && status.is_final() {
            self.mark.status = Some(status);
            self.send("status", &event).await?;
        }
        Ok(is_new || has_steps || has_lines)
    }

    async fn tell_steps(&mut self) -> Result<bool, Stop> {
        let mut is_any = false;
        let mut after = self.mark.steps;
        loop {
            let db = self.state.db.reader();
            let steps = execution_steps::list(db, self.organization_id, self.execution_id, after).await?;
            let is_last = (steps.len() as u64) < execution_steps::MAX_LISTED;
            for step in steps {
                let place = StepPlace { sequence: step.sequence, attempt: step.attempt };
                after = Some(place);
                is_any |= self.tell_step(place, step).await?;
            }
            if is_last {
                return Ok(is_any);
            }
        }
    }

    async fn tell_step(&mut self, place: StepPlace, step: StepSummary) -> Result<bool, Stop> {
        let key = (place.sequence, place.attempt);
        let is_told = self.open.get(&key).is_some_and(|told| *told == step.status);
        let is_final = !matches!(step.status.as_str(), "running" | "waiting");
        // The mark moves over a step only when it and all before it have ended.
        let is_next = self.open.keys().all(|earlier| *earlier >= key);
        if is_final && is_next {
            self.open.remove(&key);
            self.mark.steps = Some(place);
        } else {
            self.open.insert(key, step.status.clone());
        }
        if is_told {
            return Ok(false);
        }
        self.send("step", &StepSummaryBody::from(step)).await?;
        Ok(true)
    }

    async fn tell_logs(&mut self) -> Result<bool, Stop> {
        let mut is_any = false;
        loop {
            let page = PageRequest::new(Some(LOG_LINES), self.mark.log)?;
            let db = self.state.db.reader();
            let filter = LogFilter::default();
            let lines =
                execution_logs::list(db, self.organization_id, self.execution_id, &filter, page).await?;
            for line in lines.items {
                is_any = true;
                self.mark.log = Some(execution_logs::cursor(&line));
                self.send("log", &LogBody::from(line)).await?;
            }
            if lines.next.is_none() {
                return Ok(is_any);
            }
        }
    }

    async fn send(&mut self, name: &str, data: &impl Serialize) -> Result<(), Stop> {
        // JSON has its line breaks escaped, so the data is one line.
        let data = serde_json::to_string(data).map_err(Problem::internal)?;
        let event = format!("id: {}\nevent: {name}\ndata: {data}\n\n", self.mark);
        self.sender.send(event.into()).await.map_err(|_| Stop::Gone)
    }
}
