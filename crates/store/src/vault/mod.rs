//! The credential vault: secrets are stored encrypted, bound to the row that they belong to.
//!
//! XChaCha20-Poly1305 with a random nonce. A sealed value is
//!
//! | bytes | what |
//! |---|---|
//! | 1 | version of this format |
//! | 8 | id of the key: the start of its SHA-256 |
//! | 16 | the place: 4 bytes of SHA-256 each of table, row, organization and field |
//! | 24 | nonce |
//! | n + 16 | ciphertext and tag |
//!
//! Table, row, organization and field are associated data in full, so a sealed value that is copied into another row
//! does not open there; the short hashes in the header are there only to say *which* of them is wrong. The key's id
//! lets keys be rotated, and tells a lost key from a damaged value. A value that does not open is an error of that
//! value alone: nothing else stops working.
//!
//! Not here: who may open what (callers are given the organization), and where the key comes from ([`Keyring`]).

mod canary;
mod error;
mod keyring;

use chacha20poly1305::aead::{Aead, Generate, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};
use uuid::Uuid;

pub use canary::{check_canary, has_canary};
pub use error::{Error, Place};
pub use keyring::{IfMissing, KeyId, Keyring};

use keyring::Key;

/// The format above. A later one (a data key per organization) gets another number.
const VERSION: u8 = 1;

const KEY_ID_AT: usize = 1;
const PLACE_AT: usize = KEY_ID_AT + 8;
const NONCE_AT: usize = PLACE_AT + 16;
const SEALED_AT: usize = NONCE_AT + 24;

/// Where a secret belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SealContext<'a> {
    /// The table.
    pub table: &'a str,
    /// The row's id.
    pub row_id: Uuid,
    /// The tenant that owns the row; the nil id for a row of the installation.
    pub organization_id: Uuid,
    /// The column.
    pub field: &'a str,
}

/// Seals and unseals with the keys of a keyring.
#[derive(Clone, Debug)]
pub struct Vault {
    keys: Keyring,
}

impl Vault {
    /// A vault that seals with the current key and unseals with all of them.
    #[must_use]
    pub fn open(keys: Keyring) -> Self {
        Self { keys }
    }

    /// The id of the key that seals.
    #[must_use]
    pub fn current_key(&self) -> KeyId {
        self.keys.current().id()
    }

    /// A secret of this installation for another purpose, made from the current key. It says nothing of the key, and is
    /// another one when the key is changed.
    #[must_use]
    pub fn derive(&self, purpose: &str) -> [u8; 32] {
        // HMAC takes a key of any length; the branch for an error is never taken.
        let Ok(mut mac) = <Hmac<Sha256> as hmac::KeyInit>::new_from_slice(self.keys.current().bytes()) else {
            return [0; 32];
        };
        mac.update(b"tidemill derived secret v1:");
        mac.update(purpose.as_bytes());
        mac.finalize().into_bytes().into()
    }

    /// Encrypts a secret for its place.
    ///
    /// # Errors
    /// [`Error::TooLarge`] for a secret of more bytes than the cipher can take (256 GB).
    pub fn seal(&self, context: &SealContext<'_>, plaintext: &[u8]) -> Result<Vec<u8>, Error> {
        let key = self.keys.current();
        let nonce = XNonce::generate();
        let mut sealed = Vec::with_capacity(SEALED_AT + plaintext.len() + 16);
        sealed.push(VERSION);
        sealed.extend_from_slice(key.id().as_bytes());
        sealed.extend_from_slice(&context.fingerprint());
        let aad = context.associated_data(&sealed);
        let secret = cipher(key)
            .encrypt(&nonce, Payload { msg: plaintext, aad: &aad })
            .map_err(|_| Error::TooLarge)?;
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(&secret);
        Ok(sealed)
    }

    /// Decrypts a secret at its place.
    ///
    /// # Errors
    /// What is wrong with it: see [`Error`].
    pub fn unseal(&self, context: &SealContext<'_>, sealed: &[u8]) -> Result<Vec<u8>, Error> {
        let (header, nonce, secret) = split(sealed)?;
        let key_id = KeyId::from_bytes(header.key_id);
        let key = self.keys.find(key_id).ok_or(Error::UnknownKey { key_id })?;
        let expected = context.fingerprint();
        if let Some(place) = Place::ALL
            .into_iter()
            .zip(expected.chunks(4).zip(header.place.chunks(4)))
            .find_map(|(place, (expected, found))| (expected != found).then_some(place))
        {
            return Err(Error::Misplaced { place });
        }
        let aad = context.associated_data(&sealed[..NONCE_AT]);
        cipher(key)
            .decrypt(&XNonce::from(nonce), Payload { msg: secret, aad: &aad })
            .map_err(|_| Error::Corrupt { reason: "it was changed after it was sealed" })
    }

    /// Whether a sealed value should be sealed again, because its key is not the current one.
    ///
    /// # Errors
    /// [`Error::Corrupt`] or [`Error::UnknownVersion`] when it is no sealed value.
    pub fn is_outdated(&self, sealed: &[u8]) -> Result<bool, Error> {
        let (header, ..) = split(sealed)?;
        Ok(KeyId::from_bytes(header.key_id) != self.current_key())
    }
}

fn cipher(key: &Key) -> XChaCha20Poly1305 {
    XChaCha20Poly1305::new(&(*key.bytes()).into())
}

struct Header {
    key_id: [u8; 8],
    place: [u8; 16],
}

fn split(sealed: &[u8]) -> Result<(Header, [u8; 24], &[u8]), Error> {
    let too_short = Error::Corrupt { reason: "it is shorter than anything that was sealed" };
    let (&version, rest) = sealed.split_first().ok_or(too_short.clone())?;
    if version != VERSION {
        return Err(Error::UnknownVersion { version });
    }
    let (&key_id, rest) = rest.split_first_chunk::<8>().ok_or(too_short.clone())?;
    let (&place, rest) = rest.split_first_chunk::<16>().ok_or(too_short.clone())?;
    let (&nonce, secret) = rest.split_first_chunk::<24>().ok_or(too_short.clone())?;
    if secret.len() < 16 {
        return Err(too_short);
    }
    Ok((Header { key_id, place }, nonce, secret))
}

impl SealContext<'_> {
    fn parts(&self) -> [&[u8]; 4] {
        [
            self.table.as_bytes(),
            self.row_id.as_bytes(),
            self.organization_id.as_bytes(),
            self.field.as_bytes(),
        ]
    }

    /// In the order of [`Place::ALL`].
    fn fingerprint(&self) -> [u8; 16] {
        let mut fingerprint = [0u8; 16];
        for (place, part) in fingerprint.chunks_mut(4).zip(self.parts()) {
            place.copy_from_slice(&Sha256::digest(part)[..4]);
        }
        fingerprint
    }

    /// The header and the place, each part with its length before it, so that no two places read alike.
    fn associated_data(&self, header: &[u8]) -> Vec<u8> {
        let mut data = header.to_vec();
        for part in self.parts() {
            data.extend_from_slice(&(part.len() as u64).to_be_bytes());
            data.extend_from_slice(part);
        }
        data
    }
}

#[cfg(test)]
mod tests;
