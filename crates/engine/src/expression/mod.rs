//! The expression language: what a string that starts with `=` means.
//!
//! ```text
//! "=Hello {{ $json.name }}"
//! ```
//!
//! A parameter string that starts with `=` is a template: text with `{{ JavaScript }}` parts, with n8n's
//! meaning. A single part with nothing around it, not even a blank, keeps its type; otherwise the parts
//! are joined to a string. Plain paths (`$json.a.b[0]`, `$('Node').item.json.id`) are read natively;
//! everything else goes to an [`Evaluator`], all parts of all items in one call.
//!
//! What happens to odd values and failures:
//!
//! - `undefined`, `NaN` and the like become `null` where one part stands alone, and nothing where parts
//!   are joined. Objects are joined as JavaScript joins them (`[object Object]`): use `JSON.stringify`.
//! - Reading a property of `undefined` or `null` gives `undefined`, however deep the path. Any other
//!   exception fails the item with code `expression_failed`, naming the field.
//! - `\{{` is text (the backslash stays, as in n8n), `\}}` inside a part is `}}`.
//!
//! Everything that can be known without items is known at [`Template::prepare`]: where the parts are,
//! that each is one expression of JavaScript, which nodes it names.

mod evaluator;
mod native;
mod number;
mod reference;
mod resolve;
mod scope;
mod split;
mod standalone;
mod template;

pub use evaluator::{EvaluateJob, EvaluatedRow, Evaluator, ExpressionError, Script};
pub use reference::NodeReference;
pub use resolve::resolve_parameters;
pub use scope::Scope;
pub use standalone::evaluate_over_items;
pub use template::{MAX_PART_BYTES, SyntaxProblem, Template, contains_expression};

#[cfg(test)]
mod tests;
