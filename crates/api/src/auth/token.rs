//! Tokens: made once, shown once, stored as a hash.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rand::Rng as _;
use sha2::{Digest, Sha256};

/// What an API key starts with, so that a key in the wrong place is recognised.
const API_KEY_PREFIX: &str = "tm_";

/// Letters of an API key that are kept to recognise it by.
const SHOWN_CHARS: usize = 8;

/// A new session token: 256 random bits.
#[must_use]
pub fn new_session_token() -> String {
    random_text()
}

/// What is stored of a token. A token has 256 random bits, so a fast hash is enough.
#[must_use]
pub fn hash_token(token: &str) -> String {
    hex::encode(Sha256::digest(token.as_bytes()))
}

/// A new API key.
pub struct ApiKeyToken {
    /// The key itself, to be shown once.
    pub token: String,
    /// Its first letters, by which its owner recognises it.
    pub prefix: String,
}

impl ApiKeyToken {
    /// Makes a key.
    #[must_use]
    pub fn generate() -> Self {
        let token = format!("{API_KEY_PREFIX}{}", random_text());
        let prefix = token.chars().take(API_KEY_PREFIX.len() + SHOWN_CHARS).collect();
        Self { token, prefix }
    }

    /// Whether a bearer token is an API key, and not that of a session.
    #[must_use]
    pub fn is_one(token: &str) -> bool {
        token.starts_with(API_KEY_PREFIX)
    }
}

fn random_text() -> String {
    let mut bytes = [0u8; 32];
    rand::rng().fill_bytes(&mut bytes);
    URL_SAFE_NO_PAD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_tokens_are_equal_and_a_session_token_is_no_api_key() {
        let (a, b) = (ApiKeyToken::generate(), ApiKeyToken::generate());
        assert_ne!(a.token, b.token);
        assert!(a.token.starts_with(&a.prefix) && a.prefix.len() < 16);
        assert!(ApiKeyToken::is_one(&a.token));
        assert_eq!(hash_token(&a.token).len(), 64);
    }
}
