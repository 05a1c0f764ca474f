//! Bytes that come with a call: small ones stay in the item, large ones become stored files.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use engine::item::Binary;
use sea_orm::ConnectionTrait;
use serde_json::json;
use store::files::{self, FileStore, FileStoreError, NewFile, StoredContent};
use uuid::Uuid;

use crate::problem::Problem;
use crate::state::State;

/// Bytes that came with a call.
#[derive(Debug, PartialEq)]
pub(super) struct Attachment {
    /// The name under which the item holds it.
    pub property: String,
    /// Its media type.
    pub mime_type: String,
    /// The sender's name for it.
    pub file_name: Option<String>,
    /// The bytes.
    pub bytes: Bytes,
}

/// The attachments of an item. Content that is stored already gets its rows with the execution, or is discarded.
#[derive(Default)]
pub(super) struct Kept {
    /// What the item holds, by property.
    pub binary: BTreeMap<String, Binary>,
    stored: Vec<Stored>,
}

struct Stored {
    id: Uuid,
    file_name: String,
    mime_type: String,
    content: StoredContent,
}

impl Kept {
    /// Keeps attachments.
    ///
    /// # Errors
    /// The file store failed.
    pub(super) async fn keep(state: &State, attachments: Vec<Attachment>) -> Result<Self, Problem> {
        let mut kept = Self::default();
        for attachment in attachments {
            if let Err(error) = kept.add(state, attachment).await {
                kept.discard(&state.files).await;
                return Err(Problem::internal(error));
            }
        }
        Ok(kept)
    }

    async fn add(&mut self, state: &State, attachment: Attachment) -> Result<(), FileStoreError> {
        let Attachment { property, mime_type, file_name, bytes } = attachment;
        let mut binary = Binary {
            file_extension: file_name
                .as_deref()
                .and_then(|name| name.rsplit_once('.'))
                .map(|(_, end)| end.to_owned()),
            size_bytes: Some(bytes.len() as u64),
            mime_type: mime_type.clone(),
            file_name: file_name.clone(),
            ..Binary::default()
        };
        if bytes.len() <= state.settings.worker.inline_binary_bytes {
            binary.data = STANDARD.encode(&bytes).into();
        } else {
            let id = store::ids::new_id();
            let source = futures::stream::once(std::future::ready(Ok::<_, std::io::Error>(bytes)));
            // The limit of the body was kept already.
            let content = state.files.put(id, source, u64::MAX).await?;
            binary.id = Some(id.to_string());
            let file_name = file_name.unwrap_or_else(|| property.clone());
            self.stored.push(Stored { id, file_name, mime_type, content });
        }
        self.binary.insert(property, binary);
        Ok(())
    }

    /// Makes the rows of stored content.
    ///
    /// # Errors
    /// Those of the database.
    pub(super) async fn record(
        &self,
        tx: &impl ConnectionTrait,
        now: DateTime<Utc>,
        organization_id: Uuid,
        execution_id: Uuid,
    ) -> Result<(), store::Error> {
        for stored in &self.stored {
            let new = NewFile {
                id: stored.id,
                organization_id,
                user_id: None,
                execution_id: Some(execution_id),
                filename: stored.file_name.replace('\0', "\u{fffd}"),
                mime_type: Some(stored.mime_type.clone()),
                content: stored.content.clone(),
                metadata: json!({}),
            };
            files::create(tx, now, new).await?;
        }
        Ok(())
    }

    /// Deletes content that got no row.
    pub(super) async fn discard(self, files: &FileStore) {
        for stored in self.stored {
            if let Err(error) = files.delete(stored.id).await {
                tracing::warn!(file = %stored.id, %error, "content without a row was left behind");
            }
        }
    }
}
