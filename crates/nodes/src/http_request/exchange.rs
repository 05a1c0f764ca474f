//! One input item: its requests, page after page, and what becomes of the responses.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use engine::item::Item;
use engine::node::{Call, LogLevel, NodeError};
use reqwest::Url;
use reqwest::header::{CONTENT_TYPE, HeaderName, HeaderValue};

use super::pagination::{Pager, Step};
use super::parameters::HttpRequestParameters;
use super::{body, output};
use crate::connectors::Authentication;
use crate::egress::{Client, Error, Request, Response};
use crate::failure;

/// Headers that belong to the connection: a workflow that set them could make one request look like two.
const CONNECTION_HEADERS: &[&str] = &[
    "connection",
    "content-length",
    "expect",
    "http2-settings",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// What the exchanges of one run of the node share.
pub(super) struct Exchange<'a> {
    pub(super) call: &'a Call<'a>,
    pub(super) egress: &'a Client,
    pub(super) authentication: &'a Authentication,
    /// Bytes of JSON and text that the run may still keep in items; files are kept elsewhere.
    pub(super) left_bytes: &'a AtomicU64,
}

impl Exchange<'_> {
    /// Everything that the requests of one input item give out.
    pub(super) async fn run(
        &self,
        parameters: &HttpRequestParameters,
        index: usize,
    ) -> Result<Vec<Item>, NodeError> {
        if let Some((path, message)) = super::parameters::check(parameters).into_iter().next() {
            return Err(NodeError::parameter(&path, message));
        }
        let item = self.call.items().get(index);
        let mut items = Vec::new();
        let Some(pagination) = &parameters.pagination else {
            let response = self.send(parameters, None, item, |_| false).await?;
            let body = self.read(&response, parameters)?;
            self.give_out(&mut items, &response, body, parameters, index).await?;
            return Ok(items);
        };
        let mut pager = Pager::new(pagination);
        loop {
            let mut page = parameters.clone();
            pager.prepare(&mut page)?;
            let response = self.send(&page, pager.url(), item, |response| pager.ends_at(response)).await?;
            if pager.ends_at(&response) {
                return Ok(items);
            }
            let body = self.read(&response, parameters)?;
            let step = pager.advance(&response, body.json())?;
            self.give_out(&mut items, &response, body.select(&pagination.items), parameters, index).await?;
            match step {
                Step::More => {}
                Step::End => return Ok(items),
                Step::Full => {
                    let message = format!(
                        "stopped after {} pages (pagination.maxPages); there may be more",
                        pagination.max_pages
                    );
                    self.call.host.log(LogLevel::Warn, message, None);
                    return Ok(items);
                }
            }
            if pagination.interval_ms > 0 {
                tokio::time::sleep(Duration::from_millis(pagination.interval_ms)).await;
            }
        }
    }

    async fn send(
        &self,
        parameters: &HttpRequestParameters,
        next_page: Option<&Url>,
        item: Option<&Item>,
        expected: impl Fn(&Response) -> bool,
    ) -> Result<Response, NodeError> {
        let request = self.build(parameters, next_page, item).await?;
        let shown = self.authentication.show_url(&request.url);
        let method = parameters.method.as_str();
        let secrets = &self.authentication.secrets;
        let response =
            self.egress.send(request).await.map_err(|error| failure::of_egress(&error, &shown, secrets))?;
        let status = response.status.as_u16();
        if status < 400 || parameters.never_error || expected(&response) {
            return Ok(response);
        }
        let mut error = failure::of_status(&response, method, &shown, secrets);
        error.retryable = parameters.retry_on_status.contains(&status);
        Err(error)
    }

    async fn build(
        &self,
        parameters: &HttpRequestParameters,
        next_page: Option<&Url>,
        item: Option<&Item>,
    ) -> Result<Request, NodeError> {
        let first = parse_url(&parameters.url).map_err(|message| NodeError::parameter("url", message))?;
        let mut url = next_page.cloned().unwrap_or_else(|| first.clone());
        // The URL of a next page already carries the query that belongs to it.
        let query =
            if next_page.is_none() { parameters.query.pairs(parameters.array_format) } else { Vec::new() };
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        let mut request = Request::new(parameters.method.into(), url);
        if let Some(body) = body::encode(&parameters.body, item, self.call.host).await? {
            request.headers.insert(CONTENT_TYPE, header_value("Content-Type", &body.content_type)?);
            request.body = Some(body.bytes);
        }
        for (name, value) in parameters.headers.pairs(super::fields::ArrayFormat::Repeat) {
            if CONNECTION_HEADERS.contains(&name.to_ascii_lowercase().as_str()) {
                return Err(NodeError::parameter(
                    &format!("headers.{name}"),
                    "this header is set by the connection",
                ));
            }
            let value = header_value(&name, &value)?;
            let path = format!("headers.{name}");
            let name = HeaderName::from_bytes(name.as_bytes())
                .map_err(|_| NodeError::parameter(&path, "is not the name of a header"))?;
            if name == CONTENT_TYPE {
                request.headers.insert(name, value);
            } else {
                request.headers.append(name, value);
            }
        }
        request.timeout_ms = parameters.timeout_ms;
        request.max_redirects =
            if parameters.follow_redirects { parameters.max_redirects.unwrap_or(u32::MAX) } else { 0 };
        request.keep_credentials =
            parameters.send_credentials_on_redirect && self.authentication.may_go_anywhere();
        request.max_response_bytes = parameters.max_response_bytes;
        request.ignore_certificate = parameters.ignore_certificate;
        if request.url.origin() == first.origin() || parameters.send_credentials_on_redirect {
            self.authentication.apply(&mut request)?;
        } else {
            // A response that names its next page elsewhere is a redirect in all but name.
            request.drop_credentials();
        }
        Ok(request)
    }

    async fn give_out(
        &self,
        items: &mut Vec<Item>,
        response: &Response,
        body: output::Body,
        parameters: &HttpRequestParameters,
        index: usize,
    ) -> Result<(), NodeError> {
        let input = self.call.items().get(index);
        let made =
            output::items(response, body, parameters, &self.authentication.secrets, input, self.call.host)
                .await?;
        items.extend(made.into_iter().map(|item| item.from_input(index)));
        Ok(())
    }

    fn read(
        &self,
        response: &Response,
        parameters: &HttpRequestParameters,
    ) -> Result<output::Body, NodeError> {
        let body = output::read(response, parameters, &self.authentication.secrets)?;
        if matches!(body, output::Body::File(_)) {
            return Ok(body);
        }
        let size = response.body.len() as u64;
        let taken =
            self.left_bytes.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(size));
        taken.map(|_| body).map_err(|_| {
            let limit_bytes = self.egress.settings().max_response_bytes;
            let message =
                format!("the responses to one run of the node are together larger than {limit_bytes} bytes");
            NodeError::fatal("http_response_too_large", message)
        })
    }
}

/// Reads a URL as a person writes it.
pub(super) fn parse_url(text: &str) -> Result<Url, String> {
    let text = text.trim();
    if text.is_empty() {
        return Err("must not be empty".to_owned());
    }
    let url = Url::parse(text).map_err(|error| format!("is not a URL with http or https: {error}"))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(
            Error::InvalidUrl(format!("the scheme {:?} is not http or https", url.scheme())).to_string()
        );
    }
    Ok(url)
}

fn header_value(name: &str, text: &str) -> Result<HeaderValue, NodeError> {
    let plain = !text.contains(['\r', '\n', '\0']);
    let value = plain.then(|| HeaderValue::from_bytes(text.as_bytes()).ok()).flatten();
    value.ok_or_else(|| {
        NodeError::parameter(&format!("headers.{name}"), "must not hold line breaks or control characters")
    })
}
