//! Joining two lists by equal fields.
//!
//! The second list is looked up in a table, so that joining long lists stays fast.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::Value;

use super::combine::{merge_items, with_suffix};
use super::{DataFrom, JoinMode, MAX_ITEMS, MergeParameters, MultipleMatches, Resolve, too_many};
use crate::item::Item;
use crate::node::NodeError;
use crate::nodes::convert;
use crate::nodes::path::Notation;

/// Where the items of two lists match.
struct Matches {
    /// For each item of the first list that has any, its matches in the second.
    pairs: Vec<(usize, Vec<usize>)>,
    matched2: Vec<usize>,
    unmatched1: Vec<usize>,
    unmatched2: Vec<usize>,
}

pub(super) fn combine(
    one: &[Item],
    two: &[Item],
    parameters: &MergeParameters,
) -> Result<Vec<Item>, NodeError> {
    use JoinMode as J;
    let clash = &parameters.clash_handling;
    let mode = parameters.join_mode;
    let from = parameters.output_data_from;
    let fields = parameters.matches().map_err(|message| NodeError::parameter("fieldsToMatch", message))?;
    let resolve =
        clash.resolve().map_err(|message| NodeError::parameter("clashHandling.resolve", message))?;
    if one.is_empty() || two.is_empty() {
        return Ok(with_one_side(one, two, mode, from));
    }
    let found = find_matches(one, two, &fields, parameters);
    if found.pairs.iter().map(|(_, matches)| matches.len()).sum::<usize>() > MAX_ITEMS {
        return Err(too_many());
    }
    let joined = || {
        let join = |left: &Item, right: &Item| match resolve {
            Resolve::AddSuffix => merge_items(&[&with_suffix(left, 1), &with_suffix(right, 2)], clash),
            Resolve::Prefer(0) => merge_items(&[right, left], clash),
            Resolve::Default if mode == J::EnrichInput2 => merge_items(&[right, left], clash),
            _ => merge_items(&[left, right], clash),
        };
        let each = found.pairs.iter().flat_map(|(left, matches)| matches.iter().map(|right| (*left, *right)));
        each.map(|(left, right)| join(&one[left], &two[right])).collect::<Vec<_>>()
    };
    let rest = |items: &[Item], indices: &[usize], input: usize| {
        let own = |&index: &usize| match resolve {
            Resolve::AddSuffix => with_suffix(&items[index], input),
            _ => items[index].clone(),
        };
        indices.iter().map(own).collect::<Vec<_>>()
    };
    let plain = |items: &[Item], indices: &[usize]| {
        indices.iter().map(|&index| items[index].clone()).collect::<Vec<_>>()
    };
    Ok(match (mode, from) {
        (J::KeepMatches, DataFrom::Both) => joined(),
        (J::KeepMatches, DataFrom::Input1) => {
            found.pairs.iter().map(|(left, _)| one[*left].clone()).collect()
        }
        (J::KeepMatches, DataFrom::Input2) => plain(two, &found.matched2),
        (J::KeepNonMatches, DataFrom::Input1) => plain(one, &found.unmatched1),
        (J::KeepNonMatches, DataFrom::Input2) => plain(two, &found.unmatched2),
        (J::KeepNonMatches, DataFrom::Both) => {
            let mut items: Vec<Item> =
                plain(one, &found.unmatched1).into_iter().map(|item| with_source(item, "input1")).collect();
            items.extend(plain(two, &found.unmatched2).into_iter().map(|item| with_source(item, "input2")));
            items
        }
        (J::KeepEverything, _) => {
            [joined(), rest(one, &found.unmatched1, 1), rest(two, &found.unmatched2, 2)].concat()
        }
        (J::EnrichInput1, _) => [joined(), rest(one, &found.unmatched1, 1)].concat(),
        (J::EnrichInput2, _) => [joined(), rest(two, &found.unmatched2, 2)].concat(),
    })
}

/// What goes on when one of the lists is empty.
fn with_one_side(one: &[Item], two: &[Item], mode: JoinMode, from: DataFrom) -> Vec<Item> {
    let is_nothing = match (mode, from) {
        (JoinMode::KeepMatches, _) => true,
        (JoinMode::KeepNonMatches, DataFrom::Input1) | (JoinMode::EnrichInput1, _) => one.is_empty(),
        (JoinMode::KeepNonMatches, DataFrom::Input2) | (JoinMode::EnrichInput2, _) => two.is_empty(),
        _ => false,
    };
    if is_nothing { Vec::new() } else { [one, two].concat() }
}

fn with_source(item: Item, source: &str) -> Item {
    let mut json = Arc::unwrap_or_clone(item.json);
    json.insert("_source".to_owned(), Value::String(source.to_owned()));
    Item { json: Arc::new(json), ..item }
}

fn find_matches(
    one: &[Item],
    two: &[Item],
    fields: &[(String, String)],
    parameters: &MergeParameters,
) -> Matches {
    let notation = Notation::dots(parameters.dot_notation);
    let is_fuzzy = parameters.fuzzy_compare;
    let mut table: HashMap<String, Vec<usize>> = HashMap::new();
    for (index, item) in two.iter().enumerate() {
        if let Some(key) = key(item, fields.iter().map(|(_, name)| name), notation, is_fuzzy) {
            table.entry(key).or_default().push(index);
        }
    }
    let mut is_matched = vec![false; two.len()];
    let (mut pairs, mut unmatched1) = (Vec::new(), Vec::new());
    for (index, item) in one.iter().enumerate() {
        let matches = key(item, fields.iter().map(|(name, _)| name), notation, is_fuzzy)
            .and_then(|key| table.get(&key));
        match matches.map(Vec::as_slice) {
            Some(matches @ [first, ..]) => {
                let kept =
                    if parameters.multiple_matches == MultipleMatches::All { matches } else { &[*first][..] };
                kept.iter().for_each(|&index| is_matched[index] = true);
                pairs.push((index, kept.to_vec()));
            }
            _ => unmatched1.push(index),
        }
    }
    let (matched2, unmatched2) = (0..two.len()).partition(|&index| is_matched[index]);
    Matches { pairs, matched2, unmatched1, unmatched2 }
}

/// The values that must be equal, as text that is equal exactly when they are; `None` when a field is missing.
fn key<'a>(
    item: &Item,
    names: impl Iterator<Item = &'a String>,
    notation: Notation,
    is_fuzzy: bool,
) -> Option<String> {
    let mut key = String::new();
    for name in names {
        match notation.get(&item.json, name) {
            Some(value) => write_value(&mut key, value, is_fuzzy),
            None if is_fuzzy => key.push_str("null"),
            None => return None,
        }
        key.push('\n');
    }
    Some(key)
}

fn write_value(key: &mut String, value: &Value, is_fuzzy: bool) {
    match value {
        Value::String(text) if is_fuzzy && text.trim().is_empty() => key.push_str("null"),
        Value::String(text) if is_fuzzy => match convert::number(value) {
            Some(number) => key.push_str(&convert::number_value(number).to_string()),
            None => match convert::boolean(value) {
                Some(flag) => key.push_str(if flag { "true" } else { "false" }),
                None => key.push_str(&Value::String(text.clone()).to_string()),
            },
        },
        // 1 and 1.0 are one number.
        Value::Number(number) => match number.as_f64().filter(|_| number.is_f64()) {
            Some(float) => key.push_str(&convert::number_value(float).to_string()),
            None => key.push_str(&number.to_string()),
        },
        Value::Array(list) => {
            key.push('[');
            for element in list {
                write_value(key, element, is_fuzzy);
                key.push(',');
            }
            key.push(']');
        }
        // The order of an object's fields does not matter.
        Value::Object(map) => {
            let mut names: Vec<_> = map.keys().collect();
            names.sort();
            key.push('{');
            for name in names {
                key.push_str(&Value::String(name.clone()).to_string());
                key.push(':');
                write_value(key, &map[name], is_fuzzy);
                key.push(',');
            }
            key.push('}');
        }
        other => key.push_str(&other.to_string()),
    }
}
