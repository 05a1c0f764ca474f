//! Tries whether the credentials of an integration work.

use engine::node::{Credential, NodeError};
use reqwest::{Method, Url};
use serde::Serialize;

use super::{Authentication, find, text};
use crate::egress::{Client, Request};
use crate::{failure, smtp};

/// Longest test, in milliseconds: a person waits for it.
const TIMEOUT_MS: u64 = 15_000;

/// What a test of an integration came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "outcome", content = "detail")]
pub enum TestOutcome {
    /// The service accepted the credentials; says how it was seen.
    Passed(String),
    /// The fields are well-formed, but there is nothing to ask; says what to add.
    NotTestable(String),
}

/// Tries a credential: `smtp` connects and signs in, `http_*` asks the configured `testUrl`.
///
/// # Errors
/// Says what the service answered or why it was not reached; never holds a secret.
pub async fn test(egress: &Client, credential: &Credential) -> Result<TestOutcome, NodeError> {
    let connector = find(&credential.connector).ok_or_else(|| {
        NodeError::fatal("unknown_connector", format!("there is no connector {:?}", credential.connector))
    })?;
    if let Some((field, problem)) =
        connector.check(&credential.secrets, &credential.configuration).into_iter().next()
    {
        return Err(NodeError::fatal("invalid_integration", format!("{field}: {problem}")));
    }
    if connector.name == "smtp" {
        test_smtp(egress, credential).await
    } else {
        test_http(egress, credential).await
    }
}

async fn test_smtp(egress: &Client, credential: &Credential) -> Result<TestOutcome, NodeError> {
    let server = smtp::Server::of(credential)?;
    let mut session = server.connect(egress, TIMEOUT_MS).await?;
    session.quit().await;
    let how = if server.signs_in() { "connected and signed in" } else { "connected, without signing in" };
    Ok(TestOutcome::Passed(format!("{how} to {}", server.target())))
}

async fn test_http(egress: &Client, credential: &Credential) -> Result<TestOutcome, NodeError> {
    let authentication = Authentication::of(credential)?;
    let Some(url) = text(credential, "testUrl") else {
        return Ok(TestOutcome::NotTestable(
            "set testUrl to a URL that answers to valid credentials only".to_owned(),
        ));
    };
    let url: Url = url
        .parse()
        .map_err(|_| NodeError::fatal("invalid_integration", "testUrl: must be a URL with http or https"))?;
    let mut request = Request::new(Method::GET, url);
    request.timeout_ms = TIMEOUT_MS;
    authentication.apply(&mut request)?;
    let shown = authentication.show_url(&request.url);
    let response = egress
        .send(request)
        .await
        .map_err(|error| failure::of_egress(&error, &shown, &authentication.secrets))?;
    if response.status.as_u16() >= 400 {
        return Err(failure::of_status(&response, "GET", &shown, &authentication.secrets));
    }
    Ok(TestOutcome::Passed(format!("{shown} answered with status {}", response.status.as_u16())))
}
