//! A file store in a local folder.
//!
//! A path is made of an id and of nothing that a user gave. Content is written beside its place, flushed to the disk,
//! and then renamed: a file is there whole or not at all, after a power cut too.

use std::io;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use futures::{Stream, StreamExt as _};
use sha2::{Digest, Sha256};
use tokio::fs;
use tokio::io::AsyncWriteExt as _;
use tokio_util::io::ReaderStream;
use uuid::Uuid;

use crate::ids;

/// The folder within the store for content that is still being written.
const INCOMING: &str = "incoming";

/// Why content could not be stored or read.
#[derive(Debug, thiserror::Error)]
pub enum FileStoreError {
    /// It is larger than allowed.
    #[error("the file is larger than {max_bytes} bytes")]
    TooLarge {
        /// The limit.
        max_bytes: u64,
    },
    /// Whoever sends the content failed.
    #[error("the content could not be read to its end")]
    Source(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The folder of the store cannot be used.
    #[error("the file store at {} cannot be used", .path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The disk failed.
    #[error("the file store failed")]
    Io(#[from] io::Error),
}

/// What was stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredContent {
    /// Its size.
    pub size_bytes: u64,
    /// SHA-256 of it, in hex.
    pub sha256: String,
    /// Where it is, within the store.
    pub storage_path: String,
}

/// Content to be read.
#[derive(Debug)]
pub struct OpenFile {
    /// The file, at its start; it can be moved for a range.
    pub file: fs::File,
    /// Its size.
    pub size_bytes: u64,
}

impl OpenFile {
    /// The content, piece by piece.
    pub fn into_stream(self) -> impl Stream<Item = io::Result<Bytes>> + Send + 'static {
        ReaderStream::with_capacity(self.file, 64 * 1024)
    }
}

/// A folder with the content of files.
#[derive(Clone, Debug)]
pub struct FileStore {
    root: PathBuf,
}

impl FileStore {
    /// Opens the store in a folder, which is made if it is not there, and throws away what was never finished.
    ///
    /// # Errors
    /// [`FileStoreError::Folder`].
    pub async fn open(root: impl Into<PathBuf>) -> Result<Self, FileStoreError> {
        let root = root.into();
        let prepared = prepare(&root).await;
        prepared.map_err(|source| FileStoreError::Folder { path: root.clone(), source })?;
        Ok(Self { root })
    }

    /// Stores the content of a file, at most `max_bytes` of it.
    ///
    /// # Errors
    /// [`FileStoreError`]; nothing is left of content that was not stored.
    pub async fn put<E>(
        &self,
        file_id: Uuid,
        content: impl Stream<Item = Result<Bytes, E>>,
        max_bytes: u64,
    ) -> Result<StoredContent, FileStoreError>
    where
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let incoming = Incoming(self.root.join(INCOMING).join(ids::new_id().to_string()));
        let (size_bytes, sha256) = write(&incoming.0, content, max_bytes).await?;
        let storage_path = storage_path(file_id);
        let path = self.root.join(&storage_path);
        let folder = path.parent().unwrap_or(&self.root);
        fs::create_dir_all(folder).await?;
        fs::rename(&incoming.0, &path).await?;
        // The new name is in the folder, and has to survive a power cut as the content does.
        fs::File::open(folder).await?.sync_all().await?;
        Ok(StoredContent { size_bytes, sha256, storage_path })
    }

    /// Opens the content of a file; `None` when there is none.
    ///
    /// # Errors
    /// [`FileStoreError::Io`].
    pub async fn read(&self, file_id: Uuid) -> Result<Option<OpenFile>, FileStoreError> {
        match fs::File::open(self.root.join(storage_path(file_id))).await {
            Ok(file) => {
                let size_bytes = file.metadata().await?.len();
                Ok(Some(OpenFile { file, size_bytes }))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Deletes the content of a file; whether there was any.
    ///
    /// # Errors
    /// [`FileStoreError::Io`].
    pub async fn delete(&self, file_id: Uuid) -> Result<bool, FileStoreError> {
        match fs::remove_file(self.root.join(storage_path(file_id))).await {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
}

/// Content that is still being written; what is left of it when it is dropped is deleted.
struct Incoming(PathBuf);

impl Drop for Incoming {
    fn drop(&mut self) {
        // Gone already when all went well; what cannot be deleted now is deleted when the store is next opened.
        let _: io::Result<()> = std::fs::remove_file(&self.0);
    }
}

async fn prepare(root: &Path) -> io::Result<()> {
    let incoming = root.join(INCOMING);
    fs::create_dir_all(&incoming).await?;
    let mut entries = fs::read_dir(&incoming).await?;
    while let Some(entry) = entries.next_entry().await? {
        if is_abandoned(&entry.metadata().await?) {
            match fs::remove_file(entry.path()).await {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
    }
    Ok(())
}

/// Another process may be writing into the same folder: only what nobody has touched for a day is thrown away.
fn is_abandoned(metadata: &std::fs::Metadata) -> bool {
    const A_DAY: std::time::Duration = std::time::Duration::from_secs(86_400);
    metadata.modified().ok().and_then(|at| at.elapsed().ok()).is_some_and(|age| age > A_DAY)
}

async fn write<E>(
    path: &Path,
    content: impl Stream<Item = Result<Bytes, E>>,
    max_bytes: u64,
) -> Result<(u64, String), FileStoreError>
where
    E: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).await?;
    let mut hash = Sha256::new();
    let mut size_bytes = 0u64;
    let mut content = std::pin::pin!(content);
    while let Some(piece) = content.next().await {
        let piece = piece.map_err(|error| FileStoreError::Source(error.into()))?;
        size_bytes = size_bytes.saturating_add(piece.len() as u64);
        if size_bytes > max_bytes {
            return Err(FileStoreError::TooLarge { max_bytes });
        }
        hash.update(&piece);
        file.write_all(&piece).await?;
    }
    file.flush().await?;
    file.sync_all().await?;
    Ok((size_bytes, hex::encode(hash.finalize())))
}

/// Two levels of 256 folders. They are named by the end of the id, which is chance; its beginning is the time, and
/// would put all the files of a day into one.
fn storage_path(file_id: Uuid) -> String {
    let hex = file_id.simple().to_string();
    format!("{}/{}/{hex}", &hex[30..32], &hex[28..30])
}

#[cfg(test)]
mod tests;
