//! The body of a call, counted while it comes in.

use actix_web::http::header::{CONTENT_LENGTH, HeaderMap};
use actix_web::web;
use bytes::{Bytes, BytesMut};
use futures::StreamExt as _;

use crate::problem::{Code, Problem};

/// Reads a body of at most `limit` bytes. One that announces more is not read at all.
///
/// # Errors
/// 413 for too many bytes, 400 for a connection that breaks off.
pub(super) async fn read(
    headers: &HeaderMap,
    mut payload: web::Payload,
    limit: usize,
) -> Result<Bytes, Problem> {
    let too_large = || Problem::new(Code::BodyTooLarge, format!("the body has more than {limit} bytes"));
    let announced = headers
        .get(CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok())
        .and_then(|text| text.parse().ok());
    if announced.is_some_and(|length: usize| length > limit) {
        return Err(too_large());
    }
    let mut bytes = BytesMut::new();
    while let Some(piece) = payload.next().await {
        let piece = piece.map_err(|error| Problem::field("body", format!("cannot be read: {error}")))?;
        if bytes.len() + piece.len() > limit {
            return Err(too_large());
        }
        bytes.extend_from_slice(&piece);
    }
    Ok(bytes.freeze())
}
