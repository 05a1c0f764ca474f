//! Expressions that need no JavaScript: literals and plain paths into what is in scope.
//!
//! What is accepted here gives exactly what JavaScript would give; everything that is not certain is
//! left to JavaScript.

use chrono::{DateTime, SecondsFormat, Utc};
use chrono_tz::Tz;
use serde_json::{Value, json};

use super::Scope;
use super::reference::is_identifier;
use crate::item::{Item, OriginItem};
use crate::run::RunRecord;

/// Names that every object has in JavaScript: a path with one of them is left to JavaScript.
const INHERITED: [&str; 12] = [
    "constructor",
    "hasOwnProperty",
    "isPrototypeOf",
    "propertyIsEnumerable",
    "toLocaleString",
    "toString",
    "valueOf",
    "__proto__",
    "__defineGetter__",
    "__defineSetter__",
    "__lookupGetter__",
    "__lookupSetter__",
];

/// An expression that can be read natively.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Native {
    /// A number, string, boolean, `null` or `undefined`.
    Literal(Value),
    /// A path.
    Path { root: Root, keys: Vec<Key> },
}

/// What a path starts at.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Root {
    /// `$json`, `$input.item.json`: the item itself.
    Json,
    /// `$input.first().json` and `$input.last().json`.
    Input(Pick),
    /// `$('Node').item.json` and its siblings.
    Node(String, Pick),
    /// `$itemIndex`.
    ItemIndex,
    /// `$runIndex`.
    RunIndex,
    /// `$execution`, `$workflow`, `$vars`.
    Execution(ExecutionPart),
    /// `$now`.
    Now,
}

/// Which item of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pick {
    First,
    Last,
    /// The one that the current item was made from.
    Paired,
}

/// A property of `$execution` or `$workflow`, or a variable.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum ExecutionPart {
    Id,
    Mode,
    WorkflowId,
    WorkflowName,
    WorkflowActive,
    Variable(String),
}

/// A step of a path.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Key {
    Name(String),
    Index(usize),
}

impl Native {
    /// Reads code as a literal or a plain path; `None` when it needs JavaScript.
    pub(super) fn parse(code: &str) -> Option<Self> {
        let code = code.trim().trim_end_matches(';').trim_end();
        literal(code).map(Self::Literal).or_else(|| path(code))
    }

    /// The node that it names.
    pub(super) fn node(&self) -> Option<&str> {
        match self {
            Self::Path { root: Root::Node(name, _), .. } => Some(name),
            _ => None,
        }
    }

    /// Whether the value can differ between items.
    pub(super) fn depends_on_item(&self) -> bool {
        match self {
            Self::Literal(_) => false,
            Self::Path { root, .. } => {
                matches!(root, Root::Json | Root::ItemIndex | Root::Node(_, Pick::Paired))
            }
        }
    }

    /// The value for one item; JavaScript's `undefined` is `null`.
    ///
    /// # Errors
    /// When a node that it names has no data, in the words that JavaScript would use.
    pub(super) fn read(&self, scope: &Scope<'_>, item: usize) -> Result<Value, String> {
        let (root, keys) = match self {
            Self::Literal(value) => return Ok(value.clone()),
            Self::Path { root, keys } => (root, keys.as_slice()),
        };
        let inputs = scope.inputs.first().and_then(Option::as_ref).map_or(&[][..], |items| items.as_slice());
        match root {
            Root::Json => Ok(in_item(inputs.get(item), keys)),
            Root::Input(pick) => Ok(in_item(picked(inputs, *pick, item), keys)),
            Root::Node(name, pick) => Ok(in_item(Some(node_item(scope, name, *pick, item)?), keys)),
            Root::ItemIndex => Ok(json!(item)),
            Root::RunIndex => Ok(json!(scope.run_index)),
            Root::Execution(part) => Ok(execution_part(scope, part)),
            Root::Now => Ok(json!(iso_text(scope.now, &scope.execution.timezone))),
        }
    }
}

/// A moment as luxon's `toISO` writes it.
fn iso_text(moment: DateTime<Utc>, zone: &str) -> String {
    match zone.parse::<Tz>() {
        Ok(zone) if zone != Tz::UTC => {
            moment.with_timezone(&zone).to_rfc3339_opts(SecondsFormat::Millis, false)
        }
        _ => moment.to_rfc3339_opts(SecondsFormat::Millis, true),
    }
}

fn execution_part(scope: &Scope<'_>, part: &ExecutionPart) -> Value {
    let execution = scope.execution;
    match part {
        ExecutionPart::Id => json!(execution.id),
        ExecutionPart::Mode => json!(execution.mode),
        ExecutionPart::WorkflowId => json!(execution.workflow.id),
        ExecutionPart::WorkflowName => json!(execution.workflow.name),
        ExecutionPart::WorkflowActive => json!(execution.workflow.active),
        ExecutionPart::Variable(name) => execution.vars.get(name).map_or(Value::Null, |value| json!(value)),
    }
}

fn picked(items: &[Item], pick: Pick, item: usize) -> Option<&Item> {
    match pick {
        Pick::First => items.first(),
        Pick::Last => items.last(),
        Pick::Paired => items.get(item),
    }
}

/// The item of another node that `$('name')` with this choice means.
fn node_item<'a>(scope: &Scope<'a>, name: &str, pick: Pick, item: usize) -> Result<&'a Item, String> {
    let node = scope.graph.by_name(name).ok_or_else(|| format!("there is no node named {name:?}"))?;
    let runs = scope.data.runs(node);
    let last_run: &RunRecord =
        runs.last().ok_or_else(|| format!("the node {name:?} has not run, so it has no data to refer to"))?;
    if pick == Pick::Paired {
        let (source, index) = scope.trace_item(item, node).ok_or_else(|| not_paired(name, item))?;
        return scope
            .data
            .output(source)
            .and_then(|items| items.get(index))
            .ok_or_else(|| not_paired(name, item));
    }
    let output = scope.default_output(node);
    let items = last_run.outputs.get(output).map_or(&[][..], |items| items.as_slice());
    picked(items, pick, item).ok_or_else(|| format!("the node {name:?} gave out no items"))
}

pub(crate) fn not_paired(name: &str, item: usize) -> String {
    format!(
        "cannot tell which item of the node {name:?} item {item} was made from; use .first(), .last() or .all()"
    )
}

impl<'a> Scope<'a> {
    /// The item of `node` that an item of the first input was made from, as its run, output and index.
    pub(crate) fn trace_item(
        &self,
        item: usize,
        node: crate::graph::NodeIndex,
    ) -> Option<(crate::run::SourceRun, usize)> {
        // An item of the first input *is* an item of the output that it came from.
        self.data.trace_origin(self.sources, &[OriginItem { item, input: 0 }], node)
    }

    /// The output of `node` through which this node is reached, the nearest first; 0 when it is not.
    pub(crate) fn default_output(&self, node: crate::graph::NodeIndex) -> usize {
        let Some(current) = self.graph.by_name(&self.node.name) else { return 0 };
        let mut seen = vec![false; self.graph.nodes.len()];
        let mut open = std::collections::VecDeque::from([current]);
        while let Some(next) = open.pop_front() {
            for source in self.graph.incoming[next].iter().flatten() {
                if source.node == node {
                    return source.output;
                }
                if !std::mem::replace(&mut seen[source.node], true) {
                    open.push_back(source.node);
                }
            }
        }
        0
    }
}

fn in_item(item: Option<&Item>, keys: &[Key]) -> Value {
    let Some(item) = item else { return Value::Null };
    let Some((first, keys)) = keys.split_first() else { return Value::Object((*item.json).clone()) };
    let value = match first {
        Key::Name(name) => item.json.get(name),
        Key::Index(index) => item.json.get(&index.to_string()),
    };
    value.map_or(Value::Null, |value| follow(value, keys))
}

/// Follows keys as JavaScript does: properties of objects, elements and length of lists and strings.
fn follow(value: &Value, keys: &[Key]) -> Value {
    let Some((key, keys)) = keys.split_first() else { return value.clone() };
    match (value, key) {
        (Value::Object(map), Key::Name(name)) => {
            map.get(name).map_or(Value::Null, |value| follow(value, keys))
        }
        (Value::Object(map), Key::Index(index)) => {
            map.get(&index.to_string()).map_or(Value::Null, |value| follow(value, keys))
        }
        (Value::Array(elements), Key::Index(index)) => {
            elements.get(*index).map_or(Value::Null, |value| follow(value, keys))
        }
        (Value::Array(elements), Key::Name(name)) if name == "length" => follow(&json!(elements.len()), keys),
        (Value::Array(elements), Key::Name(name)) => match canonical_index(name) {
            Some(index) => elements.get(index).map_or(Value::Null, |value| follow(value, keys)),
            None => Value::Null,
        },
        (Value::String(text), Key::Name(name)) if name == "length" => {
            follow(&json!(text.encode_utf16().count()), keys)
        }
        (Value::String(text), Key::Index(index)) => match text.encode_utf16().nth(*index) {
            Some(unit) => follow(&json!(String::from_utf16_lossy(&[unit])), keys),
            None => Value::Null,
        },
        _ => Value::Null,
    }
}

/// `"12"` as an index, where JavaScript would take it for one.
fn canonical_index(name: &str) -> Option<usize> {
    name.parse::<usize>().ok().filter(|index| index.to_string() == name)
}

fn literal(code: &str) -> Option<Value> {
    match code {
        "true" => return Some(Value::Bool(true)),
        "false" => return Some(Value::Bool(false)),
        "null" | "undefined" => return Some(Value::Null),
        _ => {}
    }
    let quote = code.chars().next()?;
    if matches!(quote, '"' | '\'') {
        let inner = code.get(1..)?.strip_suffix(quote)?;
        return (!inner.contains([quote, '\\', '\n', '\r'])).then(|| Value::String(inner.to_owned()));
    }
    // Nine digits always fit JavaScript's numbers; a leading zero would be octal there.
    let digits = code.strip_prefix('-').unwrap_or(code);
    let is_whole =
        !digits.is_empty() && digits.len() <= 9 && digits.bytes().all(|byte| byte.is_ascii_digit());
    if is_whole && code != "-0" && (digits == "0" || !digits.starts_with('0')) {
        return code.parse::<i64>().ok().map(Value::from);
    }
    None
}

fn path(code: &str) -> Option<Native> {
    let (root, rest) = root(code)?;
    let keys = keys(rest)?;
    let is_whole_scalar =
        matches!(root, Root::ItemIndex | Root::RunIndex | Root::Execution(_) | Root::Now) && !keys.is_empty();
    (!is_whole_scalar).then_some(Native::Path { root, keys })
}

fn root(code: &str) -> Option<(Root, &str)> {
    const SCALARS: [(&str, Root); 8] = [
        ("$itemIndex", Root::ItemIndex),
        ("$runIndex", Root::RunIndex),
        ("$now", Root::Now),
        ("$execution.id", Root::Execution(ExecutionPart::Id)),
        ("$execution.mode", Root::Execution(ExecutionPart::Mode)),
        ("$workflow.id", Root::Execution(ExecutionPart::WorkflowId)),
        ("$workflow.name", Root::Execution(ExecutionPart::WorkflowName)),
        ("$workflow.active", Root::Execution(ExecutionPart::WorkflowActive)),
    ];
    for (text, root) in SCALARS {
        if code == text {
            return Some((root, ""));
        }
    }
    if let Some(name) = code.strip_prefix("$vars.") {
        let is_plain = !name.is_empty() && name.chars().all(is_identifier) && !INHERITED.contains(&name);
        return is_plain.then(|| (Root::Execution(ExecutionPart::Variable(name.to_owned())), ""));
    }
    if let Some(rest) = code.strip_prefix("$json") {
        return Some((Root::Json, rest));
    }
    if let Some(rest) = code.strip_prefix("$input") {
        let (pick, rest) = pick(rest)?;
        let root = if pick == Pick::Paired { Root::Json } else { Root::Input(pick) };
        return Some((root, rest));
    }
    let quoted = code.strip_prefix("$(")?.trim_start();
    let quote = quoted.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let (name, rest) = quoted[1..].split_once(quote)?;
    if name.contains('\\') {
        return None;
    }
    let (pick, rest) = pick(rest.trim_start().strip_prefix(')')?)?;
    Some((Root::Node(name.to_owned(), pick), rest))
}

fn pick(text: &str) -> Option<(Pick, &str)> {
    [(".item.json", Pick::Paired), (".first().json", Pick::First), (".last().json", Pick::Last)]
        .into_iter()
        .find_map(|(form, pick)| Some((pick, text.strip_prefix(form)?)))
}

/// The keys of a path, up to its end; `None` when something else follows.
fn keys(mut rest: &str) -> Option<Vec<Key>> {
    let mut keys = Vec::new();
    while !rest.is_empty() {
        let optional = rest.strip_prefix("?.");
        if let Some(bracket) = optional.unwrap_or(rest).strip_prefix('[') {
            let (key, tail) = bracketed(bracket.trim_start())?;
            keys.push(key);
            rest = tail.trim_start().strip_prefix(']')?;
            continue;
        }
        let name_start = optional.or_else(|| rest.strip_prefix('.'))?;
        let end = name_start.find(|c| !is_identifier(c)).unwrap_or(name_start.len());
        let name = &name_start[..end];
        if name.is_empty() || name.starts_with(char::is_numeric) || INHERITED.contains(&name) {
            return None;
        }
        keys.push(Key::Name(name.to_owned()));
        rest = &name_start[end..];
    }
    Some(keys)
}

fn bracketed(text: &str) -> Option<(Key, &str)> {
    let first = text.chars().next()?;
    if matches!(first, '"' | '\'') {
        let (name, tail) = text[1..].split_once(first)?;
        let is_plain = !name.contains(['\\', '\n', '\r']) && !INHERITED.contains(&name);
        return is_plain.then(|| (Key::Name(name.to_owned()), tail));
    }
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let digits = &text[..end];
    canonical_index(digits).filter(|_| end <= 9).map(|index| (Key::Index(index), &text[end..]))
}
