//! Regular expressions as JavaScript writes them, with a bound on the work of a match.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use fancy_regex::{Regex, RegexBuilder};

/// Steps of backtracking before a match is given up: a pattern such as `(a+)+$` must not hold a worker.
const BACKTRACK_LIMIT: usize = 200_000;

/// Largest compiled pattern in bytes.
const SIZE_LIMIT: usize = 4 * 1024 * 1024;

/// Longest pattern in bytes.
const MAX_PATTERN_BYTES: usize = 10_000;

/// Most patterns that are kept; a pattern that differs for every item must not fill memory.
const MAX_KEPT: usize = 100;

/// Compiled patterns, by text.
#[derive(Default)]
pub(super) struct Patterns {
    compiled: HashMap<String, Regex>,
}

impl Patterns {
    /// Whether the text matches the pattern `text` or `/text/flags`.
    pub(super) fn is_match(&mut self, pattern: &str, text: &str) -> Result<bool, String> {
        self.find(pattern)?
            .is_match(text)
            .map_err(|_| format!("matching the pattern '{pattern}' takes too long on this text"))
    }

    /// The compiled pattern.
    pub(super) fn find(&mut self, pattern: &str) -> Result<&Regex, String> {
        if self.compiled.len() >= MAX_KEPT {
            self.compiled.clear();
        }
        match self.compiled.entry(pattern.to_owned()) {
            Entry::Occupied(found) => Ok(found.into_mut()),
            Entry::Vacant(place) => Ok(place.insert(compile(pattern)?)),
        }
    }
}

fn compile(pattern: &str) -> Result<Regex, String> {
    if pattern.len() > MAX_PATTERN_BYTES {
        return Err(format!("a pattern has at most {MAX_PATTERN_BYTES} bytes"));
    }
    let (source, flags) = split_flags(pattern);
    RegexBuilder::new(&translate(source))
        .case_insensitive(flags.contains('i'))
        .multi_line(flags.contains('m'))
        .dot_matches_new_line(flags.contains('s'))
        .backtrack_limit(BACKTRACK_LIMIT)
        .delegate_size_limit(SIZE_LIMIT)
        .build()
        .map_err(|error| format!("'{pattern}' is not a valid regular expression: {error}"))
}

/// `/text/flags` as text and flags; anything else is text.
fn split_flags(pattern: &str) -> (&str, &str) {
    let Some((source, flags)) = pattern.strip_prefix('/').and_then(|rest| rest.rsplit_once('/')) else {
        return (pattern, "");
    };
    if flags.chars().all(|flag| "dgimsuy".contains(flag)) { (source, flags) } else { (pattern, "") }
}

/// JavaScript's syntax as that of the `regex` crate: `\d` and `\w` are ASCII, punctuation may be escaped at will,
/// `[^]` is any character, and `[`, `&&` and `~~` mean nothing inside brackets.
fn translate(source: &str) -> String {
    let mut out = String::with_capacity(source.len() + 8);
    let mut chars = source.chars().peekable();
    let mut is_class = false;
    while let Some(next) = chars.next() {
        match next {
            '\\' => match chars.next() {
                Some(escaped) => push_escape(&mut out, escaped, is_class),
                None => out.push('\\'),
            },
            '[' if !is_class => {
                let is_negated = chars.next_if_eq(&'^').is_some();
                if chars.next_if_eq(&']').is_some() {
                    out.push_str(if is_negated { r"[\s\S]" } else { r"[^\s\S]" });
                } else {
                    out.push_str(if is_negated { "[^" } else { "[" });
                    is_class = true;
                }
            }
            ']' if is_class => {
                out.push(']');
                is_class = false;
            }
            '[' | '&' | '~' if is_class => out.extend(['\\', next]),
            other => out.push(other),
        }
    }
    out
}

fn push_escape(out: &mut String, escaped: char, is_class: bool) {
    match (escaped, is_class) {
        ('d', true) => out.push_str("0-9"),
        ('d', false) => out.push_str("[0-9]"),
        ('D', _) => out.push_str("[^0-9]"),
        ('w', true) => out.push_str("A-Za-z0-9_"),
        ('w', false) => out.push_str("[A-Za-z0-9_]"),
        ('W', _) => out.push_str("[^A-Za-z0-9_]"),
        (other, _) if other.is_ascii_punctuation() && !r"\.+*?()|[]{}^$-&~#".contains(other) => {
            out.push(other)
        }
        (other, _) => out.extend(['\\', other]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn is_match(pattern: &str, text: &str) -> Result<bool, String> {
        Patterns::default().is_match(pattern, text)
    }

    #[test]
    fn patterns_mean_what_they_mean_in_javascript() {
        for (pattern, text, expected) in [
            ("a.c", "xabcx", true),
            ("^a.c$", "xabcx", false),
            ("/ABC/i", "abc", true),
            ("/abc/", "ABC", false),
            ("/^b/m", "a\nb", true),
            ("^b", "a\nb", false),
            ("a.b", "a\nb", false),
            ("/a.b/s", "a\nb", true),
            (r"^\d{3}$", "123", true),
            (r"^\d$", "٣", false),
            (r"^[\w.]+@[\w.]+$", "a.b@c.de", true),
            (r"https?:\/\/x", "http://x", true),
            (r"[^]", "\n", true),
            ("[]", "a", false),
            (r"[[]", "[", true),
            (r"[a&&b]", "&", true),
            (r"(a)\1", "aa", true),
            (r"a(?=b)", "ab", true),
            (r"a(?!b)", "ab", false),
            (r"(?<y>\d{4})-\k<y>", "2024-2024", true),
            ("", "", true),
            ("/", "/", true),
        ] {
            assert_eq!(is_match(pattern, text), Ok(expected), "{pattern} on {text:?}");
        }
    }

    #[test]
    fn a_pattern_that_cannot_be_read_is_named() {
        let error = is_match("(", "x").unwrap_err();
        assert!(error.contains("'('"), "{error}");
    }

    #[test]
    fn a_runaway_pattern_is_given_up() {
        let error = is_match("^(?:a+(?!x))+$", &format!("{}b", "a".repeat(60))).unwrap_err();
        assert!(error.contains("takes too long"), "{error}");
    }

    proptest! {
        #[test]
        fn any_pattern_gives_an_answer(pattern in ".{0,30}", text in ".{0,30}") {
            let _ = is_match(&pattern, &text);
        }

        #[test]
        fn a_literal_matches_itself(text in "[a-z0-9 äß]{0,20}") {
            prop_assert_eq!(is_match(&text, &text), Ok(true));
        }
    }
}
