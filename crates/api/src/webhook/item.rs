//! The item that a call becomes: headers, query and body, in the shape that n8n's users know.

use std::collections::{HashMap, HashSet};

use actix_web::http::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderMap};
use bytes::Bytes;
use futures::TryStreamExt as _;
use serde_json::{Map, Value};

use super::attachment::Attachment;
use crate::http::check_nesting;
use crate::problem::{Code, Problem};

/// Where bytes that are no text go.
const BINARY_PROPERTY: &str = "data";

/// The media type of bytes that come without one.
const UNKNOWN_TYPE: &str = "application/octet-stream";

/// Most parts of a form.
const MAX_PARTS: usize = 1_000;

/// Headers that are for us: whoever has them can act as the sender, so no workflow gets them.
const SECRET_HEADERS: [&str; 5] =
    ["authorization", "proxy-authorization", "cookie", "webhook-signature", "svix-signature"];

/// All of GitHub's signatures begin with this.
const HUB_SIGNATURE: &str = "x-hub-signature";

/// Media types of text, besides `text/*`, JSON and what ends in `+xml`.
const TEXT_TYPES: [&str; 5] = [
    "application/xml",
    "application/javascript",
    "application/x-ndjson",
    "application/graphql",
    "application/yaml",
];

/// A call as it came in.
#[derive(Clone, Copy, Debug)]
pub(super) struct Call<'a> {
    /// The HTTP method.
    pub method: &'a str,
    /// The path behind `/webhooks/`.
    pub path: &'a str,
    /// What stands behind the `?`.
    pub query: &'a str,
    /// All headers.
    pub headers: &'a HeaderMap,
}

/// A body that was read.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Content {
    /// What goes under `body`.
    pub json: Value,
    /// What goes beside the JSON.
    pub attachments: Vec<Attachment>,
}

impl Call<'_> {
    /// The JSON of the item.
    pub(super) fn json(&self, body: Value) -> Map<String, Value> {
        let mut json = Map::new();
        json.insert("headers".to_owned(), Value::Object(headers(self.headers)));
        json.insert("params".to_owned(), Value::Object(Map::new()));
        json.insert("query".to_owned(), Value::Object(pairs(self.query.as_bytes())));
        json.insert("body".to_owned(), body);
        json.insert("method".to_owned(), self.method.into());
        json.insert("path".to_owned(), self.path.into());
        json
    }

    /// Reads a body as its media type says.
    ///
    /// # Errors
    /// The body is not what its media type says, or is compressed: what it unfolds to is not bounded by its limit.
    pub(super) async fn content(&self, bytes: Bytes) -> Result<Content, Problem> {
        let encoding = self.headers.get(CONTENT_ENCODING).map(|value| value.as_bytes());
        if encoding.is_some_and(|encoding| !encoding.eq_ignore_ascii_case(b"identity")) {
            let detail = "the body has a Content-Encoding: send it as it is";
            return Err(Problem::new(Code::UnsupportedMediaType, detail));
        }
        if bytes.is_empty() {
            return Ok(Content { json: Value::Object(Map::new()), attachments: Vec::new() });
        }
        let full = self.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let media_type = full.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        match media_type.as_str() {
            "application/json" => json(&bytes),
            other if other.ends_with("+json") => json(&bytes),
            "application/x-www-form-urlencoded" => {
                Ok(Content { json: Value::Object(pairs(&bytes)), attachments: Vec::new() })
            }
            "multipart/form-data" => multipart(self.headers, bytes).await,
            other => Ok(text_or_binary(other, bytes)),
        }
    }
}

fn json(bytes: &[u8]) -> Result<Content, Problem> {
    check_nesting(bytes)?;
    let json = serde_json::from_slice(bytes)
        .map_err(|error| Problem::field("body", format!("is not JSON: {error}")))?;
    Ok(Content { json, attachments: Vec::new() })
}

fn text_or_binary(media_type: &str, bytes: Bytes) -> Content {
    let is_text = media_type.is_empty()
        || media_type.starts_with("text/")
        || media_type.ends_with("+xml")
        || TEXT_TYPES.contains(&media_type);
    match std::str::from_utf8(&bytes) {
        Ok(text) if is_text => Content { json: text.into(), attachments: Vec::new() },
        _ => {
            let mime_type = if media_type.is_empty() { UNKNOWN_TYPE } else { media_type }.to_owned();
            let attachment =
                Attachment { property: BINARY_PROPERTY.to_owned(), mime_type, file_name: None, bytes };
            Content { json: Value::Object(Map::new()), attachments: vec![attachment] }
        }
    }
}

/// Fields become the body, files are attached under the names of their fields.
async fn multipart(headers: &HeaderMap, bytes: Bytes) -> Result<Content, Problem> {
    let wrong =
        |error: actix_multipart::MultipartError| Problem::field("body", format!("is not a form: {error}"));
    let source = futures::stream::once(std::future::ready(Ok(bytes)));
    let mut form = actix_multipart::Multipart::new(headers, source);
    let (mut fields, mut attachments, mut names) = (Map::new(), Vec::new(), Names::default());
    let mut parts = 0;
    while let Some(mut field) = form.try_next().await.map_err(wrong)? {
        parts += 1;
        if parts > MAX_PARTS {
            return Err(Problem::field("body", format!("a form has at most {MAX_PARTS} parts")));
        }
        let mut bytes = Vec::new();
        while let Some(piece) = field.try_next().await.map_err(wrong)? {
            bytes.extend_from_slice(&piece);
        }
        let name = field.name().unwrap_or(BINARY_PROPERTY).to_owned();
        let file_name = field.content_disposition().and_then(|found| found.get_filename()).map(str::to_owned);
        match (file_name, String::from_utf8(bytes)) {
            (None, Ok(text)) => insert(&mut fields, name, text),
            (file_name, bytes) => attachments.push(Attachment {
                property: names.take(name),
                mime_type: field.content_type().map_or(UNKNOWN_TYPE, |found| found.essence_str()).to_owned(),
                file_name,
                bytes: bytes.map_or_else(|error| error.into_bytes(), String::into_bytes).into(),
            }),
        }
    }
    Ok(Content { json: Value::Object(fields), attachments })
}

/// Names that attachments have. Several files of one field are numbered.
#[derive(Default)]
struct Names {
    taken: HashSet<String>,
    /// The number to try next, by field: no number is tried twice.
    next: HashMap<String, usize>,
}

impl Names {
    fn take(&mut self, field: String) -> String {
        if self.taken.insert(field.clone()) {
            return field;
        }
        let next = self.next.entry(field.clone()).or_insert(1);
        loop {
            let name = format!("{field}{next}");
            *next += 1;
            if self.taken.insert(name.clone()) {
                return name;
            }
        }
    }
}

fn headers(all: &HeaderMap) -> Map<String, Value> {
    let mut shown = Map::new();
    for (name, value) in all {
        let name = name.as_str();
        if SECRET_HEADERS.contains(&name) || name.starts_with(HUB_SIGNATURE) {
            continue;
        }
        let value = String::from_utf8_lossy(value.as_bytes());
        match shown.get_mut(name) {
            Some(Value::String(known)) => {
                known.push_str(", ");
                known.push_str(&value);
            }
            _ => {
                shown.insert(name.to_owned(), value.into());
            }
        }
    }
    shown
}

/// Names and values; a name that comes again gets a list.
fn pairs(text: &[u8]) -> Map<String, Value> {
    let mut map = Map::new();
    for (name, value) in form_urlencoded::parse(text) {
        insert(&mut map, name.into_owned(), value.into_owned());
    }
    map
}

fn insert(map: &mut Map<String, Value>, name: String, value: String) {
    match map.get_mut(&name) {
        Some(Value::Array(known)) => known.push(value.into()),
        Some(known) => *known = Value::Array(vec![known.take(), value.into()]),
        None => {
            map.insert(name, value.into());
        }
    }
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::{HeaderName, HeaderValue};
    use serde_json::json;

    use super::*;

    fn header_map(pairs: &[(&str, &[u8])]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in pairs {
            map.append(
                HeaderName::from_bytes(name.as_bytes()).unwrap(),
                HeaderValue::from_bytes(value).unwrap(),
            );
        }
        map
    }

    async fn read(content_type: Option<&str>, body: &[u8]) -> Result<Content, Problem> {
        let headers = content_type
            .map_or_else(HeaderMap::new, |value| header_map(&[("content-type", value.as_bytes())]));
        let call = Call { method: "POST", path: "p", query: "", headers: &headers };
        call.content(Bytes::copy_from_slice(body)).await
    }

    #[test]
    fn the_item_holds_the_request_without_its_secrets() {
        let headers = header_map(&[
            ("Content-Type", b"application/json"),
            ("X-Tag", b"a"),
            ("X-Tag", b"b"),
            ("X-Odd", b"caf\xe9"),
            ("Authorization", b"Bearer s3cret"),
            ("Proxy-Authorization", b"s3cret"),
            ("Cookie", b"s3cret"),
            ("Webhook-Signature", b"v1,s3cret"),
            ("Svix-Signature", b"v1,s3cret"),
            ("X-Hub-Signature", b"sha1=s3cret"),
            ("X-Hub-Signature-256", b"sha256=s3cret"),
        ]);
        let call =
            Call { method: "PUT", path: "shop/orders", query: "a=1&b=2&b=3&c=%C3%A4&d", headers: &headers };
        let item = Value::Object(call.json(json!([1])));
        assert_eq!(
            item,
            json!({
                "headers": { "content-type": "application/json", "x-tag": "a, b", "x-odd": "caf\u{fffd}" },
                "params": {},
                "query": { "a": "1", "b": ["2", "3"], "c": "ä", "d": "" },
                "body": [1],
                "method": "PUT",
                "path": "shop/orders",
            })
        );
        assert!(!item.to_string().contains("s3cret"));
    }

    #[actix_web::test]
    async fn a_body_is_read_as_its_media_type_says() {
        for (content_type, body, expected) in [
            (Some("application/json"), "[1, {\"a\": null}]", json!([1, { "a": null }])),
            (Some("Application/JSON; charset=utf-8"), "17", json!(17)),
            (Some("application/cloudevents+json"), "{}", json!({})),
            (
                Some("application/x-www-form-urlencoded"),
                "a=1&a=2&b=x+y",
                json!({ "a": ["1", "2"], "b": "x y" }),
            ),
            (Some("text/plain"), "{\"a\":1}", json!("{\"a\":1}")),
            (Some("application/xml"), "<a/>", json!("<a/>")),
            (Some("image/svg+xml"), "<svg/>", json!("<svg/>")),
            (None, "plain", json!("plain")),
            (Some("application/json"), "", json!({})),
            (None, "", json!({})),
        ] {
            let content = read(content_type, body.as_bytes()).await.unwrap();
            assert_eq!(
                content,
                Content { json: expected, attachments: Vec::new() },
                "{content_type:?} {body}"
            );
        }
    }

    #[actix_web::test]
    async fn bytes_that_are_no_text_are_attached() {
        for (content_type, mime_type) in [
            (Some("text/plain"), "text/plain"),
            (Some("image/png"), "image/png"),
            (None, "application/octet-stream"),
        ] {
            let content = read(content_type, b"\xff\xfe").await.unwrap();
            assert_eq!(content.json, json!({}));
            let [attachment] = &content.attachments[..] else { panic!("one attachment, not {content:?}") };
            assert_eq!((attachment.property.as_str(), attachment.mime_type.as_str()), ("data", mime_type));
            assert_eq!(&attachment.bytes[..], b"\xff\xfe");
        }
        let content = read(Some("application/pdf"), b"text that claims to be none").await.unwrap();
        assert_eq!(content.attachments.len(), 1);
    }

    #[actix_web::test]
    async fn what_claims_to_be_json_and_is_not_is_refused() {
        let deep = "[".repeat(100_000);
        let nested = format!("{}{}", "[".repeat(65), "]".repeat(65));
        for body in [&b"{"[..], b"\xff", b"{} {}", deep.as_bytes(), nested.as_bytes()] {
            let problem = read(Some("application/json"), body).await.unwrap_err();
            assert!(problem.to_string().contains("body"), "{problem}");
        }
    }

    #[actix_web::test]
    async fn a_form_gives_fields_and_files() {
        let body = "--B\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n\
                    --B\r\nContent-Disposition: form-data; name=\"f\"; filename=\"x.csv\"\r\nContent-Type: text/csv\r\n\r\nq\r\n\
                    --B\r\nContent-Disposition: form-data; name=\"f\"; filename=\"y.csv\"\r\nContent-Type: text/csv\r\n\r\nr\r\n--B--\r\n";
        let content = read(Some("multipart/form-data; boundary=B"), body.as_bytes()).await.unwrap();
        assert_eq!(content.json, json!({ "a": "1" }));
        let found: Vec<_> = content
            .attachments
            .iter()
            .map(|one| {
                (one.property.as_str(), one.file_name.as_deref(), one.mime_type.as_str(), &one.bytes[..])
            })
            .collect();
        assert_eq!(
            found,
            [("f", Some("x.csv"), "text/csv", &b"q"[..]), ("f1", Some("y.csv"), "text/csv", &b"r"[..])]
        );
        let problem = read(Some("multipart/form-data; boundary=B"), b"nonsense").await.unwrap_err();
        assert!(problem.to_string().contains("body"), "{problem}");
    }

    fn form_of_files(names: impl Iterator<Item = String>) -> String {
        let part = |name| {
            format!("--B\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"x\"\r\n\r\nq\r\n")
        };
        names.map(part).collect::<String>() + "--B--\r\n"
    }

    #[actix_web::test]
    async fn files_of_one_name_are_numbered_around_names_that_are_taken() {
        let form = form_of_files(["f1", "f", "f", "f", "f2"].map(str::to_owned).into_iter());
        let content = read(Some("multipart/form-data; boundary=B"), form.as_bytes()).await.unwrap();
        let names: Vec<_> = content.attachments.iter().map(|one| one.property.as_str()).collect();
        assert_eq!(names, ["f1", "f", "f2", "f3", "f21"]);
    }

    #[actix_web::test]
    async fn a_form_has_only_so_many_parts() {
        let form = |count| form_of_files((0..count).map(|_| "f".to_owned()));
        let read = async |form: String| read(Some("multipart/form-data; boundary=B"), form.as_bytes()).await;
        let content = read(form(MAX_PARTS)).await.unwrap();
        assert_eq!(content.attachments[MAX_PARTS - 1].property, format!("f{}", MAX_PARTS - 1));
        let problem = read(form(MAX_PARTS + 1)).await.unwrap_err();
        assert!(problem.to_string().contains("at most 1000 parts"), "{problem}");
    }
}
