//! Sessions with a mail server, through the egress guard.

use std::net::SocketAddr;
use std::time::Duration;

use engine::node::{Credential, NodeError};
use lettre::Message;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{AsyncSmtpConnection, Certificate, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use lettre::transport::smtp::response::Response;

use crate::connectors::{required_text, text};
use crate::egress::{Client, Error, tls};
use crate::failure;
use crate::redact::Secrets;

/// A mail server and how to sign in there. No `Debug`: it holds the password.
pub(crate) struct Server {
    host: String,
    port: u16,
    security: Security,
    login: Option<Credentials>,
    ca_certificate: Option<Certificate>,
    hello_name: ClientId,
    secrets: Secrets,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Security {
    None,
    StartTls,
    Tls,
}

/// An open session. Dropped without [`Session::quit`] it closes the connection without a word.
pub(crate) struct Session<'s> {
    server: &'s Server,
    connection: AsyncSmtpConnection,
}

impl Server {
    /// Reads a credential of the connector `smtp`.
    ///
    /// # Errors
    /// Names the field that is missing or cannot be used.
    pub(crate) fn of(credential: &Credential) -> Result<Self, NodeError> {
        if credential.connector != "smtp" {
            let message = format!("the integration is for {}; this needs one for smtp", credential.connector);
            return Err(NodeError::fatal("wrong_connector", message));
        }
        let unusable = |field: &str, problem: &str| {
            NodeError::fatal("invalid_integration", format!("the integration's {field} {problem}"))
        };
        let (security, default_port) = match text(credential, "security") {
            None | Some("starttls") => (Security::StartTls, 587),
            Some("tls") => (Security::Tls, 465),
            Some("none") => (Security::None, 25),
            Some(_) => return Err(unusable("security", "must be one of starttls, tls, none")),
        };
        let port = credential
            .configuration
            .get("port")
            .or_else(|| credential.secrets.get("port"))
            .filter(|port| !port.is_null());
        let port = match port {
            None => default_port,
            Some(port) => {
                let port = port.as_u64().and_then(|port| u16::try_from(port).ok()).filter(|&port| port != 0);
                port.ok_or_else(|| unusable("port", "must be a port, 1 to 65535"))?
            }
        };
        let login = text(credential, "username").map(|username| {
            Credentials::new(username.to_owned(), text(credential, "password").unwrap_or_default().to_owned())
        });
        let ca_certificate = match text(credential, "caCertificate") {
            None => None,
            Some(pem) => {
                let certificate = Certificate::from_pem(pem.as_bytes());
                Some(certificate.map_err(|_| unusable("caCertificate", "is not a certificate in PEM"))?)
            }
        };
        let hello_name = match text(credential, "helloName") {
            None => ClientId::default(),
            Some(name) if name.bytes().all(|byte| byte.is_ascii_graphic()) => {
                ClientId::Domain(name.to_owned())
            }
            Some(_) => return Err(unusable("helloName", "is not a host name")),
        };
        Ok(Self {
            host: required_text(credential, "host")?.to_owned(),
            port,
            security,
            login,
            ca_certificate,
            hello_name,
            secrets: Secrets::of(credential),
        })
    }

    /// Host and port.
    pub(crate) fn target(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }

    /// Whether there is a user name to sign in with.
    pub(crate) const fn signs_in(&self) -> bool {
        self.login.is_some()
    }

    /// Connects and signs in.
    ///
    /// # Errors
    /// `egress_blocked`, `smtp_connect`, `smtp_tls`, `smtp_auth` or `smtp_timeout`.
    pub(crate) async fn connect(&self, egress: &Client, timeout_ms: u64) -> Result<Session<'_>, NodeError> {
        within(timeout_ms, &self.target(), self.open(egress)).await
    }

    async fn open(&self, egress: &Client) -> Result<Session<'_>, NodeError> {
        let addresses = egress.guard().permit(&self.host, self.port).await.map_err(|error| match error {
            Error::Resolve { .. } => NodeError::retryable("smtp_connect", error.to_string()),
            other => NodeError { details: None, ..failure::of_egress(&other, "", &self.secrets) },
        })?;
        let tls = if self.security == Security::None { None } else { Some(self.tls()?) };
        let implicit = tls.clone().filter(|_| self.security == Security::Tls);
        let timeout = Duration::from_millis(egress.settings().connect_timeout_ms);
        // The judged addresses, not the name: it could lead elsewhere by now.
        let addresses: &[SocketAddr] = &addresses;
        let connection =
            AsyncSmtpConnection::connect_tokio1(addresses, Some(timeout), &self.hello_name, implicit, None)
                .await;
        let mut connection =
            connection.map_err(|error| self.explain("smtp_connect", "cannot connect to", &error))?;
        if let Some(tls) = tls.filter(|_| self.security == Security::StartTls) {
            let upgraded = connection.starttls(tls, &self.hello_name).await;
            upgraded.map_err(|error| self.explain("smtp_tls", "no encryption with", &error))?;
        }
        if let Some(login) = &self.login {
            let signed_in = connection.auth(&[Mechanism::Plain, Mechanism::Login], login).await;
            signed_in.map_err(|error| self.explain("smtp_auth", "cannot sign in to", &error))?;
        }
        Ok(Session { server: self, connection })
    }

    fn tls(&self) -> Result<TlsParameters, NodeError> {
        let mut builder = TlsParameters::builder(self.host.clone());
        if let Some(certificate) = &self.ca_certificate {
            builder = builder.add_root_certificate(certificate.clone());
        }
        builder.build().map_err(|error| self.explain("smtp_tls", "no encryption with", &error))
    }

    /// A refusal for good (5xx), bad TLS and what this side cannot do are fatal; the rest may pass.
    fn explain(&self, code: &str, doing: &str, error: &lettre::transport::smtp::Error) -> NodeError {
        let is_tls = error.is_tls() || tls::is_cause_of(error);
        let code = if is_tls { "smtp_tls" } else { code };
        let message = self.secrets.scrub(&format!("{doing} {}: {error}", self.target())).into_owned();
        let retryable = !(error.is_permanent() || is_tls || error.is_client());
        NodeError { retryable, ..NodeError::fatal(code, message) }
    }
}

impl Session<'_> {
    /// Sends a message.
    ///
    /// # Errors
    /// `smtp_rejected` with what the server said, or `smtp_timeout`.
    pub(crate) async fn send(&mut self, message: &Message, timeout_ms: u64) -> Result<Response, NodeError> {
        let bytes = message.formatted();
        let (server, connection) = (self.server, &mut self.connection);
        within(timeout_ms, &server.target(), async {
            let sent = connection.send(message.envelope(), &bytes).await;
            sent.map_err(|error| server.explain("smtp_rejected", "the message was not taken by", &error))
        })
        .await
    }

    /// Ends the session politely; a server that does not answer is left.
    pub(crate) async fn quit(&mut self) {
        let _ = tokio::time::timeout(Duration::from_secs(5), self.connection.quit()).await;
    }
}

async fn within<T>(
    timeout_ms: u64,
    target: &str,
    work: impl Future<Output = Result<T, NodeError>>,
) -> Result<T, NodeError> {
    match tokio::time::timeout(Duration::from_millis(timeout_ms), work).await {
        Ok(result) => result,
        Err(_) => Err(NodeError::retryable(
            "smtp_timeout",
            format!("{target} did not answer within {timeout_ms} ms"),
        )),
    }
}
