//! Webhooks as their owners see them: made, changed, given a secret. Calls of them are in [`crate::webhook`].

mod body;
mod crud;
mod secret;

pub use body::*;
pub use crud::*;
pub use secret::*;
