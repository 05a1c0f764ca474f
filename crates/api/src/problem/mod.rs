//! Errors as the API tells them: RFC 9457 problem details, with a stable `code`.
//!
//! Everything that goes wrong in a handler becomes a [`Problem`]. A 5xx says nothing of its cause
//! outside; the cause is logged once, here, with the request's id.

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpResponse, ResponseError};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

/// What went wrong, as a stable word. Clients decide by it; the words never change their meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Code {
    /// The request is not what the route takes; `errors` names the fields.
    InvalidRequest,
    /// The workflow has problems that keep it from running; `errors` names nodes and fields.
    InvalidWorkflow,
    /// No credentials, or none that are valid.
    Unauthenticated,
    /// E-mail address or password is wrong.
    InvalidLogin,
    /// A webhook's signature is missing or wrong.
    InvalidSignature,
    /// A webhook's timestamp is too old or in the future.
    TimestampOutOfRange,
    /// The role or the API key does not allow this.
    Forbidden,
    /// Accounts are created by an administrator only.
    SignUpClosed,
    /// There is no such thing, or it is not yours.
    NotFound,
    /// The route does not take this method.
    MethodNotAllowed,
    /// It exists already; `errors` names the field.
    AlreadyExists,
    /// Somebody saved another version in the meantime.
    VersionConflict,
    /// Its state does not allow this.
    StateConflict,
    /// Something else still refers to it, or what it refers to does not exist.
    ReferenceConflict,
    /// The body is larger than allowed.
    BodyTooLarge,
    /// The body's media type is not one that the route takes.
    UnsupportedMediaType,
    /// The execution failed.
    ExecutionFailed,
    /// Our mistake; it is in the log under `request_id`.
    Internal,
    /// Too busy, or the database does not answer; try again.
    Unavailable,
}

impl Code {
    /// The HTTP status and the title that belong to the code.
    #[must_use]
    pub fn status_and_title(self) -> (StatusCode, &'static str) {
        match self {
            Self::InvalidRequest => (StatusCode::BAD_REQUEST, "The request is not valid"),
            Self::InvalidWorkflow => (StatusCode::UNPROCESSABLE_ENTITY, "The workflow is not valid"),
            Self::Unauthenticated => (StatusCode::UNAUTHORIZED, "Sign in first"),
            Self::InvalidLogin => (StatusCode::UNAUTHORIZED, "E-mail address or password is wrong"),
            Self::InvalidSignature => (StatusCode::UNAUTHORIZED, "The signature is not valid"),
            Self::TimestampOutOfRange => (StatusCode::UNAUTHORIZED, "The timestamp is out of range"),
            Self::Forbidden => (StatusCode::FORBIDDEN, "Not allowed"),
            Self::SignUpClosed => (StatusCode::FORBIDDEN, "Sign-up is closed"),
            Self::NotFound => (StatusCode::NOT_FOUND, "Not found"),
            Self::MethodNotAllowed => (StatusCode::METHOD_NOT_ALLOWED, "Method not allowed"),
            Self::AlreadyExists => (StatusCode::CONFLICT, "It exists already"),
            Self::VersionConflict => (StatusCode::CONFLICT, "It was changed in the meantime"),
            Self::StateConflict => (StatusCode::CONFLICT, "Not possible in this state"),
            Self::ReferenceConflict => (StatusCode::CONFLICT, "It is in use, or refers to what does not exist"),
            Self::BodyTooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "The body is too large"),
            Self::UnsupportedMediaType => (StatusCode::UNSUPPORTED_MEDIA_TYPE, "Media type not supported"),
            Self::ExecutionFailed => (StatusCode::INTERNAL_SERVER_ERROR, "The execution failed"),
            Self::Internal => (StatusCode::INTERNAL_SERVER_ERROR, "Something went wrong"),
            Self::Unavailable => (StatusCode::SERVICE_UNAVAILABLE, "Try again later"),
        }
    }
}

/// A problem, and the cause that is kept from the client.
#[derive(Debug)]
pub struct Problem {
    code: Code,
    detail: String,
    errors: Vec<FieldError>,
    retry_after_secs: Option<u32>,
    allow: Option<&'static str>,
}

/// One field that is wrong.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct FieldError {
    /// The node of the workflow, by name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
    /// The field, as a path.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// The kind of mistake, where there is a word for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// What is wrong, and what would be right.
    pub message: String,
}

/// The body of a problem (RFC 9457).
#[derive(Debug, Serialize, ToSchema)]
pub struct ProblemBody {
    /// A relative reference that stands for the code.
    #[serde(rename = "type")]
    #[schema(example = "/docs/problems#not_found")]
    type_uri: String,
    /// The code in words.
    #[schema(example = "Not found")]
    title: &'static str,
    /// The HTTP status.
    #[schema(example = 404)]
    status: u16,
    /// What happened this time.
    detail: String,
    /// The stable word.
    code: Code,
    /// The fields that are wrong.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<FieldError>,
    /// What to search the server's log for.
    request_id: Uuid,
}

impl Problem {
    /// A problem with what happened this time.
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into(), errors: Vec::new(), retry_after_secs: None, allow: None }
    }

    /// There is no such `noun`.
    #[must_use]
    pub fn not_found(noun: &str) -> Self {
        Self::new(Code::NotFound, format!("there is no such {noun}"))
    }

    /// A field of the request that is wrong.
    pub fn field(field: &str, message: impl Into<String>) -> Self {
        let message = message.into();
        let detail = format!("{field}: {message}");
        let error = FieldError { field: Some(field.to_owned()), message, ..FieldError::default() };
        Self::new(Code::InvalidRequest, detail).with_errors(vec![error])
    }

    /// Our mistake: the cause is logged, the client is told nothing of it.
    pub fn internal(cause: impl std::fmt::Display) -> Self {
        tracing::error!(cause = %cause, "a request failed");
        Self::new(Code::Internal, "the cause is in the server's log")
    }

    /// The same problem, with the fields that are wrong.
    #[must_use]
    pub fn with_errors(mut self, errors: Vec<FieldError>) -> Self {
        self.errors = errors;
        self
    }

    /// The same problem, with the methods that the route takes.
    #[must_use]
    pub fn with_allow(mut self, methods: &'static str) -> Self {
        self.allow = Some(methods);
        self
    }

    /// The same problem, to be tried again after so many seconds.
    #[must_use]
    pub fn with_retry_after(mut self, seconds: u32) -> Self {
        self.retry_after_secs = Some(seconds);
        self
    }

    /// The code.
    #[must_use]
    pub fn code(&self) -> Code {
        self.code
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.detail)
    }
}

impl std::error::Error for Problem {}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        self.code.status_and_title().0
    }

    fn error_response(&self) -> HttpResponse {
        let (status, title) = self.code.status_and_title();
        let code = serde_json::to_value(self.code).ok().and_then(|word| word.as_str().map(str::to_owned)).unwrap_or_default();
        let request_id = Uuid::now_v7();
        if status.is_server_error() {
            tracing::error!(%request_id, code, "answered with a server error");
        }
        let mut response = HttpResponse::build(status);
        if let Some(seconds) = self.retry_after_secs {
            response.insert_header((header::RETRY_AFTER, seconds.to_string()));
        }
        if let Some(methods) = self.allow {
            response.insert_header((header::ALLOW, HeaderValue::from_static(methods)));
        }
        if status == StatusCode::UNAUTHORIZED {
            response.insert_header((header::WWW_AUTHENTICATE, "Bearer"));
        }
        response.content_type("application/problem+json").json(ProblemBody {
            type_uri: format!("/docs/problems#{code}"),
            title,
            status: status.as_u16(),
            detail: self.detail.clone(),
            code: self.code,
            errors: self.errors.clone(),
            request_id,
        })
    }
}
