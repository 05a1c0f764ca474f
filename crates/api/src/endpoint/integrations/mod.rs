//! Integrations: connections to services. Credentials go in and never come out: what is shown has no place for them.

mod body;
mod crud;
mod judge;
mod test;

pub use body::*;
pub use crud::*;
pub use test::*;
