//! The world outside: an HTTP server in the test that workflows call, and that remembers what they did.

use std::collections::{HashMap, HashSet};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::installation::free_address;
use crate::wait::{PATIENCE, wait_for};

/// Orders in the shop, and how many a page holds: the last page is not full.
const ORDERS: u64 = 10;
const PAGE: u64 = 4;

/// Something that was posted.
#[derive(Clone, Debug)]
pub struct Taken {
    /// Where, below `/take/`.
    pub channel: String,
    /// What.
    pub body: Value,
}

#[derive(Default)]
struct Memory {
    taken: Mutex<Vec<Taken>>,
    /// Calls by path.
    calls: Mutex<HashMap<String, usize>>,
    /// Names under `/hold/` that are answered.
    released: watch::Sender<HashSet<String>>,
    /// The token that `/shop` wants.
    token: Mutex<String>,
}

impl Memory {
    fn count(&self, request: &HttpRequest) -> usize {
        let mut calls = self.calls.lock().unwrap();
        let count = calls.entry(request.path().to_owned()).or_default();
        *count += 1;
        *count
    }

    fn is_known(&self, request: &HttpRequest) -> bool {
        let expected = format!("Bearer {}", self.token.lock().unwrap());
        request.headers().get("authorization").is_some_and(|value| value.as_bytes() == expected.as_bytes())
    }
}

/// The server. It stops when it is dropped.
pub struct Outside {
    address: SocketAddr,
    memory: Arc<Memory>,
    handle: ServerHandle,
}

impl Outside {
    /// Starts it. `token` is what the shop wants to see.
    #[must_use]
    pub fn start(token: &str) -> Self {
        let address = free_address();
        let memory = Arc::new(Memory::default());
        token.clone_into(&mut memory.token.lock().unwrap());
        let shared = web::Data::from(Arc::clone(&memory));
        let server = HttpServer::new(move || {
            App::new()
                .app_data(shared.clone())
                .route("/shop/orders", web::get().to(orders))
                .route("/shop/echo", web::get().to(echo))
                .route("/flaky/{failures}/{name}", web::post().to(flaky))
                .route("/hold/{name}", web::get().to(hold))
                .route("/take/{channel}", web::post().to(take))
        });
        let server = server.workers(1).disable_signals().shutdown_timeout(0).bind(address).unwrap().run();
        let handle = server.handle();
        tokio::spawn(server);
        Self { address, memory, handle }
    }

    /// `address:port`, for the list of what may be reached.
    #[must_use]
    pub fn authority(&self) -> String {
        self.address.to_string()
    }

    /// The address of a path.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// What was posted to a channel.
    #[must_use]
    pub fn taken(&self, channel: &str) -> Vec<Value> {
        let taken = self.memory.taken.lock().unwrap();
        taken.iter().filter(|one| one.channel == channel).map(|one| one.body.clone()).collect()
    }

    /// How often a path was called.
    #[must_use]
    pub fn calls(&self, path: &str) -> usize {
        self.memory.calls.lock().unwrap().get(path).copied().unwrap_or_default()
    }

    /// Waits until a path was called so often.
    pub async fn called(&self, path: &str, times: usize) {
        let what = format!("call {times} of {path}");
        wait_for(&what, PATIENCE, async || (self.calls(path) >= times).then_some(())).await;
    }

    /// Answers all calls of `/hold/NAME`, those that wait and those that come.
    pub fn release(&self, name: &str) {
        self.memory.released.send_modify(|released| {
            released.insert(name.to_owned());
        });
    }

    /// What the shop's orders come to: how many lines are paid, and their sum.
    #[must_use]
    pub fn expected_totals() -> (u64, u64) {
        let paid: Vec<u64> = (1..=ORDERS)
            .flat_map(|id| lines(id).into_iter())
            .filter(|line| line.1 > 0)
            .map(|line| line.0 * line.1)
            .collect();
        (paid.len() as u64, paid.iter().sum())
    }
}

impl Drop for Outside {
    fn drop(&mut self) {
        // It stops by itself once it is told; nobody waits for that.
        drop(self.handle.stop(false));
    }
}

/// Price and quantity of the lines of an order.
fn lines(order: u64) -> Vec<(u64, u64)> {
    vec![(order * 10, order % 3), (7, 2)]
}

async fn orders(
    request: HttpRequest,
    memory: web::Data<Memory>,
    query: web::Query<HashMap<String, String>>,
) -> HttpResponse {
    memory.count(&request);
    if !memory.is_known(&request) {
        return HttpResponse::Unauthorized().json(json!({ "error": "who are you?" }));
    }
    let page: u64 = query.get("page").and_then(|page| page.parse().ok()).unwrap_or(1);
    let orders: Vec<Value> = (1..=ORDERS)
        .skip(usize::try_from((page.max(1) - 1) * PAGE).unwrap())
        .take(usize::try_from(PAGE).unwrap())
        .map(|id| {
            let lines = lines(id);
            let lines: Vec<Value> = lines
                .iter()
                .map(|(price, quantity)| json!({ "price": price, "quantity": quantity }))
                .collect();
            json!({ "id": id, "country": if id % 2 == 0 { "de" } else { "fr" }, "lines": lines })
        })
        .collect();
    HttpResponse::Ok().json(json!({ "page": page, "orders": orders }))
}

/// A server that tells the caller everything that it was told.
async fn echo(request: HttpRequest, memory: web::Data<Memory>) -> HttpResponse {
    memory.count(&request);
    let headers: HashMap<String, String> = request
        .headers()
        .iter()
        .map(|(name, value)| (name.to_string(), value.to_str().unwrap_or_default().to_owned()))
        .collect();
    HttpResponse::Ok().json(json!({ "known": memory.is_known(&request), "headers": headers }))
}

async fn flaky(
    request: HttpRequest,
    memory: web::Data<Memory>,
    path: web::Path<(usize, String)>,
    body: web::Json<Value>,
) -> HttpResponse {
    let count = memory.count(&request);
    if count <= path.0 {
        return HttpResponse::ServiceUnavailable().json(json!({ "error": "later" }));
    }
    HttpResponse::Ok().json(json!({ "attempt": count, "body": *body }))
}

async fn hold(request: HttpRequest, memory: web::Data<Memory>, name: web::Path<String>) -> HttpResponse {
    memory.count(&request);
    let mut released = memory.released.subscribe();
    let answered = released.wait_for(|released| released.contains(name.as_str())).await;
    HttpResponse::Ok().json(json!({ "held": *name, "answered": answered.is_ok() }))
}

async fn take(
    request: HttpRequest,
    memory: web::Data<Memory>,
    channel: web::Path<String>,
    query: web::Query<HashMap<String, u64>>,
    body: web::Json<Value>,
) -> HttpResponse {
    memory.count(&request);
    memory.taken.lock().unwrap().push(Taken { channel: channel.clone(), body: body.clone() });
    // A server takes some time, so that a kill finds calls on their way.
    if let Some(ms) = query.get("work_ms") {
        tokio::time::sleep(Duration::from_millis(*ms)).await;
    }
    HttpResponse::Ok().json(json!({ "taken": channel.as_str() }))
}
