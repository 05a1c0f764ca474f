//! The decision whether a host and port may be reached, and at which addresses.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use url::Host;

use super::address::is_public;
use super::allow::AllowList;
use super::lookup::Lookup;
use super::{Error, Settings};

/// Judges targets by the settings of the installation.
#[derive(Clone)]
pub struct Guard {
    block_private: bool,
    allow: AllowList,
    ports: Vec<u16>,
    lookup: Arc<dyn Lookup>,
}

impl fmt::Debug for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guard")
            .field("block_private", &self.block_private)
            .field("allow", &self.allow)
            .finish_non_exhaustive()
    }
}

impl Guard {
    /// A guard with these settings, which asks `lookup` for addresses.
    ///
    /// # Errors
    /// Names the entry of the allow-list that cannot be read.
    pub fn new(settings: &Settings, lookup: Arc<dyn Lookup>) -> Result<Self, Error> {
        let allow =
            AllowList::parse(&settings.allow).map_err(|problem| Error::Settings { key: "allow", problem })?;
        Ok(Self { block_private: settings.block_private, allow, ports: settings.ports.clone(), lookup })
    }

    /// Resolves a host once and gives the addresses that may be connected to. Whoever connects must use these
    /// addresses and not resolve the name again.
    ///
    /// # Errors
    /// [`Error::Blocked`] when no address may be reached, [`Error::Resolve`] when there is none,
    /// [`Error::InvalidUrl`] when the host is none.
    pub async fn permit(&self, host: &str, port: u16) -> Result<Vec<SocketAddr>, Error> {
        let host = parse_host(host)?;
        let name = match host {
            Host::Ipv4(address) => {
                return self.permit_address(address.into(), port).map(|address| vec![address]);
            }
            Host::Ipv6(address) => {
                return self.permit_address(address.into(), port).map(|address| vec![address]);
            }
            Host::Domain(name) => name,
        };
        let resolve_error = |source| Error::Resolve { host: name.clone(), source };
        let found = self.lookup.lookup(&name).await.map_err(resolve_error)?;
        let mut refusal = None;
        let mut permitted = Vec::with_capacity(found.len());
        for address in found {
            match self.judge(Some(name.trim_end_matches('.')), address, port) {
                Some(reason) => refusal = Some(reason),
                None => permitted.push(SocketAddr::new(address, port)),
            }
        }
        match refusal {
            _ if !permitted.is_empty() => Ok(permitted),
            Some(reason) => Err(blocked(&name, port, reason)),
            None => {
                Err(resolve_error(std::io::Error::new(std::io::ErrorKind::NotFound, "it has no address")))
            }
        }
    }

    /// Judges an address that was written into a URL.
    ///
    /// # Errors
    /// [`Error::Blocked`].
    pub fn permit_address(&self, address: IpAddr, port: u16) -> Result<SocketAddr, Error> {
        match self.judge(None, address, port) {
            Some(reason) => Err(blocked(&address.to_string(), port, reason)),
            None => Ok(SocketAddr::new(address, port)),
        }
    }

    /// Why an address, found under a name or not, may not be reached.
    fn judge(&self, name: Option<&str>, address: IpAddr, port: u16) -> Option<&'static str> {
        let allows = |list: &AllowList| {
            name.is_some_and(|name| list.has_host(name, port)) || list.has_address(address, port)
        };
        if !self.has_port(port) && !allows(&self.allow.names_port(port)) {
            return Some("the port is not one of egress.ports");
        }
        if self.block_private && !is_public(address) && !allows(&self.allow) {
            return Some("it is a private, local or reserved address");
        }
        None
    }

    fn has_port(&self, port: u16) -> bool {
        self.ports.is_empty() || self.ports.contains(&port)
    }
}

/// Reads a host as browsers do: a name, or an address in any notation (`127.1`, `0x7f000001`, `[::1]`).
pub(super) fn parse_host(text: &str) -> Result<Host<String>, Error> {
    if let Ok(address) = text.parse::<IpAddr>() {
        return Ok(match address {
            IpAddr::V4(address) => Host::Ipv4(address),
            IpAddr::V6(address) => Host::Ipv6(address),
        });
    }
    Host::parse(text).map_err(|_| Error::InvalidUrl(format!("{text:?} is not a host name or an address")))
}

fn blocked(host: &str, port: u16, reason: &'static str) -> Error {
    let target = if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") };
    Error::Blocked { target, reason }
}
