//! Somebody who sends requests.

use reqwest::header::HeaderMap;
use serde_json::{Value, json};
use uuid::Uuid;

pub use reqwest::Method;

/// What came back.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, if it is JSON.
    pub body: Value,
    /// The body as it came.
    pub text: String,
}

impl Answer {
    /// Fails unless it has this status; gives the body.
    #[track_caller]
    pub fn expect(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text);
        self.body
    }

    /// Fails unless it is a problem with this status and code; gives the body.
    #[track_caller]
    pub fn problem(self, status: u16, code: &str) -> Value {
        self.check_problem();
        assert_eq!((self.status, self.body["code"].as_str()), (status, Some(code)), "{}", self.text);
        self.body
    }

    /// Fails unless it is a well-formed problem.
    #[track_caller]
    pub fn check_problem(&self) {
        assert_eq!(self.headers.get("content-type").unwrap(), "application/problem+json", "{}", self.text);
        assert_eq!(self.body["status"], self.status, "{}", self.text);
        let code = self.body["code"].as_str().unwrap();
        assert_eq!(self.body["type"], format!("/docs/problems#{code}"));
        assert!(self.body["title"].is_string() && self.body["detail"].is_string(), "{}", self.text);
        assert_eq!(self.body["request_id"], self.headers.get("x-request-id").unwrap().to_str().unwrap());
    }

    /// The id in the body.
    #[track_caller]
    pub fn id(&self) -> Uuid {
        self.body["id"].as_str().unwrap_or_else(|| panic!("no id in {}", self.text)).parse().unwrap()
    }
}

/// Somebody who sends requests, with or without credentials.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    url: String,
    headers: Vec<(String, String)>,
    /// The user, where there is one.
    pub user: Uuid,
    /// The organization, where there is one.
    pub organization: Uuid,
}

impl Client {
    pub(super) fn new(http: reqwest::Client, url: String) -> Self {
        Self { http, url, headers: Vec::new(), user: Uuid::nil(), organization: Uuid::nil() }
    }

    /// The same client with a token.
    pub fn with_token(self, token: &str) -> Self {
        self.with_header("authorization", &format!("Bearer {token}"))
    }

    /// The same client with a header in all requests.
    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        self.headers.retain(|(known, _)| known != name);
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(super) fn with_identity(mut self, user: Uuid, organization: Uuid) -> Self {
        self.user = user;
        self.organization = organization;
        self
    }

    /// Sends a request.
    pub async fn send(&self, method: Method, path: &str, body: Option<Value>) -> Answer {
        let mut request = self.request(method, path);
        if let Some(body) = body {
            request = request.json(&body);
        }
        Self::answer(request).await
    }

    /// Sends a request with a body that is no JSON, or is sent as something else.
    pub async fn send_raw(
        &self,
        method: Method,
        path: &str,
        content_type: &str,
        body: impl Into<reqwest::Body>,
    ) -> Answer {
        Self::answer(self.request(method, path).header("content-type", content_type).body(body)).await
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, None).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.send(Method::POST, path, Some(body)).await
    }

    pub async fn put(&self, path: &str, body: Value) -> Answer {
        self.send(Method::PUT, path, Some(body)).await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        self.send(Method::DELETE, path, None).await
    }

    /// Stores a workflow and gives its id.
    pub async fn workflow(&self, name: &str, definition: Value) -> Uuid {
        let answer = self.post("/api/v1/workflows", json!({ "name": name, "definition": definition })).await;
        assert_eq!(answer.status, 201, "{}", answer.text);
        answer.id()
    }

    /// The request itself, for what the methods above do not offer.
    pub fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        let mut request = self.http.request(method, format!("{}{path}", self.url));
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        request
    }

    /// Sends it.
    pub async fn answer(request: reqwest::RequestBuilder) -> Answer {
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await.unwrap();
        Answer { status, headers, body: serde_json::from_str(&text).unwrap_or(Value::Null), text }
    }
}
