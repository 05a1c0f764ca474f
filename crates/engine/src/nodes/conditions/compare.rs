//! What each operation asks.

use std::borrow::Cow;
use std::cmp::Ordering;

use serde_json::Value;

use super::operand::Operand;
use super::operator::{Operation, Operator, ValueType};
use super::pattern::Patterns;

/// Whether the operation holds for two values that [`super::operand`] has read.
pub(super) fn holds(
    operator: Operator,
    left: &Operand,
    right: &Operand,
    ignore_case: bool,
    patterns: &mut Patterns,
) -> Result<bool, String> {
    let exists = *left != Operand::Nothing;
    match operator.operation {
        Operation::Exists => return Ok(exists),
        Operation::NotExists => return Ok(!exists),
        _ => {}
    }
    Ok(match operator.value_type {
        ValueType::String => {
            return text_holds(operator.operation, text(left), text(right), ignore_case, patterns);
        }
        ValueType::Number => number_holds(operator.operation, left, right),
        ValueType::DateTime => date_holds(operator.operation, left, right),
        ValueType::Boolean => boolean_holds(operator.operation, left, right),
        ValueType::Array => list_holds(operator.operation, left, right, ignore_case),
        ValueType::Object => match left {
            Operand::Object(map) => map.is_empty() == (operator.operation == Operation::Empty),
            _ => operator.operation == Operation::Empty,
        },
        ValueType::Any => false,
    })
}

fn text(operand: &Operand) -> &str {
    match operand {
        Operand::Text(text) => text,
        _ => "",
    }
}

fn text_holds(
    operation: Operation,
    left: &str,
    right: &str,
    ignore_case: bool,
    patterns: &mut Patterns,
) -> Result<bool, String> {
    use Operation as O;
    // A pattern says by its own flag whether case matters.
    if matches!(operation, O::Regex | O::NotRegex) {
        let matches = patterns.is_match(right, left)?;
        return Ok(matches == (operation == O::Regex));
    }
    let fold = |text| if ignore_case { Cow::Owned(str::to_lowercase(text)) } else { Cow::Borrowed(text) };
    let (left, right) = (fold(left), fold(right));
    let (left, right) = (left.as_ref(), right.as_ref());
    Ok(match operation {
        O::Empty => left.is_empty(),
        O::NotEmpty => !left.is_empty(),
        O::Equals => left == right,
        O::NotEquals => left != right,
        O::Contains => left.contains(right),
        O::NotContains => !left.contains(right),
        O::StartsWith => left.starts_with(right),
        O::NotStartsWith => !left.starts_with(right),
        O::EndsWith => left.ends_with(right),
        O::NotEndsWith => !left.ends_with(right),
        _ => false,
    })
}

fn number_holds(operation: Operation, left: &Operand, right: &Operand) -> bool {
    use Operation as O;
    // A missing value is equal to a missing one, and neither more nor less than anything.
    let order = match (left, right) {
        (Operand::Number(left), Operand::Number(right)) => left.partial_cmp(right),
        _ => None,
    };
    match operation {
        O::Empty => *left == Operand::Nothing,
        O::NotEmpty => *left != Operand::Nothing,
        O::Equals => left == right,
        O::NotEquals => left != right,
        O::Gt => order == Some(Ordering::Greater),
        O::Lt => order == Some(Ordering::Less),
        O::Gte => order.is_some_and(Ordering::is_ge),
        O::Lte => order.is_some_and(Ordering::is_le),
        _ => false,
    }
}

fn date_holds(operation: Operation, left: &Operand, right: &Operand) -> bool {
    use Operation as O;
    match operation {
        O::Empty => return *left == Operand::Nothing,
        O::NotEmpty => return *left != Operand::Nothing,
        _ => {}
    }
    let (Operand::Date(left), Operand::Date(right)) = (left, right) else { return false };
    let order = left.timestamp_millis().cmp(&right.timestamp_millis());
    match operation {
        O::Equals => order.is_eq(),
        O::NotEquals => order.is_ne(),
        O::After => order.is_gt(),
        O::Before => order.is_lt(),
        O::AfterOrEquals => order.is_ge(),
        O::BeforeOrEquals => order.is_le(),
        _ => false,
    }
}

fn boolean_holds(operation: Operation, left: &Operand, right: &Operand) -> bool {
    use Operation as O;
    match operation {
        O::Empty => *left == Operand::Nothing,
        O::NotEmpty => *left != Operand::Nothing,
        O::True => *left == Operand::Boolean(true),
        O::False => *left != Operand::Boolean(true),
        O::Equals => left == right,
        O::NotEquals => left != right,
        _ => false,
    }
}

fn list_holds(operation: Operation, left: &Operand, right: &Operand, ignore_case: bool) -> bool {
    use Operation as O;
    let list = match left {
        Operand::List(list) => list.as_slice(),
        _ => &[],
    };
    let length_is = |accepts: fn(Ordering) -> bool| {
        let Operand::Number(wanted) = right else { return false };
        #[expect(clippy::cast_precision_loss, reason = "no list in memory has 2^53 elements")]
        let length = list.len() as f64;
        length.partial_cmp(wanted).is_some_and(accepts)
    };
    match operation {
        O::Empty => list.is_empty(),
        O::NotEmpty => !list.is_empty(),
        O::Contains => contains(list, right, ignore_case),
        O::NotContains => !contains(list, right, ignore_case),
        O::LengthEquals => length_is(Ordering::is_eq),
        O::LengthNotEquals => !length_is(Ordering::is_eq),
        O::LengthGt => length_is(Ordering::is_gt),
        O::LengthLt => length_is(Ordering::is_lt),
        O::LengthGte => length_is(Ordering::is_ge),
        O::LengthLte => length_is(Ordering::is_le),
        _ => false,
    }
}

/// Whether an element is the wanted value; lists and objects inside are never the same as another one, as in
/// JavaScript's `includes`.
fn contains(list: &[Value], wanted: &Operand, ignore_case: bool) -> bool {
    match wanted {
        Operand::Nothing => list.iter().any(Value::is_null),
        Operand::Any(Value::String(wanted)) if ignore_case => {
            let wanted = wanted.to_lowercase();
            list.iter().filter_map(Value::as_str).any(|element| element.to_lowercase() == wanted)
        }
        Operand::Any(Value::Number(wanted)) => {
            list.iter().filter_map(Value::as_f64).any(|element| Some(element) == wanted.as_f64())
        }
        Operand::Any(wanted @ (Value::String(_) | Value::Bool(_))) => list.contains(wanted),
        _ => false,
    }
}
