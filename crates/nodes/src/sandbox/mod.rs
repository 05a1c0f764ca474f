//! JavaScript of users, in processes that can be killed.
//!
//! [`Pool`] keeps child processes and gives each request to one of them. A child is this same executable,
//! started with [`SANDBOX_ARGUMENT`]; every binary therefore calls [`run_if_child`] before anything
//! else. A child has an empty environment, hard limits on memory and processor time, no right to open files or
//! sockets or to start programs (on Linux the kernel enforces that with seccomp), and dies with its
//! parent. Each request gets a fresh JavaScript runtime in it.
//!
//! A request that does not end in time, needs too much memory or breaks the JavaScript engine costs its own child
//! and nothing else: the child is killed, and the next request gets a new one.

mod child;
mod confine;
mod limits;
mod pool;
mod process;
mod spawner;

pub use child::{SANDBOX_ARGUMENT, run_if_child};
pub use limits::Limits;
pub use pool::Pool;
