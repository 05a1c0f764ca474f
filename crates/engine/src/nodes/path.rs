//! Dot paths into items: `customer.address[0].city`.
//!
//! As with n8n's users' lodash, a property whose name is the whole path wins over the path (`{"a.b": 1}`), a
//! missing part gives nothing, and writing makes the objects and lists on the way.

use serde_json::Value;

use crate::item::JsonMap;

/// Largest list index that writing may create: a path must not fill memory.
const MAX_INDEX: usize = 10_000;

/// How field names are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notation {
    /// `a.b` is `b` inside `a`.
    Dots,
    /// `a.b` is a property of that name.
    Plain,
}

impl Notation {
    /// Dots unless they are switched off.
    #[must_use]
    pub const fn dots(enabled: bool) -> Self {
        if enabled { Self::Dots } else { Self::Plain }
    }

    /// The value of a field, if the object has it.
    #[must_use]
    pub fn get<'v>(self, map: &'v JsonMap, name: &str) -> Option<&'v Value> {
        if let Some(value) = map.get(name) {
            return Some(value);
        }
        if self == Self::Plain {
            return None;
        }
        let mut parts = parse(name).into_iter();
        let mut value = map.get(&parts.next()?)?;
        for part in parts {
            value = match value {
                Value::Object(map) => map.get(&part)?,
                Value::Array(list) => list.get(part.parse::<usize>().ok()?)?,
                _ => return None,
            };
        }
        Some(value)
    }

    /// Sets a field, making what is missing on the way.
    ///
    /// # Errors
    /// When a list index in the path is larger than any list may become.
    pub fn set(self, map: &mut JsonMap, name: &str, value: Value) -> Result<(), String> {
        if self == Self::Plain || map.contains_key(name) {
            map.insert(name.to_owned(), value);
            return Ok(());
        }
        let mut parts = parse(name);
        let Some(last) = parts.pop() else { return Ok(()) };
        if let Some(index) =
            parts.iter().chain([&last]).skip(1).filter_map(|part| part.parse::<usize>().ok()).max()
            && index > MAX_INDEX
        {
            return Err(format!("the index {index} in the path {name:?} is larger than {MAX_INDEX}"));
        }
        let Some((first, rest)) = parts.split_first() else {
            map.insert(last, value);
            return Ok(());
        };
        let mut place = map.entry(first.clone()).or_insert(Value::Null);
        for part in rest {
            place = descend(place, part);
        }
        *descend(place, &last) = value;
        Ok(())
    }

    /// Removes a field; whether it was there.
    pub fn remove(self, map: &mut JsonMap, name: &str) -> bool {
        if map.shift_remove(name).is_some() {
            return true;
        }
        if self == Self::Plain {
            return false;
        }
        let mut parts = parse(name);
        let Some(last) = parts.pop() else { return false };
        let Some((first, rest)) = parts.split_first() else { return false };
        let Some(mut place) = map.get_mut(first) else { return false };
        for part in rest {
            let inner = match place {
                Value::Object(map) => map.get_mut(part),
                Value::Array(list) => part.parse::<usize>().ok().and_then(|index| list.get_mut(index)),
                _ => None,
            };
            let Some(inner) = inner else { return false };
            place = inner;
        }
        match place {
            Value::Object(map) => map.shift_remove(&last).is_some(),
            // As `delete list[i]` does: the others keep their places.
            Value::Array(list) => last
                .parse::<usize>()
                .ok()
                .and_then(|index| list.get_mut(index))
                .is_some_and(|slot| !std::mem::replace(slot, Value::Null).is_null()),
            _ => false,
        }
    }

    /// The last part of a name: what a field is called when it is lifted out of its object.
    #[must_use]
    pub fn last_part(self, name: &str) -> String {
        match self {
            Self::Plain => name.to_owned(),
            Self::Dots => parse(name).pop().unwrap_or_else(|| name.to_owned()),
        }
    }
}

/// The object or list inside `place` at `part`; made where something else was.
fn descend<'v>(place: &'v mut Value, part: &str) -> &'v mut Value {
    let index = part.parse::<usize>().ok();
    match (&*place, index) {
        (Value::Object(_), _) | (Value::Array(_), Some(_)) => {}
        (_, Some(_)) => *place = Value::Array(Vec::new()),
        (_, None) => *place = Value::Object(JsonMap::new()),
    }
    match place {
        Value::Array(list) => {
            let index = index.unwrap_or_default();
            if list.len() <= index {
                list.resize(index + 1, Value::Null);
            }
            &mut list[index]
        }
        Value::Object(map) => map.entry(part.to_owned()).or_insert(Value::Null),
        other => other,
    }
}

/// The parts of a path: `a.b[0]["c d"]` is `a`, `b`, `0`, `c d`.
fn parse(path: &str) -> Vec<String> {
    let mut parts = Vec::new();
    let mut current = String::new();
    let mut chars = path.chars().peekable();
    // Whether the text so far is a part even if it is empty (`a..b` has an empty middle, `a[0].b` has not).
    let mut is_open = true;
    while let Some(next) = chars.next() {
        match next {
            '.' => {
                if is_open {
                    parts.push(std::mem::take(&mut current));
                }
                is_open = true;
            }
            '[' => {
                if is_open && !(current.is_empty() && parts.is_empty()) || !current.is_empty() {
                    parts.push(std::mem::take(&mut current));
                }
                let quote = chars.next_if(|&c| c == '"' || c == '\'');
                let mut inner = String::new();
                while let Some(c) = chars.next_if(|&c| quote.map_or(c != ']', |quote| c != quote)) {
                    inner.push(c);
                }
                if quote.is_some() {
                    chars.next();
                }
                chars.next_if_eq(&']');
                parts.push(inner);
                is_open = false;
            }
            other => {
                current.push(other);
                is_open = true;
            }
        }
    }
    if is_open {
        parts.push(current);
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn map(value: Value) -> JsonMap {
        match value {
            Value::Object(map) => map,
            other => panic!("{other} is not an object"),
        }
    }

    #[test]
    fn a_path_is_split_at_dots_and_brackets() {
        for (path, parts) in [
            ("a", vec!["a"]),
            ("a.b", vec!["a", "b"]),
            ("a[0].b", vec!["a", "0", "b"]),
            ("a[0][1]", vec!["a", "0", "1"]),
            ("a[\"b c\"].d", vec!["a", "b c", "d"]),
            ("a['b.c']", vec!["a", "b.c"]),
            ("[\"a\"].b", vec!["a", "b"]),
            ("a..b", vec!["a", "", "b"]),
            ("", vec![""]),
        ] {
            assert_eq!(parse(path), parts, "{path}");
        }
    }

    #[test]
    fn a_property_named_like_the_path_wins() {
        let value = map(json!({ "a.b": 1, "a": { "b": 2 } }));
        assert_eq!(Notation::Dots.get(&value, "a.b"), Some(&json!(1)));
        assert_eq!(Notation::Dots.get(&value, "a['b']"), Some(&json!(2)));
        assert_eq!(Notation::Plain.get(&map(json!({ "a": { "b": 2 } })), "a.b"), None);
    }

    #[test]
    fn setting_makes_what_is_missing() {
        for (start, path, expected) in [
            (json!({}), "a.b.c", json!({ "a": { "b": { "c": 1 } } })),
            (json!({}), "a[1].b", json!({ "a": [null, { "b": 1 }] })),
            (json!({ "a": 5 }), "a.b", json!({ "a": { "b": 1 } })),
            (json!({ "a": [1] }), "a.x", json!({ "a": { "x": 1 } })),
            (json!({ "a.b": 0 }), "a.b", json!({ "a.b": 1 })),
        ] {
            let mut value = map(start);
            Notation::Dots.set(&mut value, path, json!(1)).unwrap();
            assert_eq!(Value::Object(value), expected, "{path}");
        }
    }

    #[test]
    fn a_huge_index_is_refused() {
        let error = Notation::Dots.set(&mut JsonMap::new(), "a[4000000000]", json!(1)).unwrap_err();
        assert!(error.contains("4000000000"), "{error}");
    }

    #[test]
    fn removing_takes_only_the_named_field() {
        let mut value = map(json!({ "a": { "b": 1, "c": 2 }, "d": [1, 2] }));
        assert!(Notation::Dots.remove(&mut value, "a.b"));
        assert!(Notation::Dots.remove(&mut value, "d[0]"));
        assert!(!Notation::Dots.remove(&mut value, "x.y"));
        assert_eq!(Value::Object(value), json!({ "a": { "c": 2 }, "d": [null, 2] }));
    }

    proptest! {
        #[test]
        fn what_was_set_is_read_back(path in "[a-c.\\[\\]0-3\"']{0,12}") {
            let mut value = JsonMap::new();
            Notation::Dots.set(&mut value, &path, json!("here")).unwrap();
            prop_assert_eq!(Notation::Dots.get(&value, &path), Some(&json!("here")));
        }
    }
}
