//! Request bodies as bytes.

use bytes::Bytes;
use engine::item::{Binary, Item};
use engine::node::{Host, NodeError};
use serde_json::Value;
use url::form_urlencoded;
use uuid::Uuid;

use super::fields::{ArrayFormat, as_text};
use super::parameters::{Body, Part};

/// A body and its media type.
#[derive(Debug)]
pub(super) struct Encoded {
    pub(super) bytes: Bytes,
    pub(super) content_type: String,
}

/// Writes a body; files come from the input item.
pub(super) async fn encode(
    body: &Body,
    item: Option<&Item>,
    host: &dyn Host,
) -> Result<Option<Encoded>, NodeError> {
    let encoded = match body {
        Body::None {} => return Ok(None),
        Body::Json { value } => {
            Encoded { bytes: json_bytes(value)?, content_type: "application/json".to_owned() }
        }
        Body::Form { fields } => {
            let text = form_urlencoded::Serializer::new(String::new())
                .extend_pairs(fields.pairs(ArrayFormat::Repeat))
                .finish();
            Encoded { bytes: text.into(), content_type: "application/x-www-form-urlencoded".to_owned() }
        }
        Body::Raw { content, content_type } => {
            Encoded { bytes: content.clone().into(), content_type: content_type.clone() }
        }
        Body::Binary { property, content_type } => {
            let binary = find_binary(item, property)
                .map_err(|message| NodeError::parameter("body.property", message))?;
            let content_type = content_type.clone().unwrap_or_else(|| media_type(binary));
            Encoded { bytes: host.read_binary(binary).await?, content_type }
        }
        Body::Multipart { parts } => multipart(parts, item, host).await?,
    };
    Ok(Some(encoded))
}

/// A binary property of an item.
pub(crate) fn find_binary<'i>(item: Option<&'i Item>, property: &str) -> Result<&'i Binary, String> {
    let binaries = item.and_then(|item| item.binary.as_deref());
    binaries.and_then(|binaries| binaries.get(property)).ok_or_else(|| {
        let known: Vec<_> = binaries.into_iter().flatten().map(|(name, _)| name.as_str()).collect();
        let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
        format!("the item has no binary property {property:?} (it has: {known})")
    })
}

fn json_bytes(value: &Value) -> Result<Bytes, NodeError> {
    let Value::String(text) = value else { return Ok(value.to_string().into()) };
    match serde_json::from_str::<serde::de::IgnoredAny>(text) {
        Ok(_) => Ok(text.clone().into()),
        Err(error) => Err(NodeError::parameter("body.value", format_args!("the text is not JSON: {error}"))),
    }
}

/// Writes `multipart/form-data` (RFC 7578). By hand, for the bytes must be there again for a redirect.
async fn multipart(parts: &[Part], item: Option<&Item>, host: &dyn Host) -> Result<Encoded, NodeError> {
    let boundary = format!("tidemill-{}", Uuid::now_v7().simple());
    let mut bytes = Vec::new();
    for (index, part) in parts.iter().enumerate() {
        let (content, file_name, content_type) = match (&part.binary, &part.value) {
            (Some(property), None) => {
                let path = format!("body.parts[{index}].binary");
                let binary =
                    find_binary(item, property).map_err(|message| NodeError::parameter(&path, message))?;
                let file_name = part
                    .file_name
                    .clone()
                    .or_else(|| binary.file_name.clone())
                    .unwrap_or_else(|| property.clone());
                let content_type = part.content_type.clone().unwrap_or_else(|| media_type(binary));
                (host.read_binary(binary).await?, Some(file_name), Some(content_type))
            }
            (None, Some(value)) => (as_text(value).into(), part.file_name.clone(), part.content_type.clone()),
            _ => {
                return Err(NodeError::parameter(
                    &format!("body.parts[{index}]"),
                    "needs either value or binary",
                ));
            }
        };
        if content_type.as_deref().is_some_and(|text| text.contains(['\r', '\n'])) {
            return Err(NodeError::parameter(
                &format!("body.parts[{index}].contentType"),
                "must not hold line breaks",
            ));
        }
        let mut head =
            format!("--{boundary}\r\nContent-Disposition: form-data; name=\"{}\"", escape(&part.name));
        if let Some(file_name) = file_name {
            head.push_str(&format!("; filename=\"{}\"", escape(&file_name)));
        }
        if let Some(content_type) = content_type {
            head.push_str(&format!("\r\nContent-Type: {content_type}"));
        }
        bytes.extend_from_slice(head.as_bytes());
        bytes.extend_from_slice(b"\r\n\r\n");
        bytes.extend_from_slice(&content);
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
    Ok(Encoded { bytes: bytes.into(), content_type: format!("multipart/form-data; boundary={boundary}") })
}

fn media_type(binary: &Binary) -> String {
    if binary.mime_type.is_empty() { "application/octet-stream".to_owned() } else { binary.mime_type.clone() }
}

/// Names as browsers write them into a part's header (WHATWG HTML, multipart form data).
fn escape(name: &str) -> String {
    name.replace('\r', "%0D").replace('\n', "%0A").replace('"', "%22")
}
