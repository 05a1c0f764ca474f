//! Signing a call as senders of Standard Webhooks do, written from the specification and not from the service's code.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use reqwest::RequestBuilder;
use sha2::Sha256;

/// The three headers of a signed call.
#[derive(Clone, Debug)]
pub struct Signed {
    /// `webhook-id`.
    pub id: String,
    /// `webhook-timestamp`, in seconds since 1970.
    pub timestamp: i64,
    /// `webhook-signature`.
    pub signature: String,
}

impl Signed {
    /// Signs a body with a secret of the form `whsec_BASE64`.
    #[must_use]
    pub fn new(secret: &str, id: &str, timestamp: i64, body: &str) -> Self {
        let key =
            STANDARD.decode(secret.strip_prefix("whsec_").expect("whsec_ in front of the secret")).unwrap();
        let mac = <Hmac<Sha256> as KeyInit>::new_from_slice(&key).unwrap();
        let mac = mac.chain_update(format!("{id}.{timestamp}.{body}"));
        let signature = format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()));
        Self { id: id.to_owned(), timestamp, signature }
    }

    /// Adds the headers.
    pub fn put_on(&self, request: RequestBuilder) -> RequestBuilder {
        request
            .header("webhook-id", &self.id)
            .header("webhook-timestamp", self.timestamp)
            .header("webhook-signature", &self.signature)
    }
}
