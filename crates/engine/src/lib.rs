//! The pure core of Tidemill.
//!
//! What a workflow *is* and what running one *means* lives here: parsing and validating a
//! [`definition`], the [`graph`] behind it, the [`item`]s that flow along its edges, the
//! [`expression`] language, the [`run`] state machine that decides which step is next, the
//! [`node`] trait with the nodes that need nothing but their input, and [`cron`].
//!
//! Nothing in this crate opens a file, a socket or a database, reads a clock or looks at the
//! environment: time, identifiers and effects are handed in. That is what makes every decision of
//! an execution repeatable, in a test and after a crash.

pub mod cron;
pub mod definition;
pub mod execution;
pub mod expression;
pub mod graph;
pub mod item;
pub mod node;
pub mod nodes;
pub mod retry;
pub mod run;
pub mod sandbox;

pub use definition::{Definition, Problem};
pub use graph::Graph;
pub use item::{Item, Items, JsonMap};
pub use node::Node;
