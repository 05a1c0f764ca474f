//! Resolving a node's parameters for its items.

use std::sync::Arc;

use serde_json::Value;

use super::Scope;
use super::evaluator::{EvaluateJob, EvaluatedRow, Evaluator, ExpressionError};
use super::number::joined_text;
use super::template::{Content, Expression, Part, Segment, Template};
use crate::node::{NodeError, Parameters};

/// Resolves the expressions of a node's fields: once where no item matters, else for each item of the
/// first input (and once where there is none). JavaScript of all items runs in a single call.
///
/// # Errors
/// When JavaScript cannot run at all (`code_timeout`, `code_memory`, ...). An expression that fails for one
/// item is an error of that item, inside [`Parameters::PerItem`].
pub async fn resolve_parameters(
    template: &Template,
    fields: &Arc<Value>,
    scope: &Scope<'_>,
    evaluator: &dyn Evaluator,
) -> Result<Parameters, NodeError> {
    if template.is_constant() {
        return Ok(Parameters::Same(Arc::clone(fields)));
    }
    if !template.depends_on_item() {
        return Ok(match resolve_item(template, fields, scope, 0, &[]) {
            Ok(value) => Parameters::Same(Arc::new(value)),
            Err(error) => Parameters::PerItem(vec![Err(error)]),
        });
    }
    let items = scope.inputs.first().and_then(Option::as_ref).map_or(0, |items| items.len());
    let rows = items.max(1);
    let scripts = template.scripts();
    let evaluated = if scripts.is_empty() {
        Vec::new()
    } else {
        let evaluated = evaluator.evaluate(EvaluateJob { scope: *scope, scripts, rows }).await?;
        if evaluated.len() != rows || evaluated.iter().any(|row| row.len() != scripts.len()) {
            return Err(NodeError::fatal(
                "code_crashed",
                "the expression sandbox gave an answer of the wrong shape",
            ));
        }
        evaluated
    };
    let resolved = (0..rows).map(|item| {
        let row = evaluated.get(item).map_or(&[][..], EvaluatedRow::as_slice);
        resolve_item(template, fields, scope, item, row).map(Arc::new).map_err(|error| error.at_item(item))
    });
    Ok(Parameters::PerItem(resolved.collect()))
}

fn resolve_item(
    template: &Template,
    fields: &Value,
    scope: &Scope<'_>,
    item: usize,
    row: &[Result<Value, ExpressionError>],
) -> Result<Value, NodeError> {
    let mut resolved = fields.clone();
    for expression in template.expressions() {
        let value = resolve_expression(expression, scope, item, row)
            .map_err(|message| NodeError::fatal("expression_failed", at_field(&expression.path, &message)))?;
        if let Some(place) = place(&mut resolved, &expression.segments) {
            *place = value;
        }
    }
    Ok(resolved)
}

/// The message with its field; a lone expression has none.
fn at_field(path: &str, message: &str) -> String {
    if path.is_empty() { message.to_owned() } else { format!("{path}: {message}") }
}

fn resolve_expression(
    expression: &Expression,
    scope: &Scope<'_>,
    item: usize,
    row: &[Result<Value, ExpressionError>],
) -> Result<Value, String> {
    let parts = match &expression.content {
        Content::Single(part) => return part_value(part, scope, item, row),
        Content::Joined(parts) => parts,
    };
    let mut text = String::new();
    for part in parts {
        match part {
            Part::Text(literal) => text.push_str(literal),
            part => text.push_str(&joined_text(&part_value(part, scope, item, row)?)),
        }
    }
    Ok(Value::String(text))
}

fn part_value(
    part: &Part,
    scope: &Scope<'_>,
    item: usize,
    row: &[Result<Value, ExpressionError>],
) -> Result<Value, String> {
    match part {
        Part::Text(text) => Ok(Value::String(text.clone())),
        Part::Native(native) => native.read(scope, item),
        Part::Script(index) => match row.get(*index) {
            Some(Ok(value)) => Ok(value.clone()),
            Some(Err(error)) => Err(error.message.clone()),
            None => Err("it was not evaluated".to_owned()),
        },
    }
}

fn place<'a>(value: &'a mut Value, segments: &[Segment]) -> Option<&'a mut Value> {
    segments.iter().try_fold(value, |value, segment| match segment {
        Segment::Key(key) => value.get_mut(key),
        Segment::Index(index) => value.get_mut(index),
    })
}
