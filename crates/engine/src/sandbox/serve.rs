//! The child's loop.

use std::cell::RefCell;
use std::io::{self, Read, Write};
use std::rc::Rc;

use super::exchange::{Failure, FailureKind};
use super::frame::{Frame, FrameKind, read_frame, write_frame};
use super::realm::{Parent, Realm, RealmLimits};

/// Answers requests until `input` ends. Each runs in a runtime of its own, which is made while waiting.
///
/// # Errors
/// When a stream fails or carries what is no request.
pub fn serve(
    input: impl Read + 'static,
    output: impl Write + 'static,
    limits: RealmLimits,
) -> io::Result<()> {
    let pipe = Rc::new(RefCell::new(Pipe { input, output }));
    loop {
        let realm = Realm::new(limits);
        let Some(request) = read_frame(&mut pipe.borrow_mut().input)? else { return Ok(()) };
        if !matches!(request.kind, FrameKind::Evaluate | FrameKind::Code) {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "a request was expected"));
        }
        let answer = match realm {
            Ok(realm) => {
                let parent: Rc<RefCell<dyn Parent>> = pipe.clone();
                realm.run(request, parent)?
            }
            Err(error) => {
                let failure = Failure::new(FailureKind::Memory, error.to_string());
                Frame { kind: FrameKind::Failed, payload: serde_json::to_vec(&failure)? }
            }
        };
        write_frame(&mut pipe.borrow_mut().output, &answer)?;
    }
}

struct Pipe<R, W> {
    input: R,
    output: W,
}

impl<R: Read, W: Write> Parent for Pipe<R, W> {
    fn ask(&mut self, need: Frame) -> io::Result<Frame> {
        write_frame(&mut self.output, &need)?;
        match read_frame(&mut self.input)? {
            Some(frame) if matches!(frame.kind, FrameKind::Give | FrameKind::Refuse) => Ok(frame),
            Some(_) => Err(io::Error::new(io::ErrorKind::InvalidData, "an answer was expected")),
            None => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }
}
