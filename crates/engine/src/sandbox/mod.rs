//! JavaScript under limits.
//!
//! This is the part of the sandbox that knows nothing of processes: a realm of QuickJS with limits on
//! memory, stack, time and output; the frames in which a request goes in and an answer comes out; the
//! loop [`serve`] that a child process runs over its standard input and output; and [`Exchange`], which
//! is the other end, without a pipe. The pool of processes that joins the two is `nodes::sandbox`.
//!
//! What user code can reach: the language itself, the items, and what earlier steps gave out. Data of
//! other nodes is fetched when the code asks for it, from the parent, which answers with data of the same
//! execution only. There are no host objects, no modules, no timers, no network, no files. Each request
//! gets a fresh runtime, so nothing survives into the next.
//!
//! The limits inside the realm are polite: native loops of the JavaScript engine do not look at the clock.
//! Whoever runs code of strangers runs [`serve`] in a process and kills it.

mod data;
mod exchange;
mod frame;
mod local;
mod realm;
mod serve;
mod syntax;

pub use exchange::{Answer, Exchange, Failure, FailureKind};
pub use frame::{FRAME_HEADER_BYTES, Frame, FrameKind, MAX_FRAME_BYTES, decode_header, encode_header};
pub use local::LocalEvaluator;
pub use realm::RealmLimits;
pub use serve::serve;
pub use syntax::{SyntaxChecker, check_code};
