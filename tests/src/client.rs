//! Somebody who sends requests, and remembers what came back.

use std::sync::{Arc, Mutex};

use reqwest::header::HeaderMap;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

/// What everybody's password is.
pub const PASSWORD: &str = "correct horse battery staple";

/// What came back.
#[derive(Clone, Debug)]
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

    /// Fails unless it is a problem with this status and code.
    #[track_caller]
    pub fn problem(self, status: u16, code: &str) {
        assert_eq!((self.status, self.body["code"].as_str()), (status, Some(code)), "{}", self.text);
        assert_eq!(self.headers.get("content-type").unwrap(), "application/problem+json", "{}", self.text);
    }
}

/// Somebody who sends requests, with or without an account.
#[derive(Clone, Debug)]
pub struct Client {
    http: reqwest::Client,
    url: String,
    token: Option<String>,
    /// Every body that came back, to anybody: what must never be shown is looked for here.
    received: Arc<Mutex<Vec<String>>>,
}

impl Client {
    pub(crate) fn new(url: &str) -> Self {
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy();
        Self { http: http.build().unwrap(), url: url.to_owned(), token: None, received: Arc::default() }
    }

    /// The same person, known by a session token or API key.
    #[must_use]
    pub fn with_token(&self, token: &str) -> Self {
        Self { token: Some(token.to_owned()), ..self.clone() }
    }

    /// Makes an account; gives its owner, signed in.
    pub async fn sign_up(&self, email: &str) -> Self {
        let answer = self.post("/api/v1/auth/sign-up", json!({ "email": email, "password": PASSWORD })).await;
        self.with_token(answer.expect(201)["token"].as_str().unwrap())
    }

    /// Signs in.
    pub async fn log_in(&self, email: &str, password: &str) -> Self {
        let answer = self.post("/api/v1/auth/login", json!({ "email": email, "password": password })).await;
        self.with_token(answer.expect(200)["token"].as_str().unwrap())
    }

    /// GET.
    pub async fn get(&self, path: &str) -> Answer {
        self.send(self.request(Method::GET, path)).await
    }

    /// POST with JSON.
    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.send(self.request(Method::POST, path).json(&body)).await
    }

    /// PUT with JSON.
    pub async fn put(&self, path: &str, body: Value) -> Answer {
        self.send(self.request(Method::PUT, path).json(&body)).await
    }

    /// Stores a workflow that is free of problems and switches it on; gives its id.
    pub async fn workflow(&self, name: &str, definition: Value) -> String {
        let request = json!({ "name": name, "definition": definition, "active": true });
        let stored = self.post("/api/v1/workflows", request).await.expect(201);
        stored["id"].as_str().unwrap().to_owned()
    }

    /// Starts an execution; gives its id.
    pub async fn execute(&self, workflow: &str) -> String {
        let started =
            self.post(&format!("/api/v1/workflows/{workflow}/execute"), json!({})).await.expect(202);
        started["id"].as_str().unwrap().to_owned()
    }

    /// An execution.
    pub async fn execution(&self, id: &str) -> Value {
        self.get(&format!("/api/v1/executions/{id}")).await.expect(200)
    }

    /// The steps of an execution, without their items.
    pub async fn steps(&self, execution: &str) -> Vec<Value> {
        self.list(&format!("/api/v1/executions/{execution}/steps?limit=200")).await
    }

    /// All items of a list, page after page. The path has a query already.
    pub async fn list(&self, path: &str) -> Vec<Value> {
        let (mut items, mut after) = (Vec::new(), String::new());
        loop {
            let page = self.get(&format!("{path}{after}")).await.expect(200);
            items.extend(page["items"].as_array().unwrap().iter().cloned());
            let Some(next) = page["next"].as_str() else { return items };
            after = format!("&after={next}");
        }
    }

    /// A request, for what the methods above do not offer. The path may be a whole address.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let url = if path.starts_with("http") { path.to_owned() } else { format!("{}{path}", self.url) };
        let request = self.http.request(method, url);
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    /// Sends a request; fails when there is no answer.
    pub async fn send(&self, request: RequestBuilder) -> Answer {
        self.try_send(request).await.unwrap()
    }

    /// Sends a request to a service that may be gone.
    ///
    /// # Errors
    /// There was no answer, or not all of it came.
    pub async fn try_send(&self, request: RequestBuilder) -> reqwest::Result<Answer> {
        let response = request.send().await?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await?;
        self.remember(&text);
        Ok(Answer { status, headers, body: serde_json::from_str(&text).unwrap_or(Value::Null), text })
    }

    pub(crate) fn remember(&self, text: &str) {
        self.received.lock().unwrap().push(text.to_owned());
    }

    /// The bodies that came back and hold a text.
    #[must_use]
    pub fn received_with(&self, text: &str) -> Vec<String> {
        self.received.lock().unwrap().iter().filter(|body| body.contains(text)).cloned().collect()
    }
}
