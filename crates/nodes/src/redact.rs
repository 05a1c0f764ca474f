//! Takes the secrets of a credential out of text that is kept: errors, and what a server echoes.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use engine::node::Credential;
use serde_json::Value;
use url::form_urlencoded;

use crate::connectors;

/// What stands in the place of a secret.
pub(crate) const REDACTED: &str = "***";

/// A shorter secret is left alone in what a server answered: it would be found in innocent text.
const SHORTEST_IN_ANSWERS: usize = 6;

/// The secret values of a credential, in every form in which they travel. No `Debug`.
#[derive(Clone, Default)]
pub(crate) struct Secrets {
    /// Longest first, so that a part of one is not replaced before the whole.
    forms: Vec<String>,
}

impl Secrets {
    /// Every value of a credential that its connector does not declare to be open (a user name, a header's name).
    pub(crate) fn of(credential: &Credential) -> Self {
        let text = |name: &str| credential.secrets.get(name).and_then(Value::as_str);
        let mut forms = Vec::new();
        let fields = connectors::find(&credential.connector).map_or(&[][..], |connector| connector.fields);
        let is_open = |name: &str| fields.iter().any(|field| field.name == name && !field.secret);
        for secret in credential
            .secrets
            .iter()
            .filter(|(name, _)| !is_open(name))
            .filter_map(|(_, value)| value.as_str())
        {
            forms.push(secret.to_owned());
            forms.push(form_urlencoded::byte_serialize(secret.as_bytes()).collect());
            forms.push(
                form_urlencoded::byte_serialize(secret.as_bytes()).collect::<String>().replace('+', "%20"),
            );
            forms.push(STANDARD.encode(secret));
            forms.push(Value::from(secret).to_string().trim_matches('"').to_owned());
        }
        if let Some(password) = text("password") {
            let username = text("username")
                .or_else(|| credential.configuration.get("username")?.as_str())
                .unwrap_or_default();
            forms.push(STANDARD.encode(format!("{username}:{password}")));
            forms.push(STANDARD.encode(format!("\0{username}\0{password}")));
        }
        forms.retain(|form| !form.is_empty());
        forms.sort_by_key(|form| std::cmp::Reverse(form.len()));
        forms.dedup();
        Self { forms }
    }

    /// The text without any secret: for messages that this crate writes.
    pub(crate) fn scrub<'t>(&self, text: &'t str) -> Cow<'t, str> {
        self.replace(text, 1)
    }

    /// The text without any secret long enough to be meant: for what a server sent back.
    pub(crate) fn scrub_answer<'t>(&self, text: &'t str) -> Cow<'t, str> {
        self.replace(text, SHORTEST_IN_ANSWERS)
    }

    fn replace<'t>(&self, text: &'t str, shortest: usize) -> Cow<'t, str> {
        let mut clean = Cow::Borrowed(text);
        for form in self.forms.iter().filter(|form| form.len() >= shortest) {
            if clean.contains(form.as_str()) {
                clean = Cow::Owned(clean.replace(form.as_str(), REDACTED));
            }
        }
        clean
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn secrets(values: Value) -> Secrets {
        let Value::Object(secrets) = values else { panic!("an object") };
        Secrets::of(&Credential {
            connector: "http_basic".to_owned(),
            secrets,
            configuration: json!({ "username": "ann" }),
        })
    }

    #[test]
    fn a_secret_is_found_in_every_form_in_which_it_travels() {
        let secrets = secrets(json!({ "password": "p&ss \"word" }));
        let basic = STANDARD.encode("ann:p&ss \"word");
        for form in ["p&ss \"word", "p%26ss+%22word", "p%26ss%20%22word", "p&ss \\\"word", basic.as_str()] {
            assert_eq!(secrets.scrub(&format!("<{form}>")), "<***>", "{form}");
        }
    }

    #[test]
    fn a_short_secret_is_hidden_in_messages_and_left_alone_in_answers() {
        let secrets = secrets(json!({ "password": "abc" }));
        assert_eq!(secrets.scrub("abc"), "***");
        assert_eq!(secrets.scrub_answer("the abc of things"), "the abc of things");
    }

    #[test]
    fn a_user_name_is_no_secret() {
        let secrets = secrets(json!({ "username": "ann", "password": "longenough" }));
        assert_eq!(secrets.scrub_answer("ann longenough"), "ann ***");
    }
}
