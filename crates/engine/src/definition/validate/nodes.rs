//! Each node for itself: its id, its name, its type, its fields, its options.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use serde_json::Value;

use super::{MAX_NAME_CHARS, settings};
use crate::definition::{Definition, NodeData, NodeDefinition, OnError, Problem, ProblemCode, Severity};
use crate::expression::Template;
use crate::graph::{NodeIndex, NodeSpec};
use crate::node::{Catalogue, Node};

/// The output that a node has besides its own when it continues on errors.
pub(super) const ERROR_OUTPUT: &str = "error";

/// The name of a node: its label, or its id where it has none.
pub(super) fn name_of(node: &NodeDefinition) -> &str {
    node.data.label.as_deref().filter(|label| !label.is_empty()).unwrap_or(&node.id)
}

/// Whether lists and objects are nested more than `levels` deep.
pub(super) fn is_deeper_than(value: &Value, levels: usize) -> bool {
    match value {
        Value::Array(list) => levels == 0 || list.iter().any(|inner| is_deeper_than(inner, levels - 1)),
        Value::Object(map) => levels == 0 || map.values().any(|inner| is_deeper_than(inner, levels - 1)),
        _ => false,
    }
}

/// Where each id and each name is.
pub(super) struct Names<'a> {
    ids: HashMap<&'a str, NodeIndex>,
    names: HashMap<&'a str, NodeIndex>,
}

impl<'a> Names<'a> {
    /// Collects ids and names; the second node of a pair is the one that is wrong.
    pub(super) fn read(definition: &'a Definition, problems: &mut Vec<Problem>) -> Self {
        let mut ids = HashMap::with_capacity(definition.nodes.len());
        let mut names = HashMap::with_capacity(definition.nodes.len());
        for (index, node) in definition.nodes.iter().enumerate() {
            let name = name_of(node);
            let id_field = format!("nodes[{index}].id");
            if node.id.trim().is_empty() {
                let message = "a node needs an id that is not empty";
                problems.push(Problem::error(ProblemCode::Shape, Some(name), Some(&id_field), message));
            }
            match ids.entry(node.id.as_str()) {
                Entry::Vacant(entry) => _ = entry.insert(index),
                Entry::Occupied(_) => {
                    let message = format!("another node has the id {:?} too", node.id);
                    problems.push(Problem::error(
                        ProblemCode::DuplicateId,
                        Some(name),
                        Some(&id_field),
                        message,
                    ));
                }
            }
            let name_field = format!("nodes[{index}].data.label");
            match names.entry(name) {
                Entry::Vacant(entry) => _ = entry.insert(index),
                Entry::Occupied(_) => {
                    let message = format!(
                        "another node has the name {name:?} too; expressions could not tell them apart"
                    );
                    problems.push(Problem::error(
                        ProblemCode::DuplicateName,
                        Some(name),
                        Some(&name_field),
                        message,
                    ));
                }
            }
            if name.chars().count() > MAX_NAME_CHARS {
                let message = format!("a name has at most {MAX_NAME_CHARS} characters");
                problems.push(Problem::error(ProblemCode::Limit, Some(name), Some(&name_field), message));
            }
        }
        Self { ids, names }
    }

    /// The node with this id.
    pub(super) fn by_id(&self, id: &str) -> Option<NodeIndex> {
        self.ids.get(id).copied()
    }

    /// Whether a node has this name.
    pub(super) fn has_name(&self, name: &str) -> bool {
        self.names.contains_key(name)
    }

    /// A name or id that was probably meant.
    pub(super) fn nearest(&self, wanted: &str) -> Option<&'a str> {
        let wanted = wanted.trim().to_lowercase();
        self.names.keys().chain(self.ids.keys()).copied().find(|known| known.trim().to_lowercase() == wanted)
    }
}

/// Checks one node; `None` when its type is not known.
pub(super) fn check(
    definition: &Definition,
    index: NodeIndex,
    names: &Names<'_>,
    catalogue: &Catalogue,
    problems: &mut Vec<Problem>,
) -> Option<NodeSpec> {
    let written = &definition.nodes[index];
    let name = name_of(written);
    let data = &written.data;
    let Some(node) = catalogue.get(&data.node_type) else {
        problems.push(unknown_type(name, &data.node_type, catalogue));
        return None;
    };
    check_options(name, data, problems);

    let fields = Value::Object(data.fields.clone());
    let mut found = Vec::new();
    let template = check_fields(name, node.as_ref(), &fields, names, &mut found);
    if data.disabled {
        // A node that never runs may be half finished.
        found.iter_mut().for_each(|problem| problem.severity = Severity::Warning);
    }
    problems.append(&mut found);

    let inputs = node.inputs(&fields);
    let mut outputs = node.outputs(&fields);
    if data.on_error == OnError::ContinueErrorOutput {
        outputs.push(ERROR_OUTPUT.into());
    }
    Some(NodeSpec {
        id: written.id.clone(),
        name: name.to_owned(),
        node: Arc::clone(node),
        fields: Arc::new(fields),
        template,
        inputs,
        outputs,
        integration: data.integration.clone(),
        disabled: data.disabled,
        retry: data.retry.clone().unwrap_or_default(),
        on_error: data.on_error,
        timeout_ms: data.timeout_ms,
        always_output_data: data.always_output_data,
        execute_once: data.execute_once,
        position: written.position,
    })
}

fn unknown_type(name: &str, node_type: &str, catalogue: &Catalogue) -> Problem {
    let message = if node_type.is_empty() {
        "the node has no type".to_owned()
    } else if let Some(nearest) = catalogue.nearest(node_type) {
        format!("there is no node type {node_type:?}; did you mean {nearest:?}?")
    } else {
        format!("there is no node type {node_type:?}")
    };
    Problem::error(ProblemCode::UnknownNodeType, Some(name), Some("nodeType"), message)
}

fn check_options(name: &str, data: &NodeData, problems: &mut Vec<Problem>) {
    for (field, message) in data.retry.iter().flat_map(|policy| policy.problems()) {
        let field = format!("retry.{field}");
        problems.push(Problem::error(ProblemCode::InvalidSetting, Some(name), Some(&field), message));
    }
    if let Some(message) = data.timeout_ms.and_then(|value| settings::outside(value, &settings::TIMEOUT_MS)) {
        problems.push(Problem::error(ProblemCode::InvalidSetting, Some(name), Some("timeoutMs"), message));
    }
}

/// Checks the fields against the type, prepares their expressions, and looks up the nodes these name.
fn check_fields(
    name: &str,
    node: &dyn Node,
    fields: &Value,
    names: &Names<'_>,
    problems: &mut Vec<Problem>,
) -> Template {
    for (path, message) in node.check(fields) {
        let path = field_path(&path);
        problems.push(Problem::error(ProblemCode::InvalidField, Some(name), Some(&path), message));
    }
    let template = match Template::prepare(fields, &|path| node.is_literal(path)) {
        Ok(template) => template,
        Err(found) => {
            for problem in found {
                let path = field_path(&problem.path);
                problems.push(Problem::error(
                    ProblemCode::ExpressionSyntax,
                    Some(name),
                    Some(&path),
                    problem.message,
                ));
            }
            return Template::default();
        }
    };
    for reference in template.node_references().iter().filter(|reference| !names.has_name(&reference.node)) {
        let hint = names
            .nearest(&reference.node)
            .map(|near| format!("; did you mean {near:?}?"))
            .unwrap_or_default();
        let message = format!("the expression names a node {:?} that does not exist{hint}", reference.node);
        let path = field_path(&reference.path);
        problems.push(Problem::error(ProblemCode::ExpressionReference, Some(name), Some(&path), message));
    }
    template
}

/// `rules[2].value` inside `data.fields` as a problem names it.
fn field_path(path: &str) -> String {
    match path {
        "" | "." => "fields".to_owned(),
        path if path.starts_with('[') => format!("fields{path}"),
        path => format!("fields.{path}"),
    }
}
