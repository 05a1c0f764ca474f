//! The values of a webhook's columns.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// Longest path, in bytes.
const MAX_PATH_BYTES: usize = 255;

/// The part of an address after `/webhooks/`: segments of letters, digits, `-`, `_`, `.` and `~`, with `/` between.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct WebhookPath(String);

impl WebhookPath {
    /// Reads a path as a person wrote it; a slash at either end does not count.
    ///
    /// # Errors
    /// [`Error::Invalid`] that says what is wrong.
    pub fn parse(text: &str) -> Result<Self> {
        let path = text.trim().trim_matches('/');
        let refuse = |reason: &str| Err(Error::invalid("path", format!("{text:?} {reason}")));
        if path.is_empty() {
            return refuse("is empty");
        }
        if path.len() > MAX_PATH_BYTES {
            return refuse("is longer than 255 characters");
        }
        for segment in path.split('/') {
            if segment.is_empty() || segment == "." || segment == ".." {
                return refuse("has an empty segment, or one of dots");
            }
            if !segment.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte)) {
                return refuse("has a character other than letters, digits, - _ . ~ and /");
            }
        }
        Ok(Self(path.to_owned()))
    }

    /// The path, without slashes at its ends.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for WebhookPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How calls are signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SignatureScheme {
    /// They are not.
    None,
    /// Standard Webhooks.
    Standard,
    /// GitHub's `X-Hub-Signature-256`.
    Github,
}

impl SignatureScheme {
    /// The word in the database and the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Standard => "standard",
            Self::Github => "github",
        }
    }
}

impl FromStr for SignatureScheme {
    type Err = Error;

    fn from_str(word: &str) -> Result<Self> {
        [Self::None, Self::Standard, Self::Github]
            .into_iter()
            .find(|scheme| scheme.as_str() == word)
            .ok_or_else(|| {
                Error::invalid("signature_scheme", format!("{word:?} is not none, standard or github"))
            })
    }
}

/// When the caller is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResponseMode {
    /// As soon as the execution is enqueued.
    Immediate,
    /// When it has finished, with the items of its last node.
    LastNode,
    /// When a respond node says what.
    RespondNode,
}

impl ResponseMode {
    /// The word in the database and the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Immediate => "immediate",
            Self::LastNode => "last_node",
            Self::RespondNode => "respond_node",
        }
    }
}

impl FromStr for ResponseMode {
    type Err = Error;

    fn from_str(word: &str) -> Result<Self> {
        [Self::Immediate, Self::LastNode, Self::RespondNode]
            .into_iter()
            .find(|mode| mode.as_str() == word)
            .ok_or_else(|| {
                Error::invalid(
                    "response_mode",
                    format!("{word:?} is not immediate, last_node or respond_node"),
                )
            })
    }
}

/// The HTTP method that a webhook answers to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
#[expect(missing_docs, reason = "a method's name says all")]
pub enum Method {
    Get,
    Post,
    Put,
    Patch,
    Delete,
    Head,
    /// Each of them.
    Any,
}

impl Method {
    const ALL: [Self; 7] =
        [Self::Get, Self::Post, Self::Put, Self::Patch, Self::Delete, Self::Head, Self::Any];

    /// The word in the database and the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
            Self::Head => "HEAD",
            Self::Any => "ANY",
        }
    }

    /// Whether a call with this method is answered.
    #[must_use]
    pub fn accepts(self, method: &str) -> bool {
        match self {
            Self::Any => Self::ALL.iter().any(|known| *known != Self::Any && known.as_str() == method),
            one => one.as_str() == method,
        }
    }
}

impl FromStr for Method {
    type Err = Error;

    fn from_str(word: &str) -> Result<Self> {
        Self::ALL.into_iter().find(|method| method.as_str().eq_ignore_ascii_case(word)).ok_or_else(|| {
            Error::invalid("method", format!("{word:?} is not GET, POST, PUT, PATCH, DELETE, HEAD or ANY"))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_kept_without_slashes_at_its_ends() {
        assert_eq!(WebhookPath::parse("/orders/new.v2/").unwrap().as_str(), "orders/new.v2");
    }

    #[test]
    fn what_is_no_path_is_refused_and_quoted() {
        let long = "a".repeat(256);
        for text in ["", "/", "a//b", "a/../b", "a b", "a?b", "a%2e", "ä", "a\0", &long] {
            let error = WebhookPath::parse(text).unwrap_err();
            assert!(error.to_string().contains("path"), "{text:?}: {error}");
        }
    }

    #[test]
    fn any_method_is_one_of_the_known_ones() {
        assert!(Method::Any.accepts("PUT"));
        assert!(!Method::Any.accepts("BREW") && !Method::Any.accepts("ANY"));
        assert!(Method::Post.accepts("POST") && !Method::Post.accepts("GET"));
        assert_eq!("post".parse::<Method>().unwrap(), Method::Post);
    }
}
