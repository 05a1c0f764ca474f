//! The public side of webhooks: calls that start executions, and calls that let waiting ones go on.
//!
//! A call is found by its path alone, checked, turned into an item, and stored together with the execution that it
//! starts before it is answered: what got a 2xx is never lost, and of any number of deliveries of one event one starts
//! an execution. The answer comes at once, when the execution has ended, or from a node of it.
//!
//! Nobody has to sign in here. What a call can do is bounded by the limit of its body and the longest wait.

mod accept;
mod attachment;
mod calls;
mod item;
mod receive;
mod respond;
mod resume;
mod signature;

use actix_web::dev::{AppService, HttpServiceFactory};
use actix_web::web;
use utoipa::openapi::path::Paths;
use utoipa::openapi::{RefOr, Schema};
use utoipa_actix_web::OpenApiFactory;

pub use calls::WebhookCalls;
pub use resume::ResumedBody;
pub(crate) use resume::{resume_execution, resume_execution_by_link};

/// Takes every call below `/webhooks/`, whatever its method: only the webhook knows which it answers to.
pub struct Webhooks;

impl HttpServiceFactory for Webhooks {
    fn register(self, config: &mut AppService) {
        web::resource("/webhooks/{path:.*}").to(receive::receive).register(config);
    }
}

impl OpenApiFactory for Webhooks {
    fn paths(&self) -> Paths {
        receive::__path_receive.paths()
    }

    fn schemas(&self, schemas: &mut Vec<(String, RefOr<Schema>)>) {
        receive::__path_receive.schemas(schemas);
    }
}
