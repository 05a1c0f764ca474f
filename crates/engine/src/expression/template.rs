//! Parameters, prepared: where their expressions are and what each consists of.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::Value;

use super::evaluator::Script;
use super::native::Native;
use super::reference::{NodeReference, named_nodes};
use super::split::{Chunk, split};
use crate::sandbox::SyntaxChecker;

/// Longest code of one `{{ }}` part. What is longer belongs into a code node.
pub const MAX_PART_BYTES: usize = 32 * 1024;

/// Deepest nesting of brackets in a part.
const MAX_BRACKETS: usize = 64;

/// Most work that preparing the fields of one node may cost, in bytes times nesting: at each bracket the
/// JavaScript parser looks ahead to where it closes, and it cannot be interrupted.
const MAX_EFFORT: usize = 8 * 1024 * 1024;

/// Fields nested more deeply than this are not looked into (JSON is parsed to a depth of 128).
const MAX_DEPTH: usize = 128;

/// Whether any string in the value is an expression.
#[must_use]
pub fn contains_expression(value: &Value) -> bool {
    match value {
        Value::String(text) => text.starts_with('='),
        Value::Array(elements) => elements.iter().any(contains_expression),
        Value::Object(map) => map.values().any(contains_expression),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

/// An expression that is not JavaScript.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {message}")]
pub struct SyntaxProblem {
    /// The field, as a path (`assignments[0].value`).
    pub path: String,
    /// What is wrong with it.
    pub message: String,
}

/// The expressions of a node's fields, prepared once for every item of every run. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Template {
    inner: Arc<Prepared>,
}

#[derive(Debug, Default)]
struct Prepared {
    expressions: Vec<Expression>,
    scripts: Vec<Script>,
    references: Vec<NodeReference>,
}

/// One string that starts with `=`.
#[derive(Debug)]
pub(super) struct Expression {
    /// Where it is.
    pub(super) segments: Vec<Segment>,
    /// The same for people.
    pub(super) path: String,
    /// What it gives.
    pub(super) content: Content,
}

/// A step on the way to a field.
#[derive(Clone, Debug)]
pub(super) enum Segment {
    Key(String),
    Index(usize),
}

/// What an expression consists of.
#[derive(Debug)]
pub(super) enum Content {
    /// One part with nothing around it: keeps its type.
    Single(Part),
    /// Text and parts, joined.
    Joined(Vec<Part>),
}

/// A piece of an expression.
#[derive(Debug)]
pub(super) enum Part {
    Text(String),
    Native(Native),
    /// Index in [`Template::scripts`].
    Script(usize),
}

impl Template {
    /// Finds and prepares every expression in a node's fields.
    ///
    /// `is_literal` names fields (by path, as `assignments[0].value`) that are source text themselves.
    ///
    /// # Errors
    /// Every part that is not one JavaScript expression, by field.
    pub fn prepare(fields: &Value, is_literal: &dyn Fn(&str) -> bool) -> Result<Self, Vec<SyntaxProblem>> {
        let mut preparation = Preparation {
            is_literal,
            checker: None,
            effort: 0,
            last_valid: None,
            script_index: HashMap::new(),
            prepared: Prepared::default(),
            problems: Vec::new(),
        };
        preparation.walk(fields, &mut Vec::new());
        if preparation.problems.is_empty() {
            Ok(Self { inner: Arc::new(preparation.prepared) })
        } else {
            Err(preparation.problems)
        }
    }

    /// Whether there is no expression at all.
    #[must_use]
    pub fn is_constant(&self) -> bool {
        self.inner.expressions.is_empty()
    }

    /// The nodes that expressions name.
    #[must_use]
    pub fn node_references(&self) -> &[NodeReference] {
        &self.inner.references
    }

    /// The parts that need JavaScript, without repeats.
    pub(super) fn scripts(&self) -> &[Script] {
        &self.inner.scripts
    }

    /// The expressions, in the order of the fields.
    pub(super) fn expressions(&self) -> &[Expression] {
        &self.inner.expressions
    }

    /// Whether the resolved fields can differ between items.
    pub(super) fn depends_on_item(&self) -> bool {
        let parts = self.inner.expressions.iter().flat_map(|expression| match &expression.content {
            Content::Single(part) => std::slice::from_ref(part),
            Content::Joined(parts) => parts.as_slice(),
        });
        parts.into_iter().any(|part| match part {
            Part::Text(_) => false,
            Part::Native(native) => native.depends_on_item(),
            Part::Script(_) => true,
        })
    }
}

struct Preparation<'a> {
    is_literal: &'a dyn Fn(&str) -> bool,
    /// Started for the first part that is no plain path.
    checker: Option<SyntaxChecker>,
    effort: usize,
    /// The code that was compiled last without complaint.
    last_valid: Option<String>,
    script_index: HashMap<Script, usize>,
    prepared: Prepared,
    problems: Vec<SyntaxProblem>,
}

impl Preparation<'_> {
    fn walk(&mut self, value: &Value, segments: &mut Vec<Segment>) {
        if segments.len() > MAX_DEPTH || !contains_expression(value) {
            return;
        }
        if !segments.is_empty() && (self.is_literal)(&path_text(segments)) {
            return;
        }
        match value {
            Value::String(text) => self.expression(text.strip_prefix('=').unwrap_or_default(), segments),
            Value::Array(elements) => {
                for (index, element) in elements.iter().enumerate() {
                    segments.push(Segment::Index(index));
                    self.walk(element, segments);
                    segments.pop();
                }
            }
            Value::Object(map) => {
                for (key, element) in map {
                    segments.push(Segment::Key(key.clone()));
                    self.walk(element, segments);
                    segments.pop();
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    fn expression(&mut self, template: &str, segments: &[Segment]) {
        let path = path_text(segments);
        let mut chunks = split(template, &mut |code| self.check(code).is_ok());
        let content = match chunks.as_mut_slice() {
            [Chunk::Code { code, is_closed }] => {
                self.part(code, *is_closed, false, &path).map(Content::Single)
            }
            _ => {
                let parts: Vec<_> = chunks
                    .into_iter()
                    .filter_map(|chunk| match chunk {
                        Chunk::Text(text) => Some(Part::Text(text)),
                        Chunk::Code { code, is_closed } => self.part(&code, is_closed, true, &path),
                    })
                    .collect();
                Some(Content::Joined(parts))
            }
        };
        if let Some(content) = content {
            self.prepared.expressions.push(Expression { segments: segments.to_vec(), path, content });
        }
    }

    fn part(&mut self, code: &str, is_closed: bool, as_text: bool, path: &str) -> Option<Part> {
        if let Some(native) = Native::parse(code) {
            self.refer(native.node().into_iter().map(str::to_owned), path);
            return Some(Part::Native(native));
        }
        if let Err(message) = self.check(code) {
            let hint = if is_closed { "" } else { " (`{{` without `}}`)" };
            let message =
                format!("`{}` is not a JavaScript expression: {message}{hint}", shortened(code.trim()));
            self.problems.push(SyntaxProblem { path: path.to_owned(), message });
            return None;
        }
        self.refer(named_nodes(code).into_iter(), path);
        let script = Script { code: trimmed(code).into(), as_text };
        let scripts = &mut self.prepared.scripts;
        let index = *self.script_index.entry(script).or_insert_with_key(|script| {
            scripts.push(script.clone());
            scripts.len() - 1
        });
        Some(Part::Script(index))
    }

    fn refer(&mut self, names: impl Iterator<Item = String>, path: &str) {
        let references = names.map(|node| NodeReference { path: path.to_owned(), node });
        self.prepared.references.extend(references);
    }

    /// Whether the code is one JavaScript expression.
    fn check(&mut self, code: &str) -> Result<(), String> {
        if Native::parse(code).is_some() {
            return Ok(());
        }
        if code.len() > MAX_PART_BYTES {
            return Err(format!("it is longer than {MAX_PART_BYTES} bytes; use a code node"));
        }
        if trimmed(code).is_empty() {
            return Err("there is nothing between the braces".to_owned());
        }
        if self.last_valid.as_deref() == Some(code) {
            return Ok(());
        }
        let brackets = nesting(code);
        if brackets > MAX_BRACKETS {
            return Err(format!("brackets are nested more than {MAX_BRACKETS} deep"));
        }
        self.effort += code.len() * (1 + brackets);
        if self.effort > MAX_EFFORT {
            return Err(
                "the expressions of this node are too many and too deeply nested; use a code node".to_owned()
            );
        }
        let checker = match &self.checker {
            Some(checker) => checker,
            None => self.checker.insert(SyntaxChecker::new()?),
        };
        checker.check_expression(trimmed(code))?;
        self.last_valid = Some(code.to_owned());
        Ok(())
    }
}

/// How deep brackets are nested, those in strings included.
fn nesting(code: &str) -> usize {
    let mut depth = 0usize;
    let mut deepest = 0;
    for byte in code.bytes() {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    deepest
}

/// The code without blanks around it and semicolons behind it.
fn trimmed(code: &str) -> &str {
    code.trim_start().trim_end_matches(|c: char| c.is_whitespace() || c == ';')
}

/// At most 60 characters of the code, for a message.
fn shortened(code: &str) -> String {
    match code.char_indices().nth(60) {
        Some((end, _)) => format!("{}...", &code[..end]),
        None => code.to_owned(),
    }
}

/// The path as people write it: `assignments[0].value`.
fn path_text(segments: &[Segment]) -> String {
    let mut text = String::new();
    for segment in segments {
        match segment {
            Segment::Key(key) if text.is_empty() => text.push_str(key),
            Segment::Key(key) => {
                text.push('.');
                text.push_str(key);
            }
            Segment::Index(index) => text.push_str(&format!("[{index}]")),
        }
    }
    text
}
