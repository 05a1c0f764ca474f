//! Handlers run on threads of the web server, each with a runtime of its own; the connections of the database must
//! not belong to one of those. A pooled connection outlives the request that opened it, and a socket is dead once
//! the runtime that it is registered with has ended: in one process with a worker, the end of the web server would
//! cut the worker off from PostgreSQL.
//!
//! So every handler is polled inside the runtime that [`crate::serve`] was called in: sockets and timers that it
//! makes, and tasks that it spawns, belong to that one. The body of an answer is polled outside of it: a stream that
//! reads the database does so in a task that its handler spawns.

use std::future::poll_fn;
use std::pin::pin;

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use actix_web::{Error, web};

use crate::problem::Problem;
use crate::state::State;

/// Middleware: polls the request inside the runtime of the service.
///
/// # Errors
/// Those of the request.
pub async fn enter_runtime(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let runtime = request.app_data::<web::Data<State>>().map(|state| state.runtime.clone());
    let runtime = runtime.ok_or_else(|| Problem::internal("the application has no state"))?;
    let mut answer = pin!(next.call(request));
    poll_fn(|context| {
        let _inside = runtime.enter();
        answer.as_mut().poll(context)
    })
    .await
}
