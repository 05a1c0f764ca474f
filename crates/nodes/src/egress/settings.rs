//! The section `[egress]` of the configuration.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What nodes may connect to, and how.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Refuse connections to private, loopback, link-local and cloud metadata addresses, and to everything else
    /// that is not a public address.
    pub block_private: bool,
    /// What may be reached all the same: host names (`*.example.com` for all below it), addresses, networks
    /// (`10.0.0.0/8`), each with a port if wanted (`127.0.0.1:9000`, `[fd00::1]:9000`).
    pub allow: Vec<String>,
    /// The only ports that may be reached; empty for all. An entry of `allow` that names a port opens it too.
    pub ports: Vec<u16>,
    /// Longest time to connect, in milliseconds.
    pub connect_timeout_ms: u64,
    /// Largest response that a node reads, in bytes, after decompression.
    pub max_response_bytes: u64,
    /// Most redirects that are followed.
    pub max_redirects: u32,
    /// What Tidemill calls itself (`User-Agent`), where a request does not say.
    pub user_agent: String,
    /// URL of an HTTP proxy for all requests of nodes; empty for none. Proxy variables of the environment are not read.
    pub proxy: String,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            block_private: true,
            allow: Vec::new(),
            ports: Vec::new(),
            connect_timeout_ms: 10_000,
            max_response_bytes: 64 * 1024 * 1024,
            max_redirects: 10,
            user_agent: "Tidemill".to_owned(),
            proxy: String::new(),
        }
    }
}

// By hand: the URL of a proxy may hold a password.
impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("block_private", &self.block_private)
            .field("allow", &self.allow)
            .field("ports", &self.ports)
            .field("connect_timeout_ms", &self.connect_timeout_ms)
            .field("max_response_bytes", &self.max_response_bytes)
            .field("max_redirects", &self.max_redirects)
            .field("user_agent", &self.user_agent)
            .field("proxy", &if self.proxy.is_empty() { "" } else { "***" })
            .finish()
    }
}
