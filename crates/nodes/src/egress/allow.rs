//! The allow-list of an installation: what may be reached although it is not public.

use std::net::IpAddr;

use super::address::inner;

/// The parsed entries of `egress.allow`.
#[derive(Clone, Debug, Default)]
pub(super) struct AllowList {
    entries: Vec<Entry>,
}

#[derive(Clone, Debug, PartialEq)]
struct Entry {
    target: Target,
    port: Option<u16>,
}

#[derive(Clone, Debug, PartialEq)]
enum Target {
    /// A host name, in lower case.
    Host(String),
    /// Every name below this one.
    Below(String),
    /// A network, or one address.
    Network { bits: u128, prefix: u32, v4: bool },
}

impl AllowList {
    /// Parses the entries.
    ///
    /// # Errors
    /// Names the entry that is no host, address or network.
    pub(super) fn parse(entries: &[String]) -> Result<Self, String> {
        let parsed =
            entries.iter().map(|entry| Entry::parse(entry).map_err(|problem| format!("{entry:?} {problem}")));
        Ok(Self { entries: parsed.collect::<Result<_, _>>()? })
    }

    /// Whether a name may be reached on a port, wherever it leads.
    pub(super) fn has_host(&self, host: &str, port: u16) -> bool {
        self.on_port(port).any(|entry| match &entry.target {
            Target::Host(name) => name == host,
            Target::Below(parent) => {
                host.strip_suffix(parent.as_str()).is_some_and(|rest| rest.ends_with('.'))
            }
            Target::Network { .. } => false,
        })
    }

    /// Whether an address may be reached on a port.
    pub(super) fn has_address(&self, address: IpAddr, port: u16) -> bool {
        let (bits, v4) = to_bits(inner(address));
        self.on_port(port).any(|entry| match entry.target {
            Target::Network { bits: network, prefix, v4: network_v4 } => {
                let width = if v4 { 32 } else { 128 };
                v4 == network_v4 && (bits ^ network).checked_shr(width - prefix).unwrap_or(0) == 0
            }
            Target::Host(_) | Target::Below(_) => false,
        })
    }

    /// The entries that name this port.
    pub(super) fn names_port(&self, port: u16) -> Self {
        Self { entries: self.entries.iter().filter(|entry| entry.port == Some(port)).cloned().collect() }
    }

    fn on_port(&self, port: u16) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(move |entry| entry.port.is_none_or(|only| only == port))
    }
}

impl Entry {
    fn parse(text: &str) -> Result<Self, &'static str> {
        if text.is_empty() || text.contains(char::is_whitespace) || text.contains("://") {
            return Err("is not a host, an address or a network, with a port if wanted");
        }
        // A bare IPv6 address or network has more than one colon and no bracket; its last group is no port.
        let bare_v6 = !text.starts_with('[') && text.matches(':').count() > 1;
        let (target, port) = match text.rsplit_once(':') {
            Some((target, port)) if !bare_v6 && !port.contains(']') => {
                (target, Some(port.parse().map_err(|_| "has a port that is no number up to 65535")?))
            }
            _ => (text, None),
        };
        let target = target.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(target);
        Ok(Self { target: Target::parse(target)?, port })
    }
}

impl Target {
    fn parse(text: &str) -> Result<Self, &'static str> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => {
                let prefix: u32 = prefix.parse().map_err(|_| "has a prefix length that is no number")?;
                (address.parse::<IpAddr>().map_err(|_| "is not a network")?, Some(prefix))
            }
            None => match text.parse::<IpAddr>() {
                Ok(address) => (address, None),
                Err(_) => return Self::parse_host(text),
            },
        };
        let (bits, v4) = to_bits(address);
        let width = if v4 { 32 } else { 128 };
        let prefix = prefix.unwrap_or(width);
        if prefix > width {
            return Err("has a prefix length that is too large");
        }
        Ok(Self::Network { bits, prefix, v4 })
    }

    fn parse_host(text: &str) -> Result<Self, &'static str> {
        let (name, below) = text.strip_prefix("*.").map_or((text, false), |parent| (parent, true));
        match url::Host::parse(name.trim_end_matches('.')) {
            Ok(url::Host::Domain(name)) if below => Ok(Self::Below(name)),
            Ok(url::Host::Domain(name)) => Ok(Self::Host(name)),
            _ => Err("is not a host, an address or a network"),
        }
    }
}

fn to_bits(address: IpAddr) -> (u128, bool) {
    match address {
        IpAddr::V4(address) => (u128::from(address.to_bits()), true),
        IpAddr::V6(address) => (address.to_bits(), false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn list(entries: &[&str]) -> AllowList {
        AllowList::parse(&entries.iter().map(|&entry| entry.to_owned()).collect::<Vec<_>>()).unwrap()
    }

    #[test]
    fn an_entry_allows_what_it_names_and_nothing_else() {
        let cases: &[(&str, &str, u16, bool)] = &[
            ("10.0.0.0/8", "10.9.9.9", 80, true),
            ("10.0.0.0/8", "11.0.0.1", 80, false),
            ("10.0.0.0/8:5432", "10.9.9.9", 5432, true),
            ("10.0.0.0/8:5432", "10.9.9.9", 80, false),
            ("127.0.0.1:9000", "127.0.0.1", 9000, true),
            ("127.0.0.1:9000", "127.0.0.1", 9001, false),
            ("127.0.0.1:9000", "::ffff:127.0.0.1", 9000, true),
            ("127.0.0.1", "127.0.0.2", 80, false),
            ("0.0.0.0/0", "127.0.0.2", 80, true),
            ("0.0.0.0/0", "::1", 80, false),
            ("::1", "::1", 80, true),
            ("[::1]:80", "::1", 80, true),
            ("[::1]:80", "::1", 81, false),
            ("fd00::/8", "fd12::1", 80, true),
            ("[fd00::/8]:443", "fd12::1", 80, false),
            ("fd00::/8", "fe80::1", 80, false),
        ];
        for &(entry, address, port, expected) in cases {
            let found = list(&[entry]).has_address(address.parse().unwrap(), port);
            assert_eq!(found, expected, "{entry} and {address} port {port}");
        }
    }

    #[test]
    fn a_host_entry_matches_the_whole_name() {
        let hosts: &[(&str, &str, u16, bool)] = &[
            ("api.internal", "api.internal", 80, true),
            ("API.internal.", "api.internal", 80, true),
            ("api.internal", "evil-api.internal", 80, false),
            ("api.internal:80", "api.internal", 81, false),
            ("*.internal", "api.internal", 80, true),
            ("*.internal", "a.b.internal", 80, true),
            ("*.internal", "internal", 80, false),
            ("*.internal", "evilinternal", 80, false),
        ];
        for &(entry, host, port, expected) in hosts {
            assert_eq!(list(&[entry]).has_host(host, port), expected, "{entry} and {host} port {port}");
        }
    }

    #[test]
    fn an_entry_that_cannot_be_read_is_named() {
        for entry in ["", "http://a", "10.0.0.0/33", "10.0.0.0/x", "a b", "host:99999", "host:", "[::1"] {
            let error = AllowList::parse(&[entry.to_owned()]).unwrap_err();
            assert!(error.contains(&format!("{entry:?}")), "{error}");
        }
    }

    proptest! {
        #[test]
        fn any_entry_is_read_or_refused(entry in "[a-z0-9:./*\\[\\]-]{0,24}", address: u128, port: u16) {
            if let Ok(list) = AllowList::parse(std::slice::from_ref(&entry)) {
                list.has_address(std::net::Ipv6Addr::from_bits(address).into(), port);
                list.has_host(&entry, port);
            }
        }
    }
}
