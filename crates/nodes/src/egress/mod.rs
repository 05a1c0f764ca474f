//! Every connection that a node opens goes through here.
//!
//! A workflow decides where requests go, so without a guard any user could make the server read its own
//! neighbours: a metadata service that hands out cloud keys, a database without a password, the admin page of
//! a router. The guard is on by default and an installation opens what it needs with `egress.allow`.
//!
//! What it guarantees:
//! - A name is resolved once per connection, and the address that was judged is the address that is connected
//!   to: a name that answers differently the second time (DNS rebinding) gains nothing.
//! - An address written into a URL, in whatever notation, is judged like one that came from a name.
//! - Each redirect is judged like the first request, and credentials do not follow it to another origin.
//! - Addresses are permitted by what they are known to be (global unicast), not refused by a list of known evils;
//!   IPv4 addresses inside IPv6 ones (mapped, NAT64) are taken out and judged.
//!
//! With a proxy (`egress.proxy`) the proxy resolves names for itself. The guard judges what the name gives here,
//! but only the proxy's own rules can pin the address.

mod address;
mod allow;
mod client;
mod error;
mod guard;
mod lookup;
mod redirect;
mod settings;
pub(crate) mod tls;

#[cfg(test)]
mod tests;

pub(crate) use client::DEFAULT_TIMEOUT_MS;
pub use client::{Client, Request, Response};
pub use error::Error;
pub use guard::Guard;
pub use lookup::{Lookup, SystemLookup};
pub use settings::Settings;
