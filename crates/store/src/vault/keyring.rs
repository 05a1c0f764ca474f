//! The keys of the vault, and where they come from.
//!
//! A key is 32 random bytes, written in base64. A key file has one key per line, the current one first and those
//! before it after it; empty lines and lines that start with `#` do not count. It must be closed to everybody but its
//! owner.

use std::fmt;
use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chacha20poly1305::XChaCha20Poly1305;
use chacha20poly1305::aead::{Generate, Key as AeadKey};
use sha2::{Digest, Sha256};

use super::Error;
use crate::settings::{self, Secret};

/// The name of a key: the start of its SHA-256. Not secret.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct KeyId([u8; 8]);

impl KeyId {
    pub(super) fn from_bytes(bytes: [u8; 8]) -> Self {
        Self(bytes)
    }

    pub(super) fn as_bytes(&self) -> &[u8; 8] {
        &self.0
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyId({self})")
    }
}

/// A key; `Debug` shows its id only.
#[derive(Clone)]
pub(super) struct Key {
    bytes: [u8; 32],
    id: KeyId,
}

impl Key {
    fn new(bytes: [u8; 32]) -> Self {
        let mut id = [0u8; 8];
        id.copy_from_slice(&Sha256::digest(bytes)[..8]);
        Self { bytes, id: KeyId(id) }
    }

    fn generate() -> Self {
        Self::new(AeadKey::<XChaCha20Poly1305>::generate().into())
    }

    fn parse(text: &str) -> Result<Self, Error> {
        let bytes =
            STANDARD.decode(text.trim()).map_err(|_| Error::InvalidKey { reason: "it is not in base64" })?;
        let bytes: [u8; 32] =
            bytes.try_into().map_err(|_| Error::InvalidKey { reason: "it has not 32 bytes" })?;
        if bytes.iter().all(|byte| *byte == bytes[0]) {
            return Err(Error::InvalidKey { reason: "all its bytes are equal: it was not made by chance" });
        }
        Ok(Self::new(bytes))
    }

    pub(super) fn bytes(&self) -> &[u8; 32] {
        &self.bytes
    }

    pub(super) fn id(&self) -> KeyId {
        self.id
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({})", self.id)
    }
}

/// What to do when there is no key file yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IfMissing {
    /// Make one with a new key: the product in one process does, which keeps its own data.
    Create,
    /// Fail: services that share a database must be given the one key that fits it.
    Refuse,
}

/// The current key, which seals, and earlier ones, which still unseal.
#[derive(Clone, Debug)]
pub struct Keyring {
    current: Key,
    previous: Vec<Key>,
}

impl Keyring {
    /// A keyring with one new key, which is kept nowhere.
    #[must_use]
    pub fn generate() -> Self {
        Self { current: Key::generate(), previous: Vec::new() }
    }

    /// Keys from settings, in base64.
    ///
    /// # Errors
    /// [`Error::InvalidKey`].
    pub fn from_base64(current: &Secret, previous: &[Secret]) -> Result<Self, Error> {
        Ok(Self {
            current: Key::parse(current.expose())?,
            previous: previous.iter().map(|key| Key::parse(key.expose())).collect::<Result<_, _>>()?,
        })
    }

    /// Keys from a file.
    ///
    /// # Errors
    /// [`Error::MissingKey`], [`Error::LooseMode`], [`Error::KeyFile`], [`Error::InvalidKey`].
    pub fn load(path: &Path) -> Result<Self, Error> {
        let metadata = match fs::metadata(path) {
            Ok(metadata) => metadata,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(Error::MissingKey { path: path.to_owned() });
            }
            Err(error) => return Err(unusable(path, "read", &error)),
        };
        let mode = metadata.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(Error::LooseMode { path: path.to_owned(), mode });
        }
        let text = fs::read_to_string(path).map_err(|error| unusable(path, "read", &error))?;
        let mut keys = text
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty() && !line.starts_with('#'))
            .map(Key::parse);
        let current = keys.next().ok_or(Error::InvalidKey { reason: "the file has none" })??;
        Ok(Self { current, previous: keys.collect::<Result<_, _>>()? })
    }

    /// Keys from a file, which is made with a new key if there is none. Any number of processes may do so at once:
    /// all of them get the same key.
    ///
    /// # Errors
    /// Those of [`Keyring::load`].
    pub fn load_or_create(path: &Path) -> Result<Self, Error> {
        match Self::load(path) {
            Err(Error::MissingKey { .. }) => {}
            outcome => return outcome,
        }
        create(path).map_err(|error| unusable(path, "written", &error))?;
        Self::load(path)
    }

    /// Keys as the settings say: the key itself wins over the file.
    ///
    /// # Errors
    /// Those of [`Keyring::load`]; [`Error::NoKey`] when the settings name neither a key nor a file.
    pub fn from_settings(settings: &settings::Vault, if_missing: IfMissing) -> Result<Self, Error> {
        let mut keyring = match &settings.key_file {
            _ if !settings.key.is_empty() => Self::from_base64(&settings.key, &[])?,
            Some(path) if if_missing == IfMissing::Create => Self::load_or_create(path)?,
            Some(path) => Self::load(path)?,
            None => return Err(Error::NoKey),
        };
        for key in &settings.previous_keys {
            keyring.previous.push(Key::parse(key.expose())?);
        }
        Ok(keyring)
    }

    /// The same keyring, which also unseals with the keys of an earlier one.
    #[must_use]
    pub fn with_previous(mut self, earlier: &Self) -> Self {
        self.previous.push(earlier.current.clone());
        self.previous.extend(earlier.previous.iter().cloned());
        self
    }

    pub(super) fn current(&self) -> &Key {
        &self.current
    }

    pub(super) fn find(&self, id: KeyId) -> Option<&Key> {
        std::iter::once(&self.current).chain(&self.previous).find(|key| key.id == id)
    }
}

fn unusable(path: &Path, action: &'static str, error: &io::Error) -> Error {
    Error::KeyFile { path: path.to_owned(), action, reason: error.kind() }
}

/// Writes a new key beside the place and links it there: the file appears whole or not at all, and a link does not
/// replace the file of a process that was faster.
fn create(path: &Path) -> io::Result<()> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let key = Key::generate();
    let temporary = folder.join(format!(".{}.{}", std::process::id(), key.id));
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&temporary)?;
    let written = writeln!(
        file,
        "# The encryption key of Tidemill. Whoever loses it loses every stored credential: keep a copy.\n{}",
        STANDARD.encode(key.bytes)
    )
    .and_then(|()| file.sync_all())
    .and_then(|()| match fs::hard_link(&temporary, path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        outcome => outcome,
    });
    fs::remove_file(&temporary)?;
    written?;
    fs::File::open(folder)?.sync_all()
}
