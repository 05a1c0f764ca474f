//! What the store says, as the API tells it.

use super::{Code, FieldError, Problem};

/// Seconds after which a caller may try again when the database is busy.
const RETRY_AFTER_SECS: u32 = 1;

/// Constraints that a request can run into, with the field that it has to change.
const UNIQUE: [(&str, &str, &str); 4] = [
    ("uq_users_email", "email", "there is an account with this address"),
    ("uq_api_keys_organization_id_user_id_key_name", "name", "you have an API key of this name"),
    (
        "uq_integrations_organization_id_service_name_display_name",
        "name",
        "there is an integration of this name for the connector",
    ),
    ("uq_webhooks_path", "path", "another webhook has this path"),
];

impl From<store::Error> for Problem {
    fn from(error: store::Error) -> Self {
        use store::Error as E;
        match error {
            E::Unique { constraint } => match UNIQUE.iter().find(|(known, _, _)| *known == constraint) {
                Some((_, field, message)) => Self::already_exists(field, *message),
                None => Self::new(Code::AlreadyExists, format!("there is one already ({constraint})")),
            },
            E::WebhookPathTaken { path } => Self::already_exists(
                "path",
                format!("another webhook of this installation has the path {path:?}"),
            ),
            E::ForeignKey { .. } => {
                Self::new(Code::ReferenceConflict, "it refers to something that does not exist")
            }
            E::Check { constraint } => {
                Self::new(Code::InvalidRequest, format!("a value is not among those allowed ({constraint})"))
            }
            E::Invalid { field, reason } => Self::field(&field, reason),
            error if error.is_temporary() => {
                tracing::warn!(error = %chain(&error), "the database did not answer in time");
                Self::new(Code::Unavailable, "the database is busy").with_retry_after(RETRY_AFTER_SECS)
            }
            error => Self::internal(chain(&error)),
        }
    }
}

impl From<sea_orm::DbErr> for Problem {
    fn from(error: sea_orm::DbErr) -> Self {
        store::Error::from(error).into()
    }
}

impl Problem {
    fn already_exists(field: &str, message: impl Into<String>) -> Self {
        let message = message.into();
        let error =
            FieldError { field: Some(field.to_owned()), message: message.clone(), ..FieldError::default() };
        Self::new(Code::AlreadyExists, message).with_errors(vec![error])
    }
}

/// An error with its causes, in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text += ": ";
        text += &error.to_string();
        cause = error.source();
    }
    text
}
