//! Keeping credentials out of everything that is recorded.
//!
//! A node is given credentials in clear. Whatever comes back from it (items, errors, log lines, an
//! answer to a webhook) is masked first: every value of a credential that this
//! execution has used is replaced by [`MASK`]. What is recorded and what flows on to the next node are
//! the same masked items, so an execution that is replayed after a crash takes the same path.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use engine::item::{Items, JsonMap};
use engine::node::{Credential, HttpReply, NodeError};
use serde_json::Value;

/// What stands in the place of a secret.
pub const MASK: &str = "***";

/// Shorter values are not masked: they occur by chance, and to mask them would destroy data.
pub const SHORTEST_SECRET_BYTES: usize = 6;

/// The secret values that an execution has used.
#[derive(Default)]
pub(crate) struct Secrets {
    /// Longest first, so that a secret which contains another is replaced whole.
    values: RwLock<Arc<[String]>>,
}

impl Secrets {
    /// From now on, the values of this credential are masked.
    pub(crate) fn learn(&self, credential: &Credential) {
        let mut found = Vec::new();
        credential.secrets.values().for_each(|value| collect(value, &mut found));
        // Basic authentication sends the two in base64; a server that echoes headers gives that back.
        let text = |name: &str| {
            let value = credential.secrets.get(name).or_else(|| credential.configuration.get(name))?;
            value.as_str()
        };
        if let (Some(user), Some(password)) = (text("username").or_else(|| text("user")), text("password")) {
            found.push(STANDARD.encode(format!("{user}:{password}")));
            // As SMTP sends them.
            found.push(STANDARD.encode(format!("\0{user}\0{password}")));
        }
        let mut values = self.values.write().unwrap_or_else(PoisonError::into_inner);
        let mut all = values.to_vec();
        all.extend(found.into_iter().filter(|value| value.len() >= SHORTEST_SECRET_BYTES));
        all.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        all.dedup();
        *values = all.into();
    }

    fn values(&self) -> Arc<[String]> {
        Arc::clone(&self.values.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Masks a text.
    pub(crate) fn mask_text(&self, text: &mut String) {
        mask_text(&self.values(), text);
    }

    /// Masks every string in a value, names of fields included.
    pub(crate) fn mask_value(&self, value: &mut Value) {
        let values = self.values();
        if is_in(&values, value) {
            mask_value(&values, value);
        }
    }

    /// Masks lists of items. Items without a secret stay shared.
    pub(crate) fn mask_outputs(&self, outputs: &mut [Items]) {
        let values = self.values();
        if values.is_empty() {
            return;
        }
        for items in outputs {
            let has_secret = |map: &JsonMap| {
                map.iter().any(|(key, value)| is_in_text(&values, key) || is_in(&values, value))
            };
            if !items.iter().any(|item| has_secret(&item.json)) {
                continue;
            }
            for item in Arc::make_mut(items).iter_mut().filter(|item| has_secret(&item.json)) {
                mask_map(&values, Arc::make_mut(&mut item.json));
            }
        }
    }

    /// Masks an error.
    pub(crate) fn mask_error(&self, error: &mut NodeError) {
        self.mask_text(&mut error.message);
        self.mask_text(&mut error.code);
        error.details.iter_mut().for_each(|details| self.mask_value(details));
    }

    /// Masks the answer to a webhook.
    pub(crate) fn mask_reply(&self, reply: &mut HttpReply) {
        let values = self.values();
        if values.is_empty() {
            return;
        }
        if reply.base64 {
            if let Ok(bytes) = STANDARD.decode(&reply.body) {
                reply.body = STANDARD.encode(self.mask_bytes(Bytes::from(bytes)));
            }
        } else {
            mask_text(&values, &mut reply.body);
        }
        let headers = std::mem::take(&mut reply.headers);
        reply.headers = headers
            .into_iter()
            .map(|(name, mut value)| {
                mask_text(&values, &mut value);
                (name, value)
            })
            .collect::<BTreeMap<_, _>>();
    }

    /// Masks secrets inside a file that is about to be stored.
    pub(crate) fn mask_bytes(&self, bytes: Bytes) -> Bytes {
        self.values().iter().fold(bytes, |bytes, secret| replace_bytes(bytes, secret.as_bytes()))
    }
}

fn collect(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::String(text) => {
            let escaped = percent_encoded(text);
            if escaped != *text {
                found.push(escaped.replace("%20", "+"));
                found.push(escaped);
            }
            found.push(STANDARD.encode(text));
            let in_json = Value::from(text.as_str()).to_string();
            found.push(in_json[1..in_json.len() - 1].to_owned());
            // A key file has a line break at its end, a header made of it has none.
            let trimmed = text.trim();
            if trimmed != text {
                found.push(trimmed.to_owned());
            }
            found.push(text.clone());
        }
        Value::Array(list) => list.iter().for_each(|value| collect(value, found)),
        Value::Object(map) => map.values().for_each(|value| collect(value, found)),
        _ => {}
    }
}

/// As a secret looks in a query string.
fn percent_encoded(text: &str) -> String {
    use std::fmt::Write as _;
    text.bytes().fold(String::with_capacity(text.len()), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
        out
    })
}

fn is_in_text(values: &[String], text: &str) -> bool {
    values.iter().any(|secret| text.contains(secret.as_str()))
}

fn is_in(values: &[String], value: &Value) -> bool {
    match value {
        Value::String(text) => is_in_text(values, text),
        Value::Array(list) => list.iter().any(|value| is_in(values, value)),
        Value::Object(map) => map.iter().any(|(key, value)| is_in_text(values, key) || is_in(values, value)),
        _ => false,
    }
}

fn mask_text(values: &[String], text: &mut String) {
    for secret in values {
        if text.contains(secret.as_str()) {
            *text = text.replace(secret.as_str(), MASK);
        }
    }
}

fn mask_value(values: &[String], value: &mut Value) {
    match value {
        Value::String(text) => mask_text(values, text),
        Value::Array(list) => list.iter_mut().for_each(|value| mask_value(values, value)),
        Value::Object(map) => mask_map(values, map),
        _ => {}
    }
}

fn mask_map(values: &[String], map: &mut JsonMap) {
    if map.keys().any(|key| is_in_text(values, key)) {
        *map = std::mem::take(map)
            .into_iter()
            .map(|(mut key, value)| {
                mask_text(values, &mut key);
                (key, value)
            })
            .collect();
    }
    map.values_mut().for_each(|value| mask_value(values, value));
}

fn replace_bytes(bytes: Bytes, secret: &[u8]) -> Bytes {
    let find = |from: usize| {
        bytes[from..].windows(secret.len()).position(|window| window == secret).map(|at| from + at)
    };
    let Some(mut at) = find(0) else { return bytes };
    let mut masked = Vec::with_capacity(bytes.len());
    let mut start = 0;
    loop {
        masked.extend_from_slice(&bytes[start..at]);
        masked.extend_from_slice(MASK.as_bytes());
        start = at + secret.len();
        match find(start) {
            Some(next) => at = next,
            None => break,
        }
    }
    masked.extend_from_slice(&bytes[start..]);
    Bytes::from(masked)
}

#[cfg(test)]
mod tests {
    use super::*;
    use engine::Item;
    use serde_json::json;

    fn secrets() -> Secrets {
        let secrets = Secrets::default();
        let Value::Object(map) = json!({ "username": "anna-s", "password": "p&ssw0rd!", "short": "abc" })
        else {
            unreachable!()
        };
        secrets.learn(&Credential {
            connector: "http_basic".into(),
            secrets: map,
            configuration: Value::Null,
        });
        secrets
    }

    #[test]
    fn a_secret_is_masked_wherever_it_stands() {
        let mut value = json!({ "a": ["x p&ssw0rd! y", { "p&ssw0rd!": 1 }], "q": "?p=p%26ssw0rd%21", "b": STANDARD.encode("anna-s:p&ssw0rd!"), "s": "abc" });
        secrets().mask_value(&mut value);
        assert_eq!(value, json!({ "a": ["x *** y", { "***": 1 }], "q": "?p=***", "b": "***", "s": "abc" }));
    }

    #[test]
    fn items_without_a_secret_stay_shared() {
        let plain: Items = Arc::new(vec![Item::from_value(json!({ "a": 1 }))]);
        let dirty: Items = Arc::new(vec![Item::from_value(json!({ "a": "p&ssw0rd!" })), plain[0].clone()]);
        let mut outputs = vec![Arc::clone(&plain), dirty];
        secrets().mask_outputs(&mut outputs);
        assert!(Arc::ptr_eq(&outputs[0], &plain));
        assert_eq!(outputs[1][0].json["a"], json!("***"));
        assert!(Arc::ptr_eq(&outputs[1][1].json, &plain[0].json));
    }

    #[test]
    fn a_file_is_masked_too() {
        let masked = secrets().mask_bytes(Bytes::from_static(b"\xff p&ssw0rd!p&ssw0rd! end"));
        assert_eq!(&masked[..], b"\xff ****** end");
    }

    #[test]
    fn a_file_is_masked_in_every_form_in_which_a_secret_travels() {
        let Value::Object(map) = json!({ "password": "p \"word" }) else { unreachable!() };
        let secrets = Secrets::default();
        let configuration = json!({ "username": "anna-s" });
        secrets.learn(&Credential { connector: "http_basic".into(), secrets: map, configuration });
        for form in [
            STANDARD.encode("anna-s:p \"word"),
            STANDARD.encode("p \"word"),
            "p \\\"word".to_owned(),
            "p+%22word".to_owned(),
            "p%20%22word".to_owned(),
        ] {
            let masked = secrets.mask_bytes(Bytes::from(format!("<{form}>")));
            assert_eq!(&masked[..], b"<***>", "{form}");
        }
        assert_eq!(&secrets.mask_bytes(Bytes::from_static(b"anna-s"))[..], b"anna-s");
    }

    #[test]
    fn an_answer_is_masked_in_body_and_headers() {
        let mut reply = HttpReply {
            status: 200,
            headers: BTreeMap::from([("x".into(), "p&ssw0rd!".into())]),
            body: "p&ssw0rd!".into(),
            base64: false,
        };
        secrets().mask_reply(&mut reply);
        assert_eq!((reply.body.as_str(), reply.headers["x"].as_str()), (MASK, MASK));
    }
}
