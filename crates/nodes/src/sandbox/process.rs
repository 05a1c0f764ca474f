//! One child process, from the parent's side.

use std::io;
use std::time::Duration;

use engine::node::NodeError;
use engine::sandbox::{
    Answer, Exchange, FRAME_HEADER_BYTES, Failure, FailureKind, Frame, FrameKind, decode_header,
    encode_header,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout};
use tokio::time::Instant;

use super::limits::{CPU_SECS, Limits};

/// Longest announcement of a failure or a question that is believed.
const MAX_SMALL_FRAME_BYTES: usize = 2 * 1024 * 1024;

/// How long the exit status of a child whose pipe is closed is waited for.
const EXIT_WAIT: Duration = Duration::from_secs(1);

/// A running child. Dropping it kills it.
pub(super) struct Process {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    /// How long it has worked so far: at least its processor time.
    busy: Duration,
    /// Since when it has nothing to do; `None` in a new one.
    idle_since: Option<Instant>,
    /// Whether it has sent anything since it was given its present request.
    is_silent: bool,
}

/// How a request to a child ended without a result.
pub(super) enum Interruption {
    /// The child said so itself, and is in order.
    Answered(NodeError),
    /// The pipe is broken.
    Broken(io::Error),
}

impl From<io::Error> for Interruption {
    fn from(error: io::Error) -> Self {
        Self::Broken(error)
    }
}

impl Process {
    pub(super) fn new(mut child: Child) -> io::Result<Self> {
        let missing = || io::Error::other("a sandbox process without pipes");
        let input = child.stdin.take().ok_or_else(missing)?;
        let output = BufReader::new(child.stdout.take().ok_or_else(missing)?);
        Ok(Self { child, input, output, busy: Duration::ZERO, idle_since: None, is_silent: true })
    }

    /// Notes that it has nothing to do.
    pub(super) fn rest(&mut self) {
        self.idle_since = Some(Instant::now());
    }

    /// How long it has had nothing to do.
    pub(super) fn idle_for(&self) -> Duration {
        self.idle_since.map_or(Duration::ZERO, |since| since.elapsed())
    }

    /// Whether it came from rest and has given no sign of life.
    pub(super) fn was_idle_and_silent(&self) -> bool {
        self.idle_since.is_some() && self.is_silent
    }

    /// Whether its remaining processor time is enough for a request of this length.
    pub(super) fn has_time_for(&self, request: Duration) -> bool {
        self.busy + request < Duration::from_secs(CPU_SECS)
    }

    /// Sends a request and answers questions until the result is there.
    pub(super) async fn run(
        &mut self,
        exchange: &Exchange<'_>,
        limits: &Limits,
    ) -> Result<Vec<u8>, Interruption> {
        let started = Instant::now();
        let result = self.converse(exchange, limits).await;
        self.busy += started.elapsed();
        result
    }

    async fn converse(&mut self, exchange: &Exchange<'_>, limits: &Limits) -> Result<Vec<u8>, Interruption> {
        self.is_silent = true;
        self.send(exchange.request()).await?;
        loop {
            let frame = self.receive(limits).await?;
            self.is_silent = false;
            match exchange.receive(frame).map_err(Interruption::Answered)? {
                Answer::Done(payload) => return Ok(payload),
                Answer::Send(frame) if frame.payload.len() > limits.input_bytes() => {
                    let message = "the items of another node that it asks for are too many";
                    return Err(Interruption::Answered(Failure::new(FailureKind::Memory, message).into()));
                }
                Answer::Send(frame) => self.send(&frame).await?,
            }
        }
    }

    async fn send(&mut self, frame: &Frame) -> io::Result<()> {
        self.input.write_all(&encode_header(frame.kind, frame.payload.len())?).await?;
        self.input.write_all(&frame.payload).await?;
        self.input.flush().await
    }

    async fn receive(&mut self, limits: &Limits) -> io::Result<Frame> {
        let mut header = [0; FRAME_HEADER_BYTES];
        self.output.read_exact(&mut header).await?;
        let (kind, length) = decode_header(header, limits.realm().output_bytes.max(MAX_SMALL_FRAME_BYTES))?;
        if kind != FrameKind::Done && length > MAX_SMALL_FRAME_BYTES {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                format!("a frame of {length} bytes is too long"),
            ));
        }
        // What is announced is not believed before it comes: the buffer grows with what arrives.
        let mut payload = Vec::new();
        (&mut self.output).take(length as u64).read_to_end(&mut payload).await?;
        if payload.len() < length {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(Frame { kind, payload })
    }

    /// Why the pipe of a child broke.
    pub(super) async fn post_mortem(mut self, pipe: &io::Error) -> NodeError {
        let status = tokio::time::timeout(EXIT_WAIT, self.child.wait()).await;
        let reason = match status {
            Ok(Ok(status)) => status.to_string(),
            Ok(Err(error)) => error.to_string(),
            Err(_) => pipe.to_string(),
        };
        Failure::new(FailureKind::Crashed, reason).into()
    }
}
