//! Who a request comes from, and what they may do.
//!
//! A handler that takes [`Access<P>`] runs only for a caller who has permission `P` in the organization that
//! the request is about. The permission is in the handler's signature, so a route without one is seen at a glance.

mod access;
mod password;
mod token;

pub use access::{Access, Admin, Caller, Client, Execute, Permission, Read, SESSION_COOKIE, SignedIn, Write};
pub use password::Passwords;
pub use token::{ApiKeyToken, hash_token, new_session_token};
