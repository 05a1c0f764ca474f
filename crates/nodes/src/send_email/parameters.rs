//! The parameters of `send_email`.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::egress::DEFAULT_TIMEOUT_MS;

/// Who gets what.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SendEmailParameters {
    /// The sender: `ann@example.com` or `Ann <ann@example.com>`.
    pub from: String,
    /// The recipients.
    pub to: Addresses,
    /// Who gets a copy.
    #[serde(default)]
    pub cc: Addresses,
    /// Who gets a copy that the others do not see.
    #[serde(default)]
    pub bcc: Addresses,
    /// Where answers go, if not to the sender.
    #[serde(default)]
    pub reply_to: Addresses,
    /// The subject.
    #[serde(default)]
    pub subject: String,
    /// The message as plain text.
    #[serde(default)]
    pub text: Option<String>,
    /// The message as HTML; with `text` both are sent and the reader's program chooses.
    #[serde(default)]
    pub html: Option<String>,
    /// Files of the input item.
    #[serde(default)]
    pub attachments: Vec<EmailAttachment>,
    /// Longest time to connect and sign in, and to send one message, in milliseconds.
    #[serde(default = "default_timeout_ms")]
    #[schemars(range(min = 1, max = 86_400_000))]
    pub timeout_ms: u64,
}

/// One text with addresses between commas, or a list of addresses.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "expected an address, or a list of addresses")]
pub enum Addresses {
    /// `ann@example.com, Bob <bob@example.com>`
    Text(String),
    /// `["ann@example.com", "Bob <bob@example.com>"]`
    List(Vec<String>),
}

impl Default for Addresses {
    fn default() -> Self {
        Self::List(Vec::new())
    }
}

impl Addresses {
    /// The texts, empty ones left out.
    pub(super) fn texts(&self) -> impl Iterator<Item = &str> {
        let texts = match self {
            Self::Text(text) => std::slice::from_ref(text),
            Self::List(list) => list.as_slice(),
        };
        texts.iter().map(|text| text.trim()).filter(|text| !text.is_empty())
    }
}

/// A file to attach: the name of the input item's binary property, or more about it.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "expected the name of a binary property, or { property, fileName }")]
pub enum EmailAttachment {
    /// The binary property.
    Property(String),
    /// The binary property, and the name that the file gets.
    Named(NamedAttachment),
}

/// A file with a name of its own.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NamedAttachment {
    /// The input item's binary property.
    pub property: String,
    /// The file name, where it is not the file's own.
    #[serde(default)]
    pub file_name: Option<String>,
}

impl EmailAttachment {
    pub(super) fn property(&self) -> &str {
        match self {
            Self::Property(property) => property,
            Self::Named(named) => &named.property,
        }
    }

    pub(super) fn file_name(&self) -> Option<&str> {
        match self {
            Self::Property(_) => None,
            Self::Named(named) => named.file_name.as_deref(),
        }
    }
}

const fn default_timeout_ms() -> u64 {
    DEFAULT_TIMEOUT_MS
}
