//! Every kind of problem, as a stable word.

use actix_web::http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

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
    /// Every code, for the documentation.
    pub const ALL: [Self; 19] = [
        Self::InvalidRequest,
        Self::InvalidWorkflow,
        Self::Unauthenticated,
        Self::InvalidLogin,
        Self::InvalidSignature,
        Self::TimestampOutOfRange,
        Self::Forbidden,
        Self::SignUpClosed,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::AlreadyExists,
        Self::VersionConflict,
        Self::StateConflict,
        Self::ReferenceConflict,
        Self::BodyTooLarge,
        Self::UnsupportedMediaType,
        Self::ExecutionFailed,
        Self::Internal,
        Self::Unavailable,
    ];

    /// The word in the body.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        self.facts().0
    }

    /// The HTTP status.
    #[must_use]
    pub const fn status(self) -> StatusCode {
        self.facts().1
    }

    /// The code in words.
    #[must_use]
    pub const fn title(self) -> &'static str {
        self.facts().2
    }

    const fn facts(self) -> (&'static str, StatusCode, &'static str) {
        match self {
            Self::InvalidRequest => ("invalid_request", StatusCode::BAD_REQUEST, "The request is not valid"),
            Self::InvalidWorkflow => {
                ("invalid_workflow", StatusCode::UNPROCESSABLE_ENTITY, "The workflow is not valid")
            }
            Self::Unauthenticated => ("unauthenticated", StatusCode::UNAUTHORIZED, "Sign in first"),
            Self::InvalidLogin => {
                ("invalid_login", StatusCode::UNAUTHORIZED, "E-mail address or password is wrong")
            }
            Self::InvalidSignature => {
                ("invalid_signature", StatusCode::UNAUTHORIZED, "The signature is not valid")
            }
            Self::TimestampOutOfRange => {
                ("timestamp_out_of_range", StatusCode::UNAUTHORIZED, "The timestamp is out of range")
            }
            Self::Forbidden => ("forbidden", StatusCode::FORBIDDEN, "Not allowed"),
            Self::SignUpClosed => ("sign_up_closed", StatusCode::FORBIDDEN, "Sign-up is closed"),
            Self::NotFound => ("not_found", StatusCode::NOT_FOUND, "Not found"),
            Self::MethodNotAllowed => {
                ("method_not_allowed", StatusCode::METHOD_NOT_ALLOWED, "Method not allowed")
            }
            Self::AlreadyExists => ("already_exists", StatusCode::CONFLICT, "It exists already"),
            Self::VersionConflict => {
                ("version_conflict", StatusCode::CONFLICT, "It was changed in the meantime")
            }
            Self::StateConflict => ("state_conflict", StatusCode::CONFLICT, "Not possible in this state"),
            Self::ReferenceConflict => {
                ("reference_conflict", StatusCode::CONFLICT, "It is in use, or refers to what does not exist")
            }
            Self::BodyTooLarge => ("body_too_large", StatusCode::PAYLOAD_TOO_LARGE, "The body is too large"),
            Self::UnsupportedMediaType => {
                ("unsupported_media_type", StatusCode::UNSUPPORTED_MEDIA_TYPE, "Media type not supported")
            }
            Self::ExecutionFailed => {
                ("execution_failed", StatusCode::INTERNAL_SERVER_ERROR, "The execution failed")
            }
            Self::Internal => ("internal", StatusCode::INTERNAL_SERVER_ERROR, "Something went wrong"),
            Self::Unavailable => ("unavailable", StatusCode::SERVICE_UNAVAILABLE, "Try again later"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_word_of_a_code_is_the_one_in_the_body() {
        for code in Code::ALL {
            assert_eq!(serde_json::to_value(code).unwrap(), code.as_str());
        }
    }

    #[test]
    fn the_codes_with_their_statuses_stay_as_they_are() {
        let table: Vec<String> =
            Code::ALL.iter().map(|code| format!("{} {}", code.status().as_u16(), code.as_str())).collect();
        insta::assert_snapshot!(table.join("\n"));
    }
}
