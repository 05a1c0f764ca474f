//! The URL that resumes a waiting execution.
//!
//! The token in it is an HMAC of the execution's id under the installation's secret. So it is known before
//! the execution waits (an e-mail that is sent earlier can hold it), it is the same in every worker and after
//! every restart, and nobody can guess it. The database holds only its SHA-256, with the waiting step.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use store::ids::token_hash;
use uuid::Uuid;

/// The path under the API's base URL; the token follows.
pub const PATH: &str = "/resume/";

/// Keeps these tokens apart from anything else that is derived from the same secret.
const DOMAIN: &[u8] = b"tidemill resume token v1";

/// Makes resume URLs.
#[derive(Clone)]
pub struct ResumeUrls {
    secret: [u8; 32],
    base_url: String,
}

impl ResumeUrls {
    /// Resume URLs below `base_url`, made with the installation's secret.
    #[must_use]
    pub fn new(secret: [u8; 32], base_url: &str) -> Self {
        Self { secret, base_url: base_url.trim_end_matches('/').to_owned() }
    }

    /// The URL that resumes this execution.
    #[must_use]
    pub fn url(&self, execution_id: Uuid) -> String {
        format!("{}{PATH}{}", self.base_url, self.token(execution_id))
    }

    /// What the waiting step of this execution keeps.
    #[must_use]
    pub fn token_hash(&self, execution_id: Uuid) -> String {
        token_hash(&self.token(execution_id))
    }

    fn token(&self, execution_id: Uuid) -> String {
        // HMAC takes a key of any length; the branch for an error is never taken.
        let Ok(mut mac) = <Hmac<Sha256> as KeyInit>::new_from_slice(&self.secret) else {
            return String::new();
        };
        mac.update(DOMAIN);
        mac.update(execution_id.as_bytes());
        URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_url_is_stable_and_its_token_has_32_bytes() {
        let urls = ResumeUrls::new([7; 32], "http://h/");
        let id = Uuid::from_u128(5);
        let url = urls.url(id);
        assert_eq!(url, ResumeUrls::new([7; 32], "http://h").url(id));
        let token = url.strip_prefix("http://h/resume/").unwrap();
        assert_eq!(URL_SAFE_NO_PAD.decode(token).unwrap().len(), 32);
        assert_eq!(token_hash(token), urls.token_hash(id));
    }

    #[test]
    fn tokens_differ_by_execution_and_by_installation() {
        let urls = ResumeUrls::new([7; 32], "");
        assert_ne!(urls.token_hash(Uuid::from_u128(1)), urls.token_hash(Uuid::from_u128(2)));
        assert_ne!(
            urls.token_hash(Uuid::from_u128(1)),
            ResumeUrls::new([8; 32], "").token_hash(Uuid::from_u128(1))
        );
    }
}
