//! The nodes that touch the world, the connectors they use, and the JavaScript sandbox processes.
//!
//! - [`egress`]: the guard that every connection of a node passes.
//! - [`connectors`]: what Tidemill knows of a service, and how an integration with it is tried.
//! - [`http_request`], [`send_email`]: the nodes.
//! - [`sandbox`]: the processes that run JavaScript of users.
//!
//! [`catalogue`] is what a worker runs workflows with and what the API validates them against.

pub mod connectors;
pub mod egress;
pub mod http_request;
pub mod sandbox;
pub mod send_email;

mod content;
mod describe;
mod failure;
mod redact;
mod smtp;

#[cfg(test)]
mod testing;

use engine::node::Catalogue;

/// Every node type of an installation: those of the engine, and those of this crate, which reach the world through
/// `egress`.
#[must_use]
pub fn catalogue(egress: &egress::Client) -> Catalogue {
    let mut catalogue = Catalogue::new();
    engine::nodes::add_to(&mut catalogue);
    add_to(&mut catalogue, egress);
    catalogue
}

/// Adds the node types of this crate to a catalogue.
pub fn add_to(catalogue: &mut Catalogue, egress: &egress::Client) {
    catalogue
        .add(http_request::HttpRequest::new(egress.clone()))
        .add(send_email::SendEmail::new(egress.clone()));
}
