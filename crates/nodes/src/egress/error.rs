//! Why a connection or an exchange over it failed.

use std::io;

/// Why a request could not be sent or answered. Never holds a header, a query or a body.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A setting that cannot be used.
    #[error("egress.{key}: {problem}")]
    Settings {
        /// The key in the section `[egress]`.
        key: &'static str,
        /// What is wrong with it.
        problem: String,
    },
    /// A URL or host that cannot be used.
    #[error("{0}")]
    InvalidUrl(String),
    /// The rules of the installation refuse the target.
    #[error(
        "{target} may not be reached: {reason}; an administrator can open it with the setting egress.allow"
    )]
    Blocked {
        /// Host and port.
        target: String,
        /// Which rule.
        reason: &'static str,
    },
    /// The name has no address.
    #[error("the host {host} could not be resolved")]
    Resolve {
        /// The name.
        host: String,
        /// What the resolver said.
        source: io::Error,
    },
    /// A TLS handshake that failed.
    #[error("no encryption with {target}: {problem}")]
    Tls {
        /// Host and port.
        target: String,
        /// What went wrong.
        problem: String,
    },
    /// No connection.
    #[error("cannot connect to {target}: {problem}")]
    Connect {
        /// Host and port.
        target: String,
        /// What went wrong.
        problem: String,
    },
    /// The time given to the exchange has passed.
    #[error("no complete answer from {target} within {timeout_ms} ms")]
    Timeout {
        /// Host and port.
        target: String,
        /// The time given.
        timeout_ms: u64,
    },
    /// A redirect that is not followed.
    #[error("{0}")]
    Redirect(String),
    /// The response is larger than allowed.
    #[error("the response of {target} is larger than {limit_bytes} bytes")]
    TooLarge {
        /// Host and port.
        target: String,
        /// The bound.
        limit_bytes: u64,
    },
    /// The connection broke, or what came over it is not HTTP.
    #[error("the exchange with {target} failed: {problem}")]
    Broken {
        /// Host and port.
        target: String,
        /// What went wrong.
        problem: String,
    },
}
