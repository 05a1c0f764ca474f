//! Executions: started by hand, watched, cancelled, run again.

mod body;
mod cancel;
mod execute;
mod logs;
mod read;
mod retry;
mod steps;
mod trace;

pub use body::*;
pub use cancel::*;
pub use execute::*;
pub use logs::*;
pub use read::*;
pub use retry::*;
pub use steps::*;
pub use trace::*;
