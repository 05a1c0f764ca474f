//! Object literals as JavaScript writes them: `{a: 1, 'b': [true,]}`.
//!
//! Data only: no expressions, no functions, no template strings. People type such literals where JSON is asked for.

use serde_json::Value;

use crate::item::JsonMap;

/// Deepest nesting; as deep as `serde_json` reads.
const MAX_DEPTH: usize = 128;

/// Reads an object literal; `None` when the text is none.
pub(super) fn parse_object(text: &str) -> Option<JsonMap> {
    let mut reader = Reader { rest: text };
    let value = reader.value(0)?;
    reader.skip_blanks();
    match value {
        Value::Object(map) if reader.rest.is_empty() => Some(map),
        _ => None,
    }
}

struct Reader<'a> {
    rest: &'a str,
}

impl<'a> Reader<'a> {
    fn skip_blanks(&mut self) {
        self.rest = self.rest.trim_start();
    }

    /// Takes a sign, and blanks before it.
    fn take(&mut self, sign: char) -> Option<()> {
        self.skip_blanks();
        self.rest = self.rest.strip_prefix(sign)?;
        Some(())
    }

    fn value(&mut self, depth: usize) -> Option<Value> {
        if depth > MAX_DEPTH {
            return None;
        }
        self.skip_blanks();
        match self.rest.chars().next()? {
            '{' => self.object(depth).map(Value::Object),
            '[' => self.array(depth).map(Value::Array),
            quote @ ('"' | '\'') => self.string(quote).map(Value::String),
            _ => {
                let word =
                    self.word(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '+' | '-' | '_' | '$'))?;
                match word {
                    "true" => Some(Value::Bool(true)),
                    "false" => Some(Value::Bool(false)),
                    "null" | "undefined" => Some(Value::Null),
                    number => super::number_from_text(number).map(super::number_value),
                }
            }
        }
    }

    fn object(&mut self, depth: usize) -> Option<JsonMap> {
        self.take('{')?;
        let mut map = JsonMap::new();
        while self.take('}').is_none() {
            self.skip_blanks();
            let key = match self.rest.chars().next()? {
                quote @ ('"' | '\'') => self.string(quote)?,
                _ => self.word(|c| c.is_alphanumeric() || matches!(c, '_' | '$'))?.to_owned(),
            };
            self.take(':')?;
            let value = self.value(depth + 1)?;
            map.insert(key, value);
            if self.take(',').is_none() {
                self.take('}')?;
                break;
            }
        }
        Some(map)
    }

    fn array(&mut self, depth: usize) -> Option<Vec<Value>> {
        self.take('[')?;
        let mut list = Vec::new();
        while self.take(']').is_none() {
            list.push(self.value(depth + 1)?);
            if self.take(',').is_none() {
                self.take(']')?;
                break;
            }
        }
        Some(list)
    }

    fn word(&mut self, is_part: fn(char) -> bool) -> Option<&'a str> {
        let end = self.rest.find(|c| !is_part(c)).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        (!word.is_empty()).then_some(word)
    }

    fn string(&mut self, quote: char) -> Option<String> {
        self.take(quote)?;
        let mut text = String::new();
        let mut chars = self.rest.char_indices();
        while let Some((at, next)) = chars.next() {
            match next {
                '\n' => return None,
                '\\' => match chars.next()?.1 {
                    'n' => text.push('\n'),
                    't' => text.push('\t'),
                    'r' => text.push('\r'),
                    'b' => text.push('\u{8}'),
                    'f' => text.push('\u{c}'),
                    'u' => {
                        let digits: String = chars.by_ref().take(4).map(|(_, c)| c).collect();
                        text.push(char::from_u32(u32::from_str_radix(&digits, 16).ok()?)?);
                    }
                    other => text.push(other),
                },
                c if c == quote => {
                    self.rest = &self.rest[at + c.len_utf8()..];
                    return Some(text);
                }
                c => text.push(c),
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn literals_are_read_as_javascript_reads_them() {
        for (text, expected) in [
            ("{a: 1}", Some(json!({ "a": 1 }))),
            ("{ a: 1, 'b': \"x\", }", Some(json!({ "a": 1, "b": "x" }))),
            (r#"{'it\'s "so"': [true, null, -1.5e2,]}"#, Some(json!({ "it's \"so\"": [true, null, -150] }))),
            (r"{ $x: 'a\u0041\n' }", Some(json!({ "$x": "aA\n" }))),
            ("{}", Some(json!({}))),
            ("[1]", None),
            ("{a}", None),
            ("{a: b}", None),
            ("{a: 1} x", None),
            ("{a: 1", None),
            ("{a: 'x}", None),
            ("{a: f()}", None),
        ] {
            assert_eq!(parse_object(text).map(Value::Object), expected, "{text}");
        }
    }

    #[test]
    fn nesting_is_bounded() {
        assert_eq!(parse_object(&"{a:".repeat(100_000)), None);
    }

    proptest! {
        #[test]
        fn any_text_is_a_literal_or_not(text in "[{}\\[\\]:,a-c'\"0-2 \\\\]{0,30}") {
            let _ = parse_object(&text);
        }

        #[test]
        fn every_json_object_is_a_literal(entries in prop::collection::hash_map("[a-z \"']{0,5}", "[ -~]{0,8}", 0..5)) {
            let map: JsonMap = entries.into_iter().map(|(key, value)| (key, Value::from(value))).collect();
            prop_assert_eq!(parse_object(&Value::Object(map.clone()).to_string()), Some(map));
        }
    }
}
