//! Puts the credentials of the `http_*` connectors into a request.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use engine::node::{Credential, NodeError};
use reqwest::Url;
use reqwest::header::{AUTHORIZATION, HeaderName, HeaderValue};

use super::required_text;
use crate::egress::Request;
use crate::redact::{REDACTED, Secrets};

/// The connectors that [`Authentication`] knows.
pub(crate) const HTTP_CONNECTORS: &[&str] = &["http_bearer", "http_basic", "http_header", "http_query"];

/// What to add to a request. No `Debug`: it is made of secrets.
#[derive(Clone, Default)]
pub(crate) struct Authentication {
    header: Option<(HeaderName, HeaderValue)>,
    query: Option<(String, String)>,
    allowed_hosts: Vec<String>,
    /// To be taken out of whatever is kept.
    pub(crate) secrets: Secrets,
}

impl Authentication {
    /// Reads a credential.
    ///
    /// # Errors
    /// Names the field of the integration that is missing or cannot be used; never its value.
    pub(crate) fn of(credential: &Credential) -> Result<Self, NodeError> {
        let mut found = Self { secrets: Secrets::of(credential), ..Self::default() };
        match credential.connector.as_str() {
            "http_bearer" => {
                let token = required_text(credential, "token")?;
                found.header = Some((AUTHORIZATION, secret_value(&format!("Bearer {token}"), "token")?));
            }
            "http_basic" => {
                let username = required_text(credential, "username")?;
                let password = super::text(credential, "password").unwrap_or_default();
                let pair = STANDARD.encode(format!("{username}:{password}"));
                found.header = Some((AUTHORIZATION, secret_value(&format!("Basic {pair}"), "password")?));
            }
            "http_header" => {
                let name = required_text(credential, "name")?;
                let name = HeaderName::from_bytes(name.as_bytes())
                    .map_err(|_| unusable("name", "is not the name of a header"))?;
                found.header = Some((name, secret_value(required_text(credential, "value")?, "value")?));
            }
            "http_query" => {
                let name = required_text(credential, "name")?.to_owned();
                found.query = Some((name, required_text(credential, "value")?.to_owned()));
            }
            other => {
                let known = HTTP_CONNECTORS.join(", ");
                let message = format!("the integration is for {other}; this needs one for {known}");
                return Err(NodeError::fatal("wrong_connector", message));
            }
        }
        found.allowed_hosts = allowed_hosts(credential)?;
        Ok(found)
    }

    /// Adds the credentials to a request, in the place of what is there under the same name.
    ///
    /// # Errors
    /// When the integration does not allow the host.
    pub(crate) fn apply(&self, request: &mut Request) -> Result<(), NodeError> {
        if self.header.is_none() && self.query.is_none() {
            return Ok(());
        }
        self.check_host(&request.url)?;
        if let Some((name, value)) = &self.header {
            request.headers.insert(name, value.clone());
        }
        if let Some((name, value)) = &self.query {
            let others: Vec<(String, String)> = request
                .url
                .query_pairs()
                .filter(|(key, _)| key != name)
                .map(|(key, value)| (key.into(), value.into()))
                .collect();
            request.url.query_pairs_mut().clear().extend_pairs(others).append_pair(name, value);
        }
        Ok(())
    }

    /// Whether the integration leaves it to the workflow where its credentials go.
    pub(crate) fn may_go_anywhere(&self) -> bool {
        self.allowed_hosts.is_empty()
    }

    fn check_host(&self, url: &Url) -> Result<(), NodeError> {
        let host = url.host_str().unwrap_or_default().trim_end_matches('.');
        let allows = |entry: &String| match entry.strip_prefix("*.") {
            Some(parent) => host.strip_suffix(parent).is_some_and(|rest| rest.ends_with('.')),
            None => host == entry,
        };
        if self.allowed_hosts.is_empty() || self.allowed_hosts.iter().any(allows) {
            return Ok(());
        }
        let message =
            format!("the integration does not allow its credentials to be sent to {host} (allowedHosts)");
        Err(NodeError::fatal("credential_not_allowed", message))
    }

    /// A URL as it may be shown: no user name, no password, no secret in the query.
    pub(crate) fn show_url(&self, url: &Url) -> String {
        let mut shown = url.clone();
        // Both fail for URLs that cannot have them, which then do not.
        let _ = shown.set_username("");
        let _ = shown.set_password(None);
        if let Some((name, _)) = &self.query
            && shown.query_pairs().any(|(key, _)| key == *name)
        {
            let pairs: Vec<(String, String)> = shown
                .query_pairs()
                .map(|(key, value)| {
                    if key == *name { (key.into(), REDACTED.to_owned()) } else { (key.into(), value.into()) }
                })
                .collect();
            shown.query_pairs_mut().clear().extend_pairs(pairs);
        }
        self.secrets.scrub(shown.as_str()).into_owned()
    }
}

/// The hosts that may get the credentials, wherever an integration keeps them. A list that cannot be read is no
/// permission to send them anywhere.
fn allowed_hosts(credential: &Credential) -> Result<Vec<String>, NodeError> {
    let wrong = || unusable("allowedHosts", "is not a list of texts");
    let mut found = Vec::new();
    for fields in [credential.secrets.get("allowedHosts"), credential.configuration.get("allowedHosts")] {
        let Some(list) = fields.filter(|list| !super::is_empty(list)) else { continue };
        for host in list.as_array().ok_or_else(wrong)? {
            found.push(host.as_str().ok_or_else(wrong)?.trim().to_ascii_lowercase());
        }
    }
    Ok(found)
}

fn secret_value(text: &str, field: &str) -> Result<HeaderValue, NodeError> {
    let mut value = HeaderValue::from_str(text)
        .map_err(|_| unusable(field, "holds characters that no header can carry"))?;
    value.set_sensitive(true);
    Ok(value)
}

fn unusable(field: &str, problem: &str) -> NodeError {
    NodeError::fatal("invalid_integration", format!("the integration's {field} {problem}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use reqwest::Method;
    use serde_json::{Value, json};

    fn authentication(connector: &str, fields: Value) -> Result<Authentication, NodeError> {
        let Value::Object(secrets) = fields.clone() else { panic!("an object") };
        Authentication::of(&Credential { connector: connector.to_owned(), secrets, configuration: fields })
    }

    fn request(url: &str) -> Request {
        Request::new(Method::GET, url.parse().unwrap())
    }

    #[test]
    fn each_connector_signs_its_way() {
        let mut signed = request("http://a.example/?x=1&key=old");
        authentication("http_bearer", json!({ "token": "t" })).unwrap().apply(&mut signed).unwrap();
        assert_eq!(signed.headers[AUTHORIZATION], "Bearer t");
        assert!(signed.headers[AUTHORIZATION].is_sensitive());
        authentication("http_basic", json!({ "username": "u", "password": "p" }))
            .unwrap()
            .apply(&mut signed)
            .unwrap();
        assert_eq!(signed.headers[AUTHORIZATION], "Basic dTpw");
        authentication("http_header", json!({ "name": "X-Key", "value": "k" }))
            .unwrap()
            .apply(&mut signed)
            .unwrap();
        assert_eq!(signed.headers["x-key"], "k");
        authentication("http_query", json!({ "name": "key", "value": "a&b" }))
            .unwrap()
            .apply(&mut signed)
            .unwrap();
        assert_eq!(signed.url.as_str(), "http://a.example/?x=1&key=a%26b");
    }

    #[test]
    fn a_shown_url_holds_no_secret() {
        let query = authentication("http_query", json!({ "name": "key", "value": "se cret" })).unwrap();
        let mut signed = request("http://user:pw@a.example/p?x=1");
        query.apply(&mut signed).unwrap();
        assert_eq!(query.show_url(&signed.url), "http://a.example/p?x=1&key=***");
    }

    #[test]
    fn credentials_go_to_allowed_hosts_only() {
        let fields = json!({ "token": "t", "allowedHosts": ["api.example.com", "*.example.org"] });
        let bearer = authentication("http_bearer", fields).unwrap();
        for url in ["https://api.example.com/", "https://API.example.com./", "https://a.b.example.org/"] {
            bearer.apply(&mut request(url)).unwrap();
        }
        for url in ["https://example.org/", "https://evil.com/", "https://api.example.com.evil.com/"] {
            assert_eq!(bearer.apply(&mut request(url)).unwrap_err().code, "credential_not_allowed", "{url}");
        }
    }

    #[test]
    fn allowed_hosts_hold_wherever_they_are_kept() {
        let with = |hosts: Value| {
            let Value::Object(secrets) = json!({ "token": "t", "allowedHosts": hosts }) else {
                panic!("an object")
            };
            let connector = "http_bearer".to_owned();
            Authentication::of(&Credential { connector, secrets, configuration: json!({}) })
        };
        let bearer = with(json!(["a.example"])).unwrap();
        assert!(bearer.apply(&mut request("https://a.example/")).is_ok());
        assert!(bearer.apply(&mut request("https://evil.example/")).is_err());
        assert_eq!(with(json!("a.example")).err().unwrap().code, "invalid_integration");
        assert_eq!(with(json!([5])).err().unwrap().code, "invalid_integration");
    }

    #[test]
    fn an_unusable_credential_is_named_without_its_value() {
        let missing = authentication("http_bearer", json!({})).err().unwrap();
        assert!(missing.message.contains("token"), "{missing}");
        let broken = authentication("http_bearer", json!({ "token": "se\ncret" })).err().unwrap();
        assert!(!broken.message.contains("cret"), "{broken}");
        assert_eq!(authentication("smtp", json!({})).err().unwrap().code, "wrong_connector");
    }
}
