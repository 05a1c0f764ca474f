//! Who signed a call: [Standard Webhooks](https://www.standardwebhooks.com) and GitHub's scheme, as pure functions.
//!
//! A signature is compared in constant time, by the MAC itself. Of several signatures in one header (a sender that
//! changes its secret sends one for each) any may fit.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// What stands in front of the secret of Standard Webhooks.
const SECRET_PREFIX: &str = "whsec_";

/// Why a call is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// A header is not there.
    Missing(&'static str),
    /// A header cannot be read.
    Malformed(&'static str),
    /// No signature fits.
    Wrong,
    /// The signature fits, but was made too long ago, or in the future.
    OutOfRange,
    /// The stored secret is not one of the scheme.
    UnusableSecret,
}

/// The headers of Standard Webhooks.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Standard<'a> {
    /// `webhook-id`.
    pub id: Option<&'a str>,
    /// `webhook-timestamp`.
    pub timestamp: Option<&'a str>,
    /// `webhook-signature`.
    pub signature: Option<&'a str>,
}

impl Standard<'_> {
    /// Checks signature and age of a call.
    pub(super) fn verify(
        self,
        secret: &str,
        body: &[u8],
        now: DateTime<Utc>,
        tolerance_secs: i64,
    ) -> Result<(), Refusal> {
        let id = self.id.ok_or(Refusal::Missing("webhook-id"))?;
        let timestamp = self.timestamp.ok_or(Refusal::Missing("webhook-timestamp"))?;
        let signature = self.signature.ok_or(Refusal::Missing("webhook-signature"))?;
        // A full stop ends the id in the signed text: one inside it would let the parts be cut anew.
        if id.contains('.') {
            return Err(Refusal::Malformed("webhook-id"));
        }
        let signed_at: i64 = timestamp.parse().map_err(|_| Refusal::Malformed("webhook-timestamp"))?;
        let key = STANDARD
            .decode(secret.strip_prefix(SECRET_PREFIX).unwrap_or(secret))
            .map_err(|_| Refusal::UnusableSecret)?;
        let mac = mac(&key)?
            .chain_update(id)
            .chain_update(".")
            .chain_update(timestamp)
            .chain_update(".")
            .chain_update(body);
        let fits = signature
            .split_ascii_whitespace()
            .filter_map(|one| one.strip_prefix("v1,"))
            .filter_map(|text| STANDARD.decode(text).ok())
            .any(|bytes| mac.clone().verify_slice(&bytes).is_ok());
        if !fits {
            return Err(Refusal::Wrong);
        }
        // Only who knows the secret is told about the time.
        let age = now.timestamp().saturating_sub(signed_at).unsigned_abs();
        if age > tolerance_secs.unsigned_abs() { Err(Refusal::OutOfRange) } else { Ok(()) }
    }
}

/// Checks the value of GitHub's `X-Hub-Signature-256`.
pub(super) fn verify_github(secret: &str, signature: Option<&str>, body: &[u8]) -> Result<(), Refusal> {
    const HEADER: &str = "x-hub-signature-256";
    let signature = signature.ok_or(Refusal::Missing(HEADER))?;
    let hex = signature.trim().strip_prefix("sha256=").ok_or(Refusal::Malformed(HEADER))?;
    let bytes = hex::decode(hex).map_err(|_| Refusal::Malformed(HEADER))?;
    mac(secret.as_bytes())?.chain_update(body).verify_slice(&bytes).map_err(|_| Refusal::Wrong)
}

fn mac(key: &[u8]) -> Result<Hmac<Sha256>, Refusal> {
    Hmac::new_from_slice(key).map_err(|_| Refusal::UnusableSecret)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example in the specification of Standard Webhooks and in the tests of its libraries.
    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
    const TIMESTAMP: &str = "1614265330";
    const BODY: &[u8] = br#"{"test": 2432232314}"#;
    const SIGNATURE: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
    /// A signature of something else.
    const OTHER: &str = "v1,Ceo5qEr07ixe2NLpvHk3FH9bwy/WavXrAFQ/9tdO6mc=";

    fn at(secs: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(secs, 0).unwrap()
    }

    fn check(
        id: Option<&str>,
        timestamp: Option<&str>,
        signature: Option<&str>,
        now: i64,
    ) -> Result<(), Refusal> {
        Standard { id, timestamp, signature }.verify(SECRET, BODY, at(now), 300)
    }

    #[test]
    fn the_published_example_of_standard_webhooks_is_accepted() {
        assert_eq!(check(Some(ID), Some(TIMESTAMP), Some(SIGNATURE), 1_614_265_330), Ok(()));
        let bare = SECRET.strip_prefix(SECRET_PREFIX).unwrap();
        let call = Standard { id: Some(ID), timestamp: Some(TIMESTAMP), signature: Some(SIGNATURE) };
        assert_eq!(call.verify(bare, BODY, at(1_614_265_330), 0), Ok(()));
    }

    #[test]
    fn what_does_not_fit_is_refused_with_its_reason() {
        let (id, time, signature, now) = (Some(ID), Some(TIMESTAMP), Some(SIGNATURE), 1_614_265_330);
        for (found, expected) in [
            (check(None, time, signature, now), Refusal::Missing("webhook-id")),
            (check(id, None, signature, now), Refusal::Missing("webhook-timestamp")),
            (check(id, time, None, now), Refusal::Missing("webhook-signature")),
            (check(Some("msg.1"), time, signature, now), Refusal::Malformed("webhook-id")),
            (check(id, Some("soon"), signature, now), Refusal::Malformed("webhook-timestamp")),
            (check(id, Some("1614265331"), signature, now), Refusal::Wrong),
            (check(Some("msg_other"), time, signature, now), Refusal::Wrong),
            (check(id, time, Some(""), now), Refusal::Wrong),
            (check(id, time, Some("v1,"), now), Refusal::Wrong),
            (check(id, time, Some("v1,!!!"), now), Refusal::Wrong),
            (check(id, time, Some(OTHER), now), Refusal::Wrong),
            (check(id, time, Some(&SIGNATURE.replace("v1,", "v2,")), now), Refusal::Wrong),
            (check(id, time, Some(&SIGNATURE.replace("v1,", "v1a,")), now), Refusal::Wrong),
            (check(id, time, signature, now + 301), Refusal::OutOfRange),
            (check(id, time, signature, now - 301), Refusal::OutOfRange),
        ] {
            assert_eq!(found, Err(expected));
        }
        let call = Standard { id, timestamp: time, signature };
        assert_eq!(call.verify(SECRET, b"{}", at(now), 300), Err(Refusal::Wrong));
        assert_eq!(call.verify("whsec_!", BODY, at(now), 300), Err(Refusal::UnusableSecret));
        assert_eq!(check(id, Some(&i64::MIN.to_string()), Some(OTHER), now), Err(Refusal::Wrong));
    }

    #[test]
    fn one_of_several_signatures_is_enough() {
        for list in [
            format!("{OTHER} {SIGNATURE}"),
            format!("{SIGNATURE} {OTHER}"),
            format!("v1a,abc {OTHER}  {SIGNATURE}"),
        ] {
            assert_eq!(check(Some(ID), Some(TIMESTAMP), Some(&list), 1_614_265_330), Ok(()), "{list}");
        }
    }

    #[test]
    fn a_call_at_the_edge_of_the_tolerance_is_accepted() {
        for now in [1_614_265_330 - 300, 1_614_265_330 + 300] {
            assert_eq!(check(Some(ID), Some(TIMESTAMP), Some(SIGNATURE), now), Ok(()));
        }
    }

    #[test]
    fn the_published_example_of_github_is_accepted_and_nothing_else() {
        let (secret, body) = ("It's a Secret to Everybody", b"Hello, World!");
        let signature = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
        assert_eq!(verify_github(secret, Some(signature), body), Ok(()));
        assert_eq!(verify_github(secret, Some(signature), b"Hello, World"), Err(Refusal::Wrong));
        assert_eq!(verify_github("another", Some(signature), body), Err(Refusal::Wrong));
        assert_eq!(verify_github(secret, Some("sha256=75"), body), Err(Refusal::Wrong));
        assert_eq!(verify_github(secret, None, body), Err(Refusal::Missing("x-hub-signature-256")));
        for text in ["sha1=00", "sha256=xyz", ""] {
            assert_eq!(
                verify_github(secret, Some(text), body),
                Err(Refusal::Malformed("x-hub-signature-256"))
            );
        }
    }
}
