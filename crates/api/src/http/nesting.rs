//! How deep JSON may nest.

use crate::problem::Problem;

/// Most levels of arrays and objects inside of each other.
///
/// JSON that nests deeper than 127 levels is not read back from the database, and what comes in is wrapped in items
/// and lists before it is stored. This leaves room for that, and for what nodes wrap around it.
const MAX_LEVELS: usize = 64;

/// Refuses JSON that nests too deep, before it is read. It looks at brackets only: whether it is JSON is found out
/// after.
///
/// # Errors
/// Names the field at the top in which it is, or the body.
pub fn check_nesting(json: &[u8]) -> Result<(), Problem> {
    let mut level = 0_usize;
    let mut is_object = false;
    // The last text at the top, which is the name of the field whose value begins after it.
    let mut field = &json[..0];
    let mut rest = json.iter().enumerate();
    while let Some((at, byte)) = rest.next() {
        match byte {
            b'"' => {
                let mut end = at + 1;
                while let Some((place, byte)) = rest.next() {
                    end = place;
                    match byte {
                        b'\\' => _ = rest.next(),
                        b'"' => break,
                        _ => {}
                    }
                }
                if level == 1 {
                    field = json.get(at + 1..end).unwrap_or_default();
                }
            }
            b'[' | b'{' => {
                is_object = if level == 0 { *byte == b'{' } else { is_object };
                level += 1;
                if level > MAX_LEVELS {
                    let name = std::str::from_utf8(field).ok().filter(|name| is_object && !name.is_empty());
                    let reason = format!("is nested deeper than {MAX_LEVELS} levels");
                    return Err(Problem::field(name.unwrap_or("body"), reason));
                }
            }
            b']' | b'}' => level = level.saturating_sub(1),
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nested(levels: usize) -> String {
        format!("{}{}", "[".repeat(levels), "]".repeat(levels))
    }

    #[test]
    fn json_may_nest_to_the_greatest_depth_and_not_deeper() {
        let wide = vec![nested(MAX_LEVELS - 1); 3].join(",");
        for json in
            [nested(MAX_LEVELS), format!("[{wide}]"), format!("{:?}", "[".repeat(200)), r#""\"[""#.to_owned()]
        {
            assert!(check_nesting(json.as_bytes()).is_ok(), "{json}");
        }
        let problem = check_nesting(nested(MAX_LEVELS + 1).as_bytes()).unwrap_err();
        assert_eq!(problem.to_string(), "body: is nested deeper than 64 levels");
    }

    #[test]
    fn the_field_that_nests_too_deep_is_named() {
        let deep = nested(MAX_LEVELS);
        let json = format!(r#"{{"a":{{"x":1}},"n\"[":"[","input":{deep}}}"#);
        assert!(check_nesting(json.as_bytes()).unwrap_err().to_string().starts_with("input: "));
        let problem = check_nesting(format!(r#"["a",{deep}]"#).as_bytes()).unwrap_err();
        assert!(problem.to_string().starts_with("body: "));
    }

    #[test]
    fn what_is_no_json_is_left_to_the_reader() {
        for text in [&b""[..], b"]]]]", b"\"", b"\"\\", b"{\"a", b"\xff\xfe"] {
            assert!(check_nesting(text).is_ok());
        }
    }
}
