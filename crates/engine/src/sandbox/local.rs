//! An evaluator in this process, for tests and for input that is trusted.

use std::cell::RefCell;
use std::io;
use std::rc::Rc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use async_trait::async_trait;

use super::exchange::{Answer, Exchange, Failure, FailureKind};
use super::frame::Frame;
use super::realm::{NATIVE_STACK_BYTES, Parent, Realm, RealmLimits};
use crate::expression::{EvaluateJob, EvaluatedRow, Evaluator};
use crate::node::{CodeOutput, CodeRequest, NodeError};

/// Runs JavaScript in a thread of this process, under the polite limits only: code that sits in a native loop
/// is not stopped. It blocks the calling thread. Never give it the code of strangers.
#[derive(Clone, Copy, Debug)]
pub struct LocalEvaluator {
    /// The realm's limits.
    pub limits: RealmLimits,
    /// Longest run.
    pub timeout_ms: u64,
}

impl Default for LocalEvaluator {
    fn default() -> Self {
        Self {
            limits: RealmLimits { memory_bytes: 64 * 1024 * 1024, output_bytes: 16 * 1024 * 1024 },
            timeout_ms: 5_000,
        }
    }
}

#[async_trait]
impl Evaluator for LocalEvaluator {
    async fn evaluate(&self, job: EvaluateJob<'_>) -> Result<Vec<EvaluatedRow>, NodeError> {
        let exchange = Exchange::evaluate(&job, self.timeout_ms)?;
        Exchange::read_rows(&self.run(&exchange)?)
    }

    async fn run_code(&self, request: CodeRequest<'_>) -> Result<CodeOutput, NodeError> {
        let exchange = Exchange::code(&request, self.timeout_ms.min(request.timeout_ms))?;
        Exchange::read_output(&self.run(&exchange)?)
    }
}

impl LocalEvaluator {
    fn run(&self, exchange: &Exchange<'_>) -> Result<Vec<u8>, NodeError> {
        let (to_realm, from_parent) = channel();
        let (to_parent, from_realm) = channel();
        let limits = self.limits;
        let request = exchange.request().clone();
        let thread = thread::Builder::new().stack_size(NATIVE_STACK_BYTES).spawn(move || {
            let parent = Rc::new(RefCell::new(Link { to_parent: to_parent.clone(), from_parent }));
            let answer = match Realm::new(limits) {
                Ok(realm) => realm.run(request, parent),
                Err(error) => Err(io::Error::other(error.to_string())),
            };
            if let Ok(answer) = answer {
                // The parent has left when this fails.
                drop(to_parent.send(answer));
            }
        });
        thread.map_err(|error| Failure::new(FailureKind::Crashed, error.to_string()))?;
        loop {
            let frame =
                from_realm.recv().map_err(|_| Failure::new(FailureKind::Crashed, "its thread has ended"))?;
            match exchange.receive(frame)? {
                Answer::Done(payload) => return Ok(payload),
                // The realm's thread has ended when this fails; the next `recv` says so.
                Answer::Send(frame) => drop(to_realm.send(frame)),
            }
        }
    }
}

struct Link {
    to_parent: Sender<Frame>,
    from_parent: Receiver<Frame>,
}

impl Parent for Link {
    fn ask(&mut self, need: Frame) -> io::Result<Frame> {
        self.to_parent.send(need).map_err(|_| io::ErrorKind::BrokenPipe)?;
        self.from_parent.recv().map_err(|_| io::ErrorKind::BrokenPipe.into())
    }
}
