//! Sends requests to where the guard lets them go.

use std::collections::HashMap;
use std::error::Error as _;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{HeaderMap, HeaderValue, USER_AGENT};
use reqwest::{Method, Proxy, StatusCode, Url};
use url::Host;

use super::lookup::{Lookup, SystemLookup};
use super::redirect;
use super::{Error, Guard, Settings, tls};

/// Origins whose connections are kept; the one that was not used for the longest time makes room.
const KEPT_ORIGINS: usize = 256;

/// A connection that was idle for longer is closed; many servers close after a minute.
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);

/// Longest exchange of a request that says nothing about it, in milliseconds.
pub(crate) const DEFAULT_TIMEOUT_MS: u64 = 60_000;

/// A request. Headers marked as sensitive are dropped when a redirect leads to another origin.
#[derive(Debug)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// Where to.
    pub url: Url,
    /// The headers.
    pub headers: HeaderMap,
    /// The body; kept whole, for a redirect may ask for it again.
    pub body: Option<Bytes>,
    /// Most redirects to follow; 0 gives a redirect back as the response. Bounded by the installation's setting.
    pub max_redirects: u32,
    /// Whether credentials follow a redirect to another origin.
    pub keep_credentials: bool,
    /// Longest time of the whole exchange, redirects and body included.
    pub timeout_ms: u64,
    /// Largest response; bounded by the installation's setting.
    pub max_response_bytes: Option<u64>,
    /// Accept any certificate.
    pub ignore_certificate: bool,
}

impl Request {
    /// A request without headers and body that follows redirects.
    #[must_use]
    pub fn new(method: Method, url: Url) -> Self {
        Self {
            method,
            url,
            headers: HeaderMap::new(),
            body: None,
            max_redirects: u32::MAX,
            keep_credentials: false,
            timeout_ms: DEFAULT_TIMEOUT_MS,
            max_response_bytes: None,
            ignore_certificate: false,
        }
    }

    /// Removes what proves who is asking: the usual headers, and those marked as sensitive.
    pub fn drop_credentials(&mut self) {
        redirect::drop_credentials(&mut self.headers);
    }
}

/// A response, read to its end.
#[derive(Clone, Debug)]
pub struct Response {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The URL that answered, after redirects.
    pub url: Url,
    /// The body, decompressed.
    pub body: Bytes,
}

/// The only way from a node to the network. Cheap to clone; clones share their connections.
#[derive(Clone)]
pub struct Client {
    inner: Arc<Inner>,
}

struct Inner {
    guard: Arc<Guard>,
    settings: Settings,
    proxy: Option<Proxy>,
    tls: rustls::ClientConfig,
    origins: Mutex<Origins>,
}

/// One HTTP client for each origin: so the resolver knows the port it is asked for.
#[derive(Default)]
struct Origins {
    uses: u64,
    clients: HashMap<Origin, (u64, reqwest::Client)>,
}

type Origin = (String, bool);

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("settings", &self.inner.settings).finish_non_exhaustive()
    }
}

impl Client {
    /// A client with these settings.
    ///
    /// # Errors
    /// [`Error::Settings`] names the key that cannot be used.
    pub fn new(settings: &Settings) -> Result<Self, Error> {
        Self::with_lookup(settings, Arc::new(SystemLookup))
    }

    /// A client that resolves names its own way.
    ///
    /// # Errors
    /// [`Error::Settings`] names the key that cannot be used.
    pub fn with_lookup(settings: &Settings, lookup: Arc<dyn Lookup>) -> Result<Self, Error> {
        let guard = Arc::new(Guard::new(settings, lookup)?);
        let problem = |key, problem: &str| Error::Settings { key, problem: problem.to_owned() };
        HeaderValue::from_str(&settings.user_agent)
            .map_err(|_| problem("user_agent", "is not a header value"))?;
        let proxy = match settings.proxy.as_str() {
            "" => None,
            url => {
                let usable = Url::parse(url)
                    .is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
                let proxy = Proxy::all(url).ok().filter(|_| usable);
                Some(proxy.ok_or_else(|| problem("proxy", "is not an http or https URL"))?)
            }
        };
        let inner = Inner {
            guard,
            settings: settings.clone(),
            proxy,
            tls: tls::config()?,
            origins: Mutex::default(),
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// The guard, for protocols other than HTTP.
    #[must_use]
    pub fn guard(&self) -> &Guard {
        &self.inner.guard
    }

    /// The settings it was made with.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.inner.settings
    }

    /// Sends a request, follows redirects, and reads the response to its end.
    ///
    /// # Errors
    /// [`Error`] says what was refused or went wrong; a response with any status is no error.
    pub async fn send(&self, request: Request) -> Result<Response, Error> {
        let timeout_ms = request.timeout_ms;
        let target = target(&request.url);
        match tokio::time::timeout(Duration::from_millis(timeout_ms), self.exchange(request)).await {
            Ok(result) => result,
            Err(_) => Err(Error::Timeout { target, timeout_ms }),
        }
    }

    async fn exchange(&self, mut request: Request) -> Result<Response, Error> {
        let follows = request.max_redirects > 0;
        let mut left = request.max_redirects.min(self.inner.settings.max_redirects);
        loop {
            let response = self.send_once(&request).await?;
            let status = response.status();
            match redirect::location(status, response.headers(), &request.url)? {
                Some(_) if follows && left == 0 => {
                    return Err(Error::Redirect(format!("{} redirects too often", target(&request.url))));
                }
                Some(next) if follows => {
                    left -= 1;
                    redirect::rewrite(&mut request, status, next);
                }
                _ => return self.read(response, &request).await,
            }
        }
    }

    /// One hop: judged by itself, whatever came before.
    async fn send_once(&self, request: &Request) -> Result<reqwest::Response, Error> {
        let client = self.client_for(&request.url, request.ignore_certificate).await?;
        let mut builder =
            client.request(request.method.clone(), request.url.clone()).headers(request.headers.clone());
        if !request.headers.contains_key(USER_AGENT) {
            builder = builder.header(USER_AGENT, &self.inner.settings.user_agent);
        }
        if let Some(body) = &request.body {
            builder = builder.body(body.clone());
        }
        builder.send().await.map_err(|error| self.explain(error, request))
    }

    async fn client_for(&self, url: &Url, ignore_certificate: bool) -> Result<reqwest::Client, Error> {
        if !matches!(url.scheme(), "http" | "https") {
            return Err(Error::InvalidUrl(format!("the scheme {:?} is not http or https", url.scheme())));
        }
        let (Some(host), Some(port)) = (url.host(), url.port_or_known_default()) else {
            return Err(Error::InvalidUrl("the URL has no host".to_owned()));
        };
        // The connector asks its resolver for names only; addresses are judged here.
        match host {
            Host::Ipv4(address) => drop(self.inner.guard.permit_address(address.into(), port)?),
            Host::Ipv6(address) => drop(self.inner.guard.permit_address(address.into(), port)?),
            // A proxy resolves by itself, so the connector would not ask for this name.
            Host::Domain(name) if self.inner.proxy.is_some() => {
                drop(self.inner.guard.permit(name, port).await?)
            }
            Host::Domain(_) => {}
        }
        let origin = (url.origin().ascii_serialization(), ignore_certificate);
        let mut origins = self.inner.origins.lock().unwrap_or_else(PoisonError::into_inner);
        origins.uses += 1;
        let now = origins.uses;
        if let Some((used, client)) = origins.clients.get_mut(&origin) {
            *used = now;
            return Ok(client.clone());
        }
        let client = self.build(url, port, ignore_certificate)?;
        if origins.clients.len() >= KEPT_ORIGINS {
            let oldest =
                origins.clients.iter().min_by_key(|(_, (used, _))| *used).map(|(origin, _)| origin.clone());
            oldest.and_then(|origin| origins.clients.remove(&origin));
        }
        origins.clients.insert(origin, (now, client.clone()));
        Ok(client)
    }

    fn build(&self, url: &Url, port: u16, ignore_certificate: bool) -> Result<reqwest::Client, Error> {
        let settings = &self.inner.settings;
        let builder = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .no_proxy()
            .connect_timeout(Duration::from_millis(settings.connect_timeout_ms))
            .pool_idle_timeout(IDLE_TIMEOUT);
        let builder = if ignore_certificate {
            tls::provider();
            builder.tls_danger_accept_invalid_certs(true)
        } else {
            builder.tls_backend_preconfigured(self.inner.tls.clone())
        };
        let builder = match &self.inner.proxy {
            Some(proxy) => builder.proxy(proxy.clone()),
            None => {
                let host = url.host_str().unwrap_or_default().to_owned();
                builder.dns_resolver(Arc::new(OriginResolver {
                    guard: Arc::clone(&self.inner.guard),
                    host,
                    port,
                }))
            }
        };
        builder.build().map_err(|error| Error::Broken { target: target(url), problem: root_cause(&error) })
    }

    async fn read(&self, mut response: reqwest::Response, request: &Request) -> Result<Response, Error> {
        let limit_bytes =
            request.max_response_bytes.unwrap_or(u64::MAX).min(self.inner.settings.max_response_bytes);
        let too_large = || Error::TooLarge { target: target(&request.url), limit_bytes };
        let limit = usize::try_from(limit_bytes).unwrap_or(usize::MAX);
        if request.method != Method::HEAD
            && response.content_length().is_some_and(|length| length > limit_bytes)
        {
            return Err(too_large());
        }
        let mut body = BytesMut::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| self.explain(error, request))? {
            if body.len().saturating_add(chunk.len()) > limit {
                return Err(too_large());
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Response {
            status: response.status(),
            headers: std::mem::take(response.headers_mut()),
            url: request.url.clone(),
            body: body.freeze(),
        })
    }

    /// Says what an error of the HTTP client means, without its URL.
    fn explain(&self, error: reqwest::Error, request: &Request) -> Error {
        let is_timeout = error.is_timeout();
        let is_connect = error.is_connect();
        let target = target(&request.url);
        let problem = root_cause(&error);
        if let Some(refusal) = take_refusal(&error) {
            return refusal;
        }
        if tls::is_cause_of(&error) {
            return Error::Tls { target, problem };
        }
        if is_connect && is_timeout {
            let timeout_ms = self.inner.settings.connect_timeout_ms;
            return Error::Connect { target, problem: format!("no connection within {timeout_ms} ms") };
        }
        if is_connect { Error::Connect { target, problem } } else { Error::Broken { target, problem } }
    }
}

/// Resolves the host of one origin through the guard, so that what connects is what was judged.
struct OriginResolver {
    guard: Arc<Guard>,
    host: String,
    port: u16,
}

impl Resolve for OriginResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let (guard, host, port) = (Arc::clone(&self.guard), self.host.clone(), self.port);
        Box::pin(async move {
            if !name.as_str().eq_ignore_ascii_case(&host) {
                return Err(format!("{} is not the host of this connection", name.as_str()).into());
            }
            let permitted = guard.permit(&host, port).await?;
            Ok(Box::new(permitted.into_iter()) as Addrs)
        })
    }
}

/// The guard's own error out of the chain of an error of the HTTP client.
fn take_refusal(error: &reqwest::Error) -> Option<Error> {
    let mut source = error.source();
    while let Some(inner) = source {
        match inner.downcast_ref::<Error>() {
            Some(Error::Blocked { target, reason }) => {
                return Some(Error::Blocked { target: target.clone(), reason });
            }
            Some(Error::Resolve { host, source }) => {
                let source = std::io::Error::new(source.kind(), source.to_string());
                return Some(Error::Resolve { host: host.clone(), source });
            }
            _ => source = inner.source(),
        }
    }
    None
}

/// The innermost error: it says what happened, the outer ones repeat the URL.
fn root_cause(error: &reqwest::Error) -> String {
    let Some(mut cause) = error.source() else { return "the request could not be sent".to_owned() };
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}

/// Host and port of a URL.
pub(crate) fn target(url: &Url) -> String {
    format!("{}:{}", url.host_str().unwrap_or_default(), url.port_or_known_default().unwrap_or_default())
}
