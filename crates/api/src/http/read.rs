//! Bodies, counted and timed while they come in: whoever sends one byte a minute must not hold a connection for ever.

use std::time::Duration;

use actix_web::error::PayloadError;
use actix_web::http::header::{CONTENT_LENGTH, HeaderMap};
use bytes::{Bytes, BytesMut};
use futures::{Stream, StreamExt as _, stream};
use tokio::time::{Instant, timeout, timeout_at};

use crate::problem::{Code, Problem};

/// Longest time for a body without counting its length.
const PATIENCE: Duration = Duration::from_secs(30);

/// Slowest sender that is waited for, once the first time is over.
const SLOWEST_BYTES_PER_SEC: usize = 64 * 1024;

/// Longest time between two pieces of an upload.
const SILENCE: Duration = Duration::from_secs(30);

/// Reads a body of at most `limit` bytes. One that announces more is not read at all.
///
/// # Errors
/// 413 for too many bytes, 400 for a connection that breaks off or is too slow.
pub async fn read_body(
    headers: &HeaderMap,
    payload: impl Stream<Item = Result<Bytes, PayloadError>> + Unpin,
    limit: usize,
) -> Result<Bytes, Problem> {
    read_within(PATIENCE, headers, payload, limit).await
}

/// The time that a sender gets for what it has sent.
fn earned(bytes: usize) -> Duration {
    Duration::from_secs((bytes / SLOWEST_BYTES_PER_SEC) as u64)
}

async fn read_within(
    patience: Duration,
    headers: &HeaderMap,
    mut payload: impl Stream<Item = Result<Bytes, PayloadError>> + Unpin,
    limit: usize,
) -> Result<Bytes, Problem> {
    let too_large = || Problem::new(Code::BodyTooLarge, format!("the body has more than {limit} bytes"));
    let announced = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok());
    if announced.and_then(|text| text.parse().ok()).is_some_and(|length: usize| length > limit) {
        return Err(too_large());
    }
    let start = Instant::now();
    let mut bytes = BytesMut::new();
    loop {
        let piece = timeout_at(start + patience + earned(bytes.len()), payload.next()).await;
        let Some(piece) = piece.map_err(|_| Problem::field("body", "did not come in within its time"))?
        else {
            return Ok(bytes.freeze());
        };
        let piece = piece.map_err(|error| Problem::field("body", format!("cannot be read: {error}")))?;
        if bytes.len() + piece.len() > limit {
            return Err(too_large());
        }
        bytes.extend_from_slice(&piece);
    }
}

/// An upload that ends with an error when nothing comes in for too long.
pub fn timed(
    payload: impl Stream<Item = Result<Bytes, PayloadError>> + Unpin,
) -> impl Stream<Item = Result<Bytes, PayloadError>> {
    timed_by(SILENCE, payload)
}

fn timed_by(
    silence: Duration,
    payload: impl Stream<Item = Result<Bytes, PayloadError>> + Unpin,
) -> impl Stream<Item = Result<Bytes, PayloadError>> {
    stream::unfold(Some(payload), move |payload| async move {
        let mut payload = payload?;
        match timeout(silence, payload.next()).await {
            Ok(piece) => piece.map(|piece| (piece, Some(payload))),
            Err(_) => Some((Err(PayloadError::Io(std::io::ErrorKind::TimedOut.into())), None)),
        }
    })
    // The reader of forms asks again behind the end.
    .fuse()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sends pieces of these sizes, and then nothing for ever.
    fn pieces(sizes: &[usize]) -> impl Stream<Item = Result<Bytes, PayloadError>> + Unpin + use<> {
        let pieces: Vec<_> = sizes.iter().map(|&size| Ok(Bytes::from(vec![b'x'; size]))).collect();
        stream::iter(pieces).chain(stream::pending())
    }

    async fn read(sizes: &[usize], limit: usize) -> Problem {
        read_within(Duration::ZERO, &HeaderMap::new(), pieces(sizes), limit).await.unwrap_err()
    }

    #[tokio::test]
    async fn a_body_that_trickles_in_is_given_up() {
        let problem = read(&[1, 1], 1_000_000).await;
        assert!(problem.to_string().contains("within its time"), "{problem}");
    }

    #[test]
    fn what_came_in_earns_more_time() {
        assert_eq!(earned(SLOWEST_BYTES_PER_SEC - 1), Duration::ZERO);
        assert_eq!(earned(60 * SLOWEST_BYTES_PER_SEC), Duration::from_secs(60));
    }

    #[tokio::test]
    async fn a_body_over_the_limit_is_refused_where_it_passes_it() {
        assert_eq!(read(&[5, 6], 10).await.code(), Code::BodyTooLarge);
    }

    #[tokio::test]
    async fn an_upload_that_falls_silent_ends_with_an_error() {
        let found: Vec<_> = timed_by(Duration::ZERO, pieces(&[1])).collect().await;
        assert_eq!(found.len(), 2);
        assert!(found[0].is_ok() && found[1].is_err());
        let whole: Vec<_> = timed(stream::iter([Ok(Bytes::from_static(b"a"))])).collect().await;
        assert_eq!(whole.len(), 1);
    }
}
