//! Schedules: when workflows run by themselves.

mod body;
mod crud;
mod upcoming;

pub use body::*;
pub use crud::*;
pub use upcoming::*;
