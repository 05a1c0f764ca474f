//! What can be wrong with a key or with a sealed value.

use std::io;
use std::path::PathBuf;

use super::KeyId;

/// A failure of the vault. Never holds key material or plaintext.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// There is no key where one was expected.
    #[error("there is no encryption key: {} does not exist", .path.display())]
    MissingKey {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// The settings name no key.
    #[error("no encryption key is set: set vault.key_file or vault.key")]
    NoKey,
    /// The key file could not be read or written.
    #[error("the encryption key {} cannot be {action}: {reason}", .path.display())]
    KeyFile {
        /// The file.
        path: PathBuf,
        /// What was tried: `read` or `written`.
        action: &'static str,
        /// What the system said.
        reason: io::ErrorKind,
    },
    /// Others than the owner may read the key file.
    #[error("the encryption key {} is open to others (mode {mode:03o}): set it to 600", .path.display())]
    LooseMode {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The text is no key.
    #[error("the encryption key is not usable: {reason}")]
    InvalidKey {
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The database was encrypted with a key that this keyring has not.
    #[error(
        "the encryption key does not fit this database: its credentials are sealed with key {expected}, \
         the current key is {current}"
    )]
    WrongKey {
        /// The key that the database asks for.
        expected: KeyId,
        /// The key that we have.
        current: KeyId,
    },
    /// The key that sealed the value is not in the keyring.
    #[error("the value is sealed with key {key_id}, which is not in the keyring")]
    UnknownKey {
        /// The key that it asks for.
        key_id: KeyId,
    },
    /// The value was sealed for another place.
    #[error("the value was sealed for another {}", .place.as_str())]
    Misplaced {
        /// What of the place differs.
        place: Place,
    },
    /// The value is damaged.
    #[error("the sealed value is damaged: {reason}")]
    Corrupt {
        /// In which way.
        reason: &'static str,
    },
    /// The value is in a format of a later release.
    #[error("the sealed value has format {version}, which this release does not know")]
    UnknownVersion {
        /// The number it starts with.
        version: u8,
    },
    /// The secret is larger than the cipher can take.
    #[error("the secret is too large to be sealed")]
    TooLarge,
}

/// A part of the place that a value was sealed for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// The table.
    Table,
    /// The row.
    Row,
    /// The organization.
    Organization,
    /// The column.
    Field,
}

impl Place {
    pub(super) const ALL: [Self; 4] = [Self::Table, Self::Row, Self::Organization, Self::Field];

    /// The word for messages.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::Row => "row",
            Self::Organization => "organization",
            Self::Field => "field",
        }
    }
}
