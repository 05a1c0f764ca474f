//! Workflows: definitions, their versions, and where they stand.

mod body;
mod crud;
mod judge;
mod status;
mod validate;
mod versions;

pub use body::*;
pub use crud::*;
pub use judge::*;
pub use status::*;
pub use validate::*;
pub use versions::*;
