//! The child's side: confine, serve, exit.

use std::io;

use engine::sandbox::serve;

use super::confine::confine;
use super::limits::Limits;

/// First argument that turns a binary into a sandbox child.
pub const SANDBOX_ARGUMENT: &str = "__sandbox";

/// Turns this process into a sandbox child, and never returns, when it was started as one. Every binary calls this
/// first in `main`, before it starts threads or opens anything.
pub fn run_if_child() {
    let mut arguments = std::env::args().skip(1);
    if arguments.next().as_deref() != Some(SANDBOX_ARGUMENT) {
        return;
    }
    let code = match run(arguments) {
        Ok(()) => 0,
        Err(error) => {
            // The parent gives children no standard error; this is for whoever starts one by hand.
            let _ = io::Write::write_all(&mut io::stderr(), format!("sandbox: {error}\n").as_bytes());
            1
        }
    };
    std::process::exit(code);
}

fn run(arguments: impl Iterator<Item = String>) -> io::Result<()> {
    let limits = Limits::from_arguments(arguments)
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "the limits are missing"))?;
    confine(&limits)?;
    serve(io::stdin(), io::stdout(), limits.realm())
}
