//! Splitting a template into text and code.
//!
//! The rules are those of n8n's splitter: a part opens at `{{` and closes at the first `}}`; an odd
//! number of backslashes before either makes it ordinary text; doubled backslashes in the text before
//! a part become single ones; a part without an end reaches to the end of the template. One thing is
//! more lenient: where the code up to the first `}}` is no JavaScript, the `}}` at which all brackets are
//! closed is tried, so that `{{ "}}" }}` and `{{ {a: {b: 1}}.a.b }}` mean what they look like.

use std::borrow::Cow;

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
        let Some(open) = unescaped(rest, "{{") else {
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
    let first = unescaped(text, "}}")?;
    if is_code(&unescape(&text[..first])) {
        return Some(first);
    }
    let balanced = balanced_closing(text).filter(|at| *at != first && is_code(&unescape(&text[..*at])));
    Some(balanced.unwrap_or(first))
}

/// The first place where `brackets` stand with an even number of backslashes before them.
fn unescaped(text: &str, brackets: &str) -> Option<usize> {
    let mut from = 0;
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

/// What a `}` would close.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Open {
    Bracket,
    /// `${` in a template literal.
    Substitution,
}

/// The first `}}` outside of every bracket, string, template literal, comment and regular expression.
///
/// Whether a slash divides or begins a regular expression is guessed from what stands before it. A wrong guess
/// costs nothing but the leniency: what is found is compiled before it is believed.
fn balanced_closing(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut open = Vec::new();
    let mut previous = b'(';
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'"' | b'\'' => at = after_quoted(bytes, at + 1, byte)?,
            b'`' => at = after_template_text(bytes, at + 1, &mut open)?,
            b'/' if bytes.get(at + 1) == Some(&b'/') => at = after(bytes, at, b"\n")?,
            b'/' if bytes.get(at + 1) == Some(&b'*') => at = after(bytes, at + 2, b"*/")?,
            b'/' if b"([{,;:=!&|?+-*%<>~^}".contains(&previous) => at = after_regex(bytes, at + 1)?,
            b'(' | b'[' | b'{' => {
                open.push(Open::Bracket);
                at += 1;
            }
            b'}' => match open.pop() {
                None if bytes.get(at + 1) == Some(&b'}') => return Some(at),
                Some(Open::Substitution) => at = after_template_text(bytes, at + 1, &mut open)?,
                None | Some(Open::Bracket) => at += 1,
            },
            b')' | b']' => {
                open.pop();
                at += 1;
            }
            // `\}}` outside of a string stands for `}}`.
            b'\\' => at += 3,
            _ => at += 1,
        }
        if !byte.is_ascii_whitespace() {
            previous = byte;
        }
    }
    None
}

fn after(bytes: &[u8], from: usize, end: &[u8]) -> Option<usize> {
    let found = bytes.get(from..)?.windows(end.len()).position(|window| window == end)?;
    Some(from + found + end.len())
}

fn after_quoted(bytes: &[u8], from: usize, quote: u8) -> Option<usize> {
    let mut at = from;
    loop {
        match *bytes.get(at)? {
            b'\\' => at += 2,
            byte if byte == quote => return Some(at + 1),
            _ => at += 1,
        }
    }
}

/// The end of a template literal's text: behind its closing backtick, or behind a `${`, which is noted.
fn after_template_text(bytes: &[u8], from: usize, open: &mut Vec<Open>) -> Option<usize> {
    let mut at = from;
    loop {
        match *bytes.get(at)? {
            b'\\' => at += 2,
            b'`' => return Some(at + 1),
            b'$' if bytes.get(at + 1) == Some(&b'{') => {
                open.push(Open::Substitution);
                return Some(at + 2);
            }
            _ => at += 1,
        }
    }
}

fn after_regex(bytes: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    let mut is_class = false;
    loop {
        match *bytes.get(at)? {
            b'\\' => at += 1,
            b'[' => is_class = true,
            b']' => is_class = false,
            b'/' if !is_class => return Some(at + 1),
            b'\n' => return None,
            _ => {}
        }
        at += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_balanced_end_is_found_behind_everything_that_looks_like_one() {
        let cases = [
            (" 1 }}", Some(3)),
            (" {a:{b:1}} }}", Some(11)),
            ("{a:{b:1}}}}", Some(9)),
            (" '}}' + \"}}\\\"}}\" }}", Some(17)),
            (" `}}${ {a: '}}'} }}}` }}", Some(22)),
            (" `${`${1}}}`}}}` }}", Some(17)),
            (" /}}/ }}", Some(6)),
            (" /[/}}]\\/}}/.x }}", Some(15)),
            (" 4 / 2 }} / 1", Some(7)),
            (" a /* }} */ }}", Some(12)),
            (" a // }}\n }}", Some(10)),
            (" f(function () { return {} }) }}", Some(30)),
            (" '}}", None),
            (" {a:1", None),
            (" `${", None),
            ("", None),
        ];
        for (text, expected) in cases {
            assert_eq!(balanced_closing(text), expected, "{text}");
        }
    }

    #[test]
    fn a_part_ends_at_the_first_braces_where_that_is_code() {
        let text = |text: &str| Chunk::Text(text.to_owned());
        let code = |code: &str| Chunk::Code { code: code.to_owned(), is_closed: true };
        let cases = [
            ("a {{ b }} c", vec![text("a "), code(" b "), text(" c")]),
            ("{{a}}{{b}}", vec![code("a"), code("b")]),
            ("", vec![]),
            ("a", vec![text("a")]),
            ("a }} b", vec![text("a }} b")]),
            (r"\{{ a }}", vec![text(r"\{{ a }}")]),
            (r"\\{{ a }}", vec![text(r"\"), code(" a ")]),
            (r"{{ a \}} b }}", vec![code(" a }} b ")]),
            ("{{ a", vec![Chunk::Code { code: " a".to_owned(), is_closed: false }]),
            ("é{{ ü }}ö", vec![text("é"), code(" ü "), text("ö")]),
        ];
        for (template, expected) in cases {
            assert_eq!(split(template, &mut |_| true), expected, "{template}");
        }
    }
}
