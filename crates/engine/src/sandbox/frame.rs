//! Length-prefixed frames: four bytes of length (little endian), one byte of kind, then JSON.

use std::io::{self, Read, Write};

/// Bytes before the payload of a frame.
pub const FRAME_HEADER_BYTES: usize = 5;

/// Longest payload that either side accepts.
pub const MAX_FRAME_BYTES: usize = 1 << 30;

/// What a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FrameKind {
    /// To the child: evaluate expressions.
    Evaluate = 1,
    /// To the child: run the source of a code node.
    Code = 2,
    /// To the child: data that it asked for.
    Give = 3,
    /// To the child: the data that it asked for cannot be given.
    Refuse = 4,
    /// To the parent: data is wanted.
    Need = 16,
    /// To the parent: the result.
    Done = 17,
    /// To the parent: there is no result.
    Failed = 18,
}

impl FrameKind {
    const ALL: [Self; 7] =
        [Self::Evaluate, Self::Code, Self::Give, Self::Refuse, Self::Need, Self::Done, Self::Failed];
}

/// A whole frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// What it is.
    pub kind: FrameKind,
    /// JSON.
    pub payload: Vec<u8>,
}

/// The header of a frame with a payload of this length.
///
/// # Errors
/// When the payload is longer than [`MAX_FRAME_BYTES`].
pub fn encode_header(kind: FrameKind, length: usize) -> io::Result<[u8; FRAME_HEADER_BYTES]> {
    let length = u32::try_from(length).ok().filter(|_| length <= MAX_FRAME_BYTES).ok_or_else(|| {
        io::Error::new(
            io::ErrorKind::InvalidInput,
            format!("{length} bytes are too many for one request to the sandbox"),
        )
    })?;
    let [a, b, c, d] = length.to_le_bytes();
    Ok([a, b, c, d, kind as u8])
}

/// Reads a header: what follows, and how long it is.
///
/// # Errors
/// When it is no header or announces more than `limit_bytes`.
pub fn decode_header(header: [u8; FRAME_HEADER_BYTES], limit_bytes: usize) -> io::Result<(FrameKind, usize)> {
    let [a, b, c, d, kind] = header;
    let length = u32::from_le_bytes([a, b, c, d]) as usize;
    let kind = FrameKind::ALL.into_iter().find(|known| *known as u8 == kind);
    match kind {
        Some(kind) if length <= limit_bytes => Ok((kind, length)),
        Some(_) => {
            Err(io::Error::new(io::ErrorKind::InvalidData, format!("a frame of {length} bytes is too long")))
        }
        None => Err(io::Error::new(io::ErrorKind::InvalidData, "a frame of an unknown kind")),
    }
}

/// Reads a frame; `None` at the end of the stream.
pub(super) fn read_frame(input: &mut dyn Read) -> io::Result<Option<Frame>> {
    let mut header = [0; FRAME_HEADER_BYTES];
    match input.read_exact(&mut header) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        Err(error) => return Err(error),
    }
    let (kind, length) = decode_header(header, MAX_FRAME_BYTES)?;
    let mut payload = vec![0; length];
    input.read_exact(&mut payload)?;
    Ok(Some(Frame { kind, payload }))
}

pub(super) fn write_frame(output: &mut dyn Write, frame: &Frame) -> io::Result<()> {
    output.write_all(&encode_header(frame.kind, frame.payload.len())?)?;
    output.write_all(&frame.payload)?;
    output.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_reads_back_as_it_was_written() {
        for kind in FrameKind::ALL {
            let frame = Frame { kind, payload: b"{}".to_vec() };
            let mut bytes = Vec::new();
            write_frame(&mut bytes, &frame).unwrap();
            assert_eq!(read_frame(&mut bytes.as_slice()).unwrap(), Some(frame));
        }
    }

    #[test]
    fn a_stream_that_ends_between_frames_has_ended() {
        assert_eq!(read_frame(&mut [].as_slice()).unwrap(), None);
    }

    #[test]
    fn an_unknown_kind_and_a_frame_that_is_too_long_are_refused() {
        assert!(decode_header([0, 0, 0, 0, 99], 10).is_err());
        assert!(decode_header([11, 0, 0, 0, 1], 10).is_err());
        assert!(encode_header(FrameKind::Done, MAX_FRAME_BYTES + 1).is_err());
    }
}
