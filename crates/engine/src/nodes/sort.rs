//! Sort: brings items into another order.

use std::cmp::Ordering;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::describe;
use super::path::Notation;
use crate::item::Item;
use crate::node::{Call, Descriptor, Example, Group, NodeError, Outcome, Typed};

/// The node type `sort`.
pub struct Sort;

/// Parameters of [`Sort`].
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct SortParameters {
    /// By fields, or shuffled.
    #[serde(rename = "type")]
    kind: Kind,
    /// The fields, the most important first.
    sort_fields: Vec<SortField>,
    /// Whether `a.b` means `b` inside `a`; otherwise it is a field of that name.
    dot_notation: bool,
}

impl Default for SortParameters {
    fn default() -> Self {
        Self { kind: Kind::Simple, sort_fields: Vec::new(), dot_notation: true }
    }
}

/// How items are ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
enum Kind {
    /// By fields.
    Simple,
    /// By chance; a repeated run of the same step gives the same order.
    Random,
}

/// A field to sort by.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct SortField {
    /// Its name, for example `customer.name`.
    field_name: String,
    /// The direction.
    #[serde(default)]
    order: Order,
}

/// A direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
enum Order {
    /// The smallest first.
    #[default]
    Ascending,
    /// The largest first.
    Descending,
}

#[async_trait]
impl Typed for Sort {
    type Parameters = SortParameters;

    fn descriptor(&self) -> Descriptor {
        Descriptor {
            example: Example {
                title: "The largest amount first, equal ones by name",
                fields: json!({ "sortFields": [
                    { "fieldName": "amount", "order": "descending" },
                    { "fieldName": "name" },
                ] }),
                input: json!([{ "name": "b", "amount": 1 }, { "name": "a", "amount": 1 }, { "name": "c", "amount": 9 }]),
                output: json!([[{ "name": "c", "amount": 9 }, { "name": "a", "amount": 1 }, { "name": "b", "amount": 1 }]]),
            },
            ..describe::node(
                Group::Transform,
                "sort",
                "Sort",
                "Orders items by fields, or shuffles them. Upper and lower case are the same; items without the field come last.",
            )
        }
    }

    fn check(&self, parameters: &SortParameters) -> Vec<(String, String)> {
        let mut problems = Vec::new();
        if parameters.kind == Kind::Simple && parameters.sort_fields.is_empty() {
            problems.push(("sortFields".to_owned(), "name at least one field to sort by".to_owned()));
        }
        for (index, field) in parameters.sort_fields.iter().enumerate() {
            if field.field_name.trim().is_empty() {
                problems.push((format!("sortFields[{index}].fieldName"), "a field needs a name".to_owned()));
            }
        }
        problems
    }

    async fn run(&self, call: Call<'_>) -> Result<Outcome, NodeError> {
        let parameters: SortParameters = call.parameters(0)?;
        let items = call.items();
        let order = match parameters.kind {
            Kind::Simple => order_by_fields(items, &parameters)?,
            Kind::Random => shuffled(items.len(), call.execution.id, call.run_index),
        };
        Ok(Outcome::items(order.into_iter().map(|index| items[index].clone().from_input(index)).collect()))
    }
}

fn order_by_fields(items: &[Item], parameters: &SortParameters) -> Result<Vec<usize>, NodeError> {
    let notation = Notation::dots(parameters.dot_notation);
    let fields = &parameters.sort_fields;
    if fields.is_empty() {
        return Err(NodeError::parameter(
            "sortFields",
            "No sorting specified. Please add a field to sort by",
        ));
    }
    for (index, field) in fields.iter().enumerate() {
        if !items.iter().any(|item| notation.get(&item.json, &field.field_name).is_some()) {
            let message = format!("Couldn't find the field '{}' in the input data", field.field_name);
            return Err(NodeError::parameter(&format!("sortFields[{index}].fieldName"), message));
        }
    }
    // Each key is read once, not once for each comparison.
    let keys: Vec<Vec<Key>> = items
        .iter()
        .map(|item| {
            fields.iter().map(|field| Key::read(notation.get(&item.json, &field.field_name))).collect()
        })
        .collect();
    let mut order: Vec<usize> = (0..items.len()).collect();
    order.sort_by(|&a, &b| {
        let compare_field = |place: usize| keys[a][place].compare(&keys[b][place], fields[place].order);
        (0..fields.len()).map(compare_field).find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
    });
    Ok(order)
}

/// What an item is sorted by. Kinds have an order among each other, so that any mix has one order.
#[derive(PartialEq)]
enum Key {
    Number(f64),
    Text(String),
    Other(String),
    Missing,
}

impl Key {
    fn read(value: Option<&Value>) -> Self {
        match value {
            None | Some(Value::Null) => Self::Missing,
            Some(Value::Bool(flag)) => Self::Number(f64::from(u8::from(*flag))),
            Some(Value::Number(number)) => number.as_f64().map_or(Self::Missing, Self::Number),
            Some(Value::String(text)) => Self::Text(text.to_lowercase()),
            Some(other) => Self::Other(other.to_string()),
        }
    }

    const fn rank(&self) -> u8 {
        match self {
            Self::Number(_) => 0,
            Self::Text(_) => 1,
            Self::Other(_) => 2,
            Self::Missing => 3,
        }
    }

    fn compare(&self, other: &Self, order: Order) -> Ordering {
        // What is missing comes last in both directions.
        match (self, other) {
            (Self::Missing, Self::Missing) => return Ordering::Equal,
            (Self::Missing, _) => return Ordering::Greater,
            (_, Self::Missing) => return Ordering::Less,
            _ => {}
        }
        let ascending = match (self, other) {
            (Self::Number(a), Self::Number(b)) => a.total_cmp(b),
            // UTF-16 as in JavaScript, so that imported workflows keep their order.
            (Self::Text(a), Self::Text(b)) => a.encode_utf16().cmp(b.encode_utf16()),
            (Self::Other(a), Self::Other(b)) => a.cmp(b),
            _ => self.rank().cmp(&other.rank()),
        };
        if order == Order::Ascending { ascending } else { ascending.reverse() }
    }
}

/// A shuffle (Fisher-Yates over SplitMix64) that depends on the execution and the run alone: when recovery runs the
/// step again, what follows sees the same order.
fn shuffled(count: usize, execution: Uuid, run_index: usize) -> Vec<usize> {
    let (high, low) = execution.as_u64_pair();
    let mut state = high ^ low.rotate_left(32) ^ (run_index as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mut next = move || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    };
    let mut order: Vec<usize> = (0..count).collect();
    for place in (1..count).rev() {
        let bound = place as u64 + 1;
        #[expect(clippy::cast_possible_truncation, reason = "less than a length")]
        order.swap(place, (next() % bound) as usize);
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nodes::testing::Trial;
    use proptest::prelude::*;

    fn order(fields: Value, values: &[Value]) -> Vec<usize> {
        let items = Value::Array(values.iter().map(|value| json!({ "v": value })).collect());
        Trial::of("sort", fields).input(items).origins().into_iter().map(|origin| origin[0].1).collect()
    }

    fn by(order: &str) -> Value {
        json!({ "sortFields": [{ "fieldName": "v", "order": order }] })
    }

    #[test]
    fn values_are_ordered_by_kind_and_then_by_value() {
        for (values, ascending, descending) in [
            (vec![json!(10), json!(9), json!(1)], vec![2, 1, 0], vec![0, 1, 2]),
            (vec![json!("b"), json!("A"), json!("c")], vec![1, 0, 2], vec![2, 0, 1]),
            (vec![json!(null), json!(2), json!(1)], vec![2, 1, 0], vec![1, 2, 0]),
            (vec![json!("x"), json!(true), json!(0)], vec![2, 1, 0], vec![0, 1, 2]),
        ] {
            assert_eq!(order(by("ascending"), &values), ascending, "{values:?}");
            assert_eq!(order(by("descending"), &values), descending, "{values:?}");
        }
    }

    #[test]
    fn a_field_that_no_item_has_is_named() {
        let trial =
            Trial::of("sort", json!({ "sortFields": [{ "fieldName": "a.b" }] })).input(json!([{ "a": 1 }]));
        let error = trial.run().unwrap_err();
        assert_eq!(error.message, "sortFields[0].fieldName: Couldn't find the field 'a.b' in the input data");
    }

    #[test]
    fn a_shuffle_keeps_every_item_and_is_the_same_again() {
        let values: Vec<Value> = (0..50).map(Value::from).collect();
        let shuffled = order(json!({ "type": "random" }), &values);
        assert_eq!(shuffled, order(json!({ "type": "random" }), &values));
        assert_ne!(shuffled, (0..50).collect::<Vec<_>>());
        let mut sorted = shuffled;
        sorted.sort_unstable();
        assert_eq!(sorted, (0..50).collect::<Vec<_>>());
    }

    fn any_value() -> impl Strategy<Value = Value> {
        prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            (-5..5i32).prop_map(Value::from),
            "[a-cA-C]{0,2}".prop_map(Value::from),
            Just(json!([1])),
            Just(json!({ "a": 1 })),
        ]
    }

    proptest! {
        #[test]
        fn any_mix_of_values_has_one_order(values in prop::collection::vec(any_value(), 1..40), descending: bool) {
            let direction = if descending { Order::Descending } else { Order::Ascending };
            let keys: Vec<Key> = values.iter().map(|value| Key::read(Some(value))).collect();
            for a in &keys {
                for b in &keys {
                    prop_assert_eq!(a.compare(b, direction), b.compare(a, direction).reverse());
                    for c in &keys {
                        if a.compare(b, direction).is_le() && b.compare(c, direction).is_le() {
                            prop_assert!(a.compare(c, direction).is_le());
                        }
                    }
                }
            }
        }
    }
}
