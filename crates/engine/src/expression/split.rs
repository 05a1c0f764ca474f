//! Splitting a template into text and code.
//!
//! The rules are those of n8n's splitter: a part opens at `{{` and closes at the first `}}`; an odd
//! number of backslashes before either makes it ordinary text; doubled backslashes in the text before
//! a part become single ones; a part without an end reaches to the end of the template. One thing is
//! more lenient: where the code up to the first `}}` is no JavaScript, a later `}}` is tried, so that
//! `{{ "}}" }}` and `{{ {a: {b: 1}}.a.b }}` mean what they look like.

use std::borrow::Cow;

/// A `}}` is looked for at most this often in one part: each try compiles the code.
const MAX_CLOSING_TRIES: usize = 50;

/// A piece of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Chunk {
    /// Text as it is.
    Text(String),
    /// The code between the braces.
    Code {
        /// The code, blanks included.
        code: String,
        /// Whether `}}` followed.
        is_closed: bool,
    },
}

/// Splits a template (without its leading `=`). `is_code` says whether a text is one JavaScript expression.
pub(super) fn split(template: &str, is_code: &mut dyn FnMut(&str) -> bool) -> Vec<Chunk> {
    let mut chunks = Vec::new();
    let mut rest = template;
    loop {
        let Some(open) = unescaped(rest, "{{", 0) else {
            if !rest.is_empty() {
                chunks.push(Chunk::Text(rest.to_owned()));
            }
            return chunks;
        };
        let text = rest[..open].replace(r"\\", r"\");
        if !text.is_empty() {
            chunks.push(Chunk::Text(text));
        }
        rest = &rest[open + 2..];
        let Some(close) = closing(rest, is_code) else {
            chunks.push(Chunk::Code { code: unescape(rest).into_owned(), is_closed: false });
            return chunks;
        };
        chunks.push(Chunk::Code { code: unescape(&rest[..close]).into_owned(), is_closed: true });
        rest = &rest[close + 2..];
    }
}

/// Where the part that begins `text` closes.
fn closing(text: &str, is_code: &mut dyn FnMut(&str) -> bool) -> Option<usize> {
    let first = unescaped(text, "}}", 0)?;
    let mut candidate = Some(first);
    for _ in 0..MAX_CLOSING_TRIES {
        let Some(at) = candidate else { break };
        if is_code(&unescape(&text[..at])) {
            return Some(at);
        }
        candidate = unescaped(text, "}}", at + 1);
    }
    Some(first)
}

/// The first place at or after `from` where `brackets` stand with an even number of backslashes before them.
fn unescaped(text: &str, brackets: &str, from: usize) -> Option<usize> {
    let mut from = from;
    loop {
        let at = from + text.get(from..)?.find(brackets)?;
        let backslashes = text[..at].bytes().rev().take_while(|byte| *byte == b'\\').count();
        if backslashes % 2 == 0 {
            return Some(at);
        }
        from = at + brackets.len();
    }
}

fn unescape(code: &str) -> Cow<'_, str> {
    if code.contains(r"\}}") { Cow::Owned(code.replace(r"\}}", "}}")) } else { Cow::Borrowed(code) }
}
