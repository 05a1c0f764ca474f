//! `/healthz`, `/readyz` and `/metrics` of every service.
//!
//! *Healthy* means that the process answers; *ready*, that the database answers and that the service's
//! loops have moved lately. The API mounts [`configure`] among its own routes; scheduler and worker
//! [`serve`] it alone.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use actix_web::{App, HttpResponse, HttpServer, web};
use serde_json::json;

use crate::telemetry::Telemetry;
use crate::{Db, queue};

/// A loop that has not moved for this long is stuck.
const STUCK_AFTER_MS: i64 = 30_000;

/// What the probes look at.
#[derive(Clone)]
pub struct Probe {
    service: &'static str,
    db: Db,
    telemetry: Telemetry,
    /// When a loop last moved, in milliseconds since 1970; 0 where the service has no loop.
    last_beat_ms: Arc<AtomicI64>,
}

impl Probe {
    /// The probes of `service`.
    #[must_use]
    pub fn new(service: &'static str, db: Db, telemetry: Telemetry) -> Self {
        Self { service, db, telemetry, last_beat_ms: Arc::default() }
    }

    /// Says that the service's loop has moved.
    pub fn beat(&self) {
        self.last_beat_ms.store(self.db.now().timestamp_millis(), Ordering::Relaxed);
    }

    async fn problem(&self) -> Option<String> {
        if let Err(error) = self.db.reader().ping().await {
            tracing::warn!(%error, "the database does not answer");
            return Some("the database does not answer".to_owned());
        }
        let beat = self.last_beat_ms.load(Ordering::Relaxed);
        let silent_ms = self.db.now().timestamp_millis() - beat;
        (beat != 0 && silent_ms > STUCK_AFTER_MS).then(|| format!("no loop has moved for {silent_ms} ms"))
    }
}

/// Adds the three routes.
pub fn configure(config: &mut web::ServiceConfig, probe: Probe) {
    config
        .app_data(web::Data::new(probe))
        .route("/healthz", web::get().to(healthz))
        .route("/readyz", web::get().to(readyz))
        .route("/metrics", web::get().to(metrics));
}

/// A server of the probes alone. It runs until its [`actix_web::dev::ServerHandle`] stops it.
///
/// # Errors
/// The address is taken or not ours.
pub fn serve(listen: SocketAddr, probe: Probe) -> std::io::Result<actix_web::dev::Server> {
    let server = HttpServer::new(move || {
        let probe = probe.clone();
        App::new().configure(|config| configure(config, probe))
    });
    Ok(server.workers(1).disable_signals().bind(listen)?.run())
}

async fn healthz(probe: web::Data<Probe>) -> HttpResponse {
    HttpResponse::Ok()
        .json(json!({ "status": "ok", "service": probe.service, "version": env!("CARGO_PKG_VERSION") }))
}

async fn readyz(probe: web::Data<Probe>) -> HttpResponse {
    match probe.problem().await {
        None => HttpResponse::Ok().json(json!({ "status": "ready", "service": probe.service })),
        Some(problem) => HttpResponse::ServiceUnavailable()
            .json(json!({ "status": "not ready", "service": probe.service, "problem": problem })),
    }
}

async fn metrics(probe: web::Data<Probe>) -> HttpResponse {
    if let Ok(depth) = queue::depth(&probe.db).await {
        #[expect(clippy::cast_precision_loss, reason = "a gauge")]
        for (state, count) in [("ready", depth.ready), ("leased", depth.leased), ("waiting", depth.waiting)] {
            metrics::gauge!("tidemill_queue_depth", "state" => state).set(count as f64);
        }
        let age_ms =
            depth.oldest_ready_at.map_or(0, |oldest| (probe.db.now() - oldest).num_milliseconds().max(0));
        #[expect(clippy::cast_precision_loss, reason = "a gauge")]
        metrics::gauge!("tidemill_queue_oldest_ready_seconds").set(age_ms as f64 / 1000.0);
    }
    HttpResponse::Ok().content_type("text/plain; version=0.0.4; charset=utf-8").body(probe.telemetry.render())
}
