//! Files as the API shows them.

use chrono::{DateTime, Utc};
use serde::Serialize;
use store::files::{File, FileStoreError};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::problem::{Code, Problem};

/// A stored file.
#[derive(Serialize, ToSchema)]
#[schema(as = File)]
pub struct FileBody {
    id: Uuid,
    /// Its name for people.
    filename: String,
    /// Its media type, as its sender said.
    #[schema(required)]
    mime_type: Option<String>,
    size_bytes: i64,
    /// SHA-256 of the content, in hex.
    #[schema(required)]
    sha256: Option<String>,
    /// The execution that made it.
    #[schema(required)]
    execution_id: Option<Uuid>,
    /// Who uploaded it.
    #[schema(required)]
    user_id: Option<Uuid>,
    created_at: DateTime<Utc>,
}

impl From<File> for FileBody {
    fn from(file: File) -> Self {
        Self {
            id: file.id,
            filename: file.filename,
            mime_type: file.mime_type,
            size_bytes: file.size_bytes,
            sha256: file.sha256,
            execution_id: file.execution_id,
            user_id: file.user_id,
            created_at: file.created_at.to_utc(),
        }
    }
}

/// What the file store says, as the API tells it.
pub(super) fn store_problem(error: FileStoreError) -> Problem {
    match error {
        FileStoreError::TooLarge { max_bytes } => {
            Problem::new(Code::BodyTooLarge, format!("the file has more than {max_bytes} bytes"))
        }
        FileStoreError::Source(source) => Problem::field("body", format!("cannot be read: {source}")),
        FileStoreError::Folder { .. } | FileStoreError::Io(_) => {
            let cause = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
            Problem::internal(format!("{error}: {cause}"))
        }
    }
}
