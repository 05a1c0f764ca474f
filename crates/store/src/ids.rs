//! Ids and tokens: the one place where they are made.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// Random bytes in a token: nobody guesses one.
const TOKEN_BYTES: usize = 32;

/// A new id. UUIDv7: ids made later sort behind, so that inserts go to the end of their index.
#[must_use]
pub fn new_id() -> Uuid {
    Uuid::now_v7()
}

/// A new secret token, 43 characters that need no escape in a URL.
#[must_use]
pub fn new_token() -> String {
    URL_SAFE_NO_PAD.encode(rand::random::<[u8; TOKEN_BYTES]>())
}

/// Random bytes, for secrets of another form than a token.
#[must_use]
pub fn random_bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    rand::fill(&mut bytes);
    bytes
}

/// What the database keeps of a token: SHA-256 in hex. A token has too many random bits for anybody to search, so it
/// needs no slow hash.
#[must_use]
pub fn token_hash(token: &str) -> String {
    hex::encode(Sha256::digest(token.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_sort_by_the_time_of_their_making() {
        let ids: Vec<Uuid> = (0..1000).map(|_| new_id()).collect();
        assert!(ids.is_sorted());
    }

    #[test]
    fn tokens_differ_and_hash_to_64_hex_digits() {
        let (one, other) = (new_token(), new_token());
        assert_ne!(one, other);
        assert_eq!(one.len(), 43);
        assert_eq!(token_hash("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }
}
