//! What the body of a response is: its media type, its text, its file name.

use std::borrow::Cow;

use encoding_rs::{Encoding, UTF_8};
use reqwest::header::{CONTENT_DISPOSITION, CONTENT_TYPE};

use crate::egress::Response;

/// The media type without parameters, in lower case; `application/octet-stream` where the response does not say.
pub(crate) fn media_type(response: &Response) -> String {
    let essence = header(response)
        .and_then(|header| header.split(';').next())
        .map(|text| text.trim().to_ascii_lowercase());
    essence.filter(|text| text.contains('/')).unwrap_or_else(|| "application/octet-stream".to_owned())
}

/// Whether the response says that it is JSON.
pub(crate) fn is_json(response: &Response) -> bool {
    let media_type = media_type(response);
    matches!(media_type.as_str(), "application/json" | "text/json") || media_type.ends_with("+json")
}

/// Whether the body is to be kept as a file: its type is not one of text, or it says nothing and is not UTF-8.
pub(crate) fn is_binary(response: &Response) -> bool {
    if header(response).is_none() {
        return std::str::from_utf8(&response.body).is_err();
    }
    let media_type = media_type(response);
    let is_text = media_type.starts_with("text/")
        || media_type.ends_with("+json")
        || media_type.ends_with("+xml")
        || matches!(
            media_type.as_str(),
            "application/json"
                | "application/xml"
                | "application/javascript"
                | "application/ecmascript"
                | "application/x-javascript"
                | "application/x-www-form-urlencoded"
                | "application/x-ndjson"
                | "application/yaml"
                | "application/x-yaml"
                | "application/toml"
                | "application/graphql"
                | "application/sql"
        );
    !is_text
}

/// The body as text, in the charset that the response names, else UTF-8; what is wrong becomes `U+FFFD`.
pub(crate) fn text(response: &Response) -> Cow<'_, str> {
    let charset = header(response).and_then(|header| {
        header.split(';').skip(1).find_map(|parameter| {
            let (name, value) = parameter.split_once('=')?;
            name.trim().eq_ignore_ascii_case("charset").then(|| value.trim().trim_matches('"'))
        })
    });
    let encoding = charset.and_then(|label| Encoding::for_label(label.as_bytes())).unwrap_or(UTF_8);
    encoding.decode(&response.body).0
}

/// The file name that the response gives, or the last part of its URL; without any path.
pub(crate) fn file_name(response: &Response) -> Option<String> {
    let disposition =
        response.headers.get(CONTENT_DISPOSITION).map(|value| String::from_utf8_lossy(value.as_bytes()));
    let named = disposition.as_deref().and_then(name_of_disposition);
    let last = || {
        let part = response.url.path_segments()?.next_back()?;
        Some(percent_decode(part))
    };
    let name = named.or_else(last)?;
    let name = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let clean: String = name.chars().filter(|c| !c.is_control()).take(255).collect();
    (!clean.is_empty() && clean != "." && clean != "..").then_some(clean)
}

/// `filename*=UTF-8''...` before `filename="..."` (RFC 6266).
fn name_of_disposition(header: &str) -> Option<String> {
    let parameter = |wanted: &str| {
        header.split(';').skip(1).find_map(|part| {
            let (name, value) = part.split_once('=')?;
            name.trim().eq_ignore_ascii_case(wanted).then(|| value.trim().trim_matches('"').to_owned())
        })
    };
    let extended = parameter("filename*").and_then(|value| Some(percent_decode(value.split_once("''")?.1)));
    extended.or_else(|| parameter("filename"))
}

fn percent_decode(text: &str) -> String {
    // A plus stands for itself in a path; the decoder of forms would make it a space.
    let form = text.replace('+', "%2B").replace('&', "%26").replace('=', "%3D");
    url::form_urlencoded::parse(form.as_bytes()).next().map(|(name, _)| name.into_owned()).unwrap_or_default()
}

fn header(response: &Response) -> Option<&str> {
    response.headers.get(CONTENT_TYPE)?.to_str().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use reqwest::StatusCode;

    fn response(content_type: Option<&str>, disposition: Option<&str>, url: &str, body: &[u8]) -> Response {
        let headers = [("content-type", content_type), ("content-disposition", disposition)];
        Response {
            status: StatusCode::OK,
            headers: headers
                .iter()
                .filter_map(|(name, value)| Some((name.parse().unwrap(), (*value)?.parse().unwrap())))
                .collect(),
            url: url.parse().unwrap(),
            body: body.to_vec().into(),
        }
    }

    #[test]
    fn the_type_says_whether_a_body_is_json_text_or_a_file() {
        let cases = [
            (Some("application/json"), true, false),
            (Some("application/problem+json; charset=utf-8"), true, false),
            (Some("text/html"), false, false),
            (Some("application/xml"), false, false),
            (Some("image/svg+xml"), false, false),
            (Some("image/png"), false, true),
            (Some("application/octet-stream"), false, true),
            (Some("application/pdf"), false, true),
            (None, false, false),
        ];
        for (content_type, json, binary) in cases {
            let response = response(content_type, None, "http://a/", b"x");
            assert_eq!((is_json(&response), is_binary(&response)), (json, binary), "{content_type:?}");
        }
        assert!(is_binary(&response(None, None, "http://a/", &[0xff, 0xfe, 0x00])));
    }

    #[test]
    fn text_is_read_in_the_charset_of_the_response() {
        let latin = response(Some("text/plain; charset=\"ISO-8859-1\""), None, "http://a/", &[0xe4]);
        assert_eq!(text(&latin), "ä");
        assert_eq!(text(&response(Some("text/plain"), None, "http://a/", "ä".as_bytes())), "ä");
    }

    #[test]
    fn a_file_name_has_no_path() {
        let cases: [(Option<&str>, &str, Option<&str>); 8] = [
            (Some("attachment; filename=\"a b.csv\""), "http://a/x", Some("a b.csv")),
            (Some("attachment; filename=x; filename*=UTF-8''%e2%82%ac.txt"), "http://a/x", Some("€.txt")),
            (Some("attachment; filename=\"../../etc/passwd\""), "http://a/x", Some("passwd")),
            (Some("attachment; filename=\"..\\\\a.txt\""), "http://a/x", Some("a.txt")),
            (Some("attachment; filename=\"..\""), "http://a/x", None),
            (None, "http://a/dir/re%20port+1.pdf?q=1", Some("re port+1.pdf")),
            (None, "http://a/dir/", None),
            (None, "http://a/%2e%2e%2fx", Some("x")),
        ];
        for (disposition, url, expected) in cases {
            let response = response(None, disposition, url, b"");
            assert_eq!(file_name(&response).as_deref(), expected, "{disposition:?} {url}");
        }
    }
}
