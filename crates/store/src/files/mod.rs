//! Files: what was uploaded, or made by an execution.
//!
//! A row says what a file is; its content is in the [`FileStore`], under a path that is made of the row's id alone. The
//! content is written first and the row after it, so a row never lacks its content; content without a row, left by a
//! crash in between, is waste and no harm.

mod local;

use chrono::{DateTime, Utc};
use entity::files;
use sea_orm::{ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, Set};
use serde_json::Value;
use uuid::Uuid;

use crate::page::{Cursor, Direction, Page, PageRequest};
use crate::{Result, text};

pub use entity::files::Model as File;
pub use local::{FileStore, FileStoreError, OpenFile, StoredContent};

/// A file whose content is stored.
#[derive(Clone, Debug)]
pub struct NewFile {
    /// The id under which the content is stored.
    pub id: Uuid,
    /// The organization.
    pub organization_id: Uuid,
    /// Who uploaded it.
    pub user_id: Option<Uuid>,
    /// The execution that made it.
    pub execution_id: Option<Uuid>,
    /// Its name for people.
    pub filename: String,
    /// Its media type.
    pub mime_type: Option<String>,
    /// What [`FileStore::put`] gave back.
    pub content: StoredContent,
    /// Anything else about it.
    pub metadata: Value,
}

/// Makes the row of a file.
///
/// # Errors
/// [`crate::Error::ForeignKey`] when there is no such organization or execution.
pub async fn create(tx: &impl ConnectionTrait, now: DateTime<Utc>, new: NewFile) -> Result<File> {
    text::refuse_nul("filename", &new.filename)?;
    text::refuse_nul_in("metadata", &new.metadata)?;
    if let Some(mime_type) = &new.mime_type {
        text::refuse_nul("mime_type", mime_type)?;
    }
    let row = files::ActiveModel {
        id: Set(new.id),
        organization_id: Set(new.organization_id),
        user_id: Set(new.user_id),
        execution_id: Set(new.execution_id),
        filename: Set(new.filename),
        mime_type: Set(new.mime_type),
        size_bytes: Set(i64::try_from(new.content.size_bytes).unwrap_or(i64::MAX)),
        sha256: Set(Some(new.content.sha256)),
        storage_path: Set(new.content.storage_path),
        metadata: Set(match new.metadata {
            Value::Null => Value::Object(serde_json::Map::new()),
            metadata => metadata,
        }),
        created_at: Set(now.fixed_offset()),
        ..Default::default()
    };
    Ok(row.insert(tx).await?)
}

/// The file with this id.
///
/// # Errors
/// Those of the database.
pub async fn find(db: &impl ConnectionTrait, organization_id: Uuid, file_id: Uuid) -> Result<Option<File>> {
    Ok(files::Entity::find_by_id(file_id)
        .filter(files::Column::OrganizationId.eq(organization_id))
        .one(db)
        .await?)
}

/// Which files are wanted; `None` means all.
#[derive(Clone, Copy, Debug, Default)]
pub struct FileFilter {
    /// Made by this execution.
    pub execution_id: Option<Uuid>,
}

/// The files of an organization, the newest first.
///
/// # Errors
/// Those of the database.
pub async fn list(
    db: &impl ConnectionTrait,
    organization_id: Uuid,
    filter: FileFilter,
    page: PageRequest,
) -> Result<Page<File>> {
    let mut select = files::Entity::find().filter(files::Column::OrganizationId.eq(organization_id));
    if let Some(execution_id) = filter.execution_id {
        select = select.filter(files::Column::ExecutionId.eq(execution_id));
    }
    let rows = page
        .apply(select, files::Column::CreatedAt, files::Column::Id, Direction::NewestFirst)
        .all(db)
        .await?;
    Ok(page.page(rows, |file| Cursor::new(file.created_at, file.id)))
}

/// Deletes the row of a file and gives it back; the caller deletes the content after the commit.
///
/// # Errors
/// Those of the database.
pub async fn delete(tx: &impl ConnectionTrait, organization_id: Uuid, file_id: Uuid) -> Result<Option<File>> {
    let rows = files::Entity::delete_many()
        .filter(files::Column::Id.eq(file_id))
        .filter(files::Column::OrganizationId.eq(organization_id))
        .exec_with_returning(tx)
        .await?;
    Ok(rows.into_iter().next())
}
