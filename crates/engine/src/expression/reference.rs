//! Which nodes an expression names, as far as that can be read from its text.

/// A node that an expression refers to by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeReference {
    /// The field that holds the expression, as a path (`assignments[0].value`).
    pub path: String,
    /// The node's name.
    pub node: String,
}

/// What introduces a name: the text before the quote, after `$`, and whether blanks may follow it.
const MARKERS: [&str; 3] = ["(", "node[", "items("];

/// The names of nodes in `$('Name')`, `$node["Name"]`, `$node.Name` and `$items("Name")`, without repeats.
/// Names that are computed cannot be seen; string literals and comments are not looked into.
pub(super) fn named_nodes(code: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut rest = code;
    let mut previous = ' ';
    while let Some(first) = rest.chars().next() {
        let after = &rest[first.len_utf8()..];
        let mut next = after;
        match first {
            '"' | '\'' => next = after_string(after, first),
            '/' if after.starts_with('/') => next = after.split_once('\n').map_or("", |(_, tail)| tail),
            '/' if after.starts_with('*') => next = after[1..].split_once("*/").map_or("", |(_, tail)| tail),
            '$' if !is_identifier(previous) => {
                if let Some((name, tail)) = name_after_dollar(after) {
                    if !found.contains(&name) {
                        found.push(name);
                    }
                    next = tail;
                }
            }
            _ => {}
        }
        previous = first;
        rest = next;
    }
    found
}

fn name_after_dollar(text: &str) -> Option<(String, &str)> {
    if let Some(tail) = text.strip_prefix("node.") {
        let end = tail.find(|c| !is_identifier(c)).unwrap_or(tail.len());
        return (end > 0).then(|| (tail[..end].to_owned(), &tail[end..]));
    }
    let tail = MARKERS.iter().find_map(|marker| text.strip_prefix(marker))?.trim_start();
    let quote = tail.chars().next().filter(|c| matches!(c, '"' | '\'' | '`'))?;
    let tail = &tail[1..];
    let end = tail.find(quote)?;
    let name = &tail[..end];
    let is_computed = quote == '`' && name.contains("${");
    let is_plain = !is_computed && !name.contains('\\');
    let is_closed = tail[end + 1..].trim_start().starts_with([')', ']', ',']);
    (is_plain && is_closed).then(|| (name.to_owned(), &tail[end + 1..]))
}

fn after_string(text: &str, quote: char) -> &str {
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        if c == '\\' {
            chars.next();
        } else if c == quote {
            return &text[at + 1..];
        }
    }
    ""
}

pub(super) fn is_identifier(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '$'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_where_they_are_written_out() {
        let cases: [(&str, &[&str]); 11] = [
            ("$('A').first().json.x + $(\"B b\").item.json.y", &["A", "B b"]),
            ("$node[\"C\"].json.x", &["C"]),
            ("$node.D.json.x", &["D"]),
            ("$items( 'E' , 0, 1)", &["E"]),
            ("$(`F`).all()", &["F"]),
            ("$(`F${1}`).all()", &[]),
            ("$('A' + x)", &[]),
            ("\"$('A')\" /* $('B') */ // $('C')", &[]),
            ("'it\\'s $(\"A\")'", &[]),
            ("a$('A')", &[]),
            ("$('A').all().concat($('A').all())", &["A"]),
        ];
        for (code, expected) in cases {
            assert_eq!(named_nodes(code), expected, "{code}");
        }
    }
}
