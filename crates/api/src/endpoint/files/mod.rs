//! Stored files: uploaded in a stream, downloaded as attachments.

mod body;
mod content;
mod crud;
mod upload;

pub use body::*;
pub use content::*;
pub use crud::*;
pub use upload::*;
