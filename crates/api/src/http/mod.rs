//! What every request passes, whichever route it takes: its id, the headers of the answer, metrics, and the
//! extractors that turn what cannot be read into problems.

mod extract;
mod fallback;
mod headers;
mod moment;
mod nesting;
mod observe;
mod read;
mod runtime;

pub use extract::{Body, Query, nullable, path_config};
pub use fallback::{RouteTable, fallback};
pub use moment::check_moment;
pub use nesting::check_nesting;
pub use observe::{observe, request_id};
pub use read::{read_body, timed};
pub use runtime::enter_runtime;
