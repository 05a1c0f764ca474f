//! Modes that look at no field: by position, all combinations, one branch.

use super::combine::{merge_items, with_suffix};
use super::{BranchOutput, MAX_ITEMS, MergeParameters, Resolve, origins, too_many};
use crate::item::Item;
use crate::node::NodeError;

/// The items of the wanted input, or a single empty one.
pub(super) fn choose_branch(mut inputs: Vec<Vec<Item>>, parameters: &MergeParameters) -> Vec<Item> {
    match parameters.output {
        BranchOutput::Empty => {
            vec![Item { paired_item: origins(inputs.iter().flatten()), ..Item::default() }]
        }
        BranchOutput::SpecifiedInput => {
            let wanted = parameters.use_data_of_input.saturating_sub(1);
            if wanted < inputs.len() { inputs.swap_remove(wanted) } else { Vec::new() }
        }
    }
}

/// One item of those at the same place in each input.
pub(super) fn combine_by_position(
    inputs: &[Vec<Item>],
    parameters: &MergeParameters,
) -> Result<Vec<Item>, NodeError> {
    let clash = &parameters.clash_handling;
    let resolve =
        clash.resolve().map_err(|message| NodeError::parameter("clashHandling.resolve", message))?;
    let lengths = inputs.iter().map(Vec::len);
    let count = if parameters.include_unpaired { lengths.max() } else { lengths.min() }.unwrap_or_default();
    let combine = |place: usize| {
        let found: Vec<(usize, &Item)> =
            inputs.iter().enumerate().filter_map(|(input, items)| Some((input, items.get(place)?))).collect();
        match resolve {
            Resolve::AddSuffix => {
                let renamed: Vec<Item> =
                    found.iter().map(|(input, item)| with_suffix(item, input + 1)).collect();
                merge_items(&renamed.iter().collect::<Vec<_>>(), clash)
            }
            Resolve::Prefer(winner) => {
                // Merged once more at the end, so that its fields win and keep their place.
                let winners = found.iter().filter(|(input, _)| *input == winner);
                merge_items(&found.iter().chain(winners).map(|(_, item)| *item).collect::<Vec<_>>(), clash)
            }
            Resolve::Default | Resolve::PreferLast => {
                merge_items(&found.iter().map(|(_, item)| *item).collect::<Vec<_>>(), clash)
            }
        }
    };
    Ok((0..count).map(combine).collect())
}

/// Each item of the first input with each of the second.
pub(super) fn combine_all(
    one: &[Item],
    two: &[Item],
    parameters: &MergeParameters,
) -> Result<Vec<Item>, NodeError> {
    let clash = &parameters.clash_handling;
    if one.len().saturating_mul(two.len()) > MAX_ITEMS {
        return Err(too_many());
    }
    let resolve =
        clash.resolve().map_err(|message| NodeError::parameter("clashHandling.resolve", message))?;
    let renamed =
        |items: &[Item], input| items.iter().map(|item| with_suffix(item, input)).collect::<Vec<_>>();
    Ok(match resolve {
        Resolve::Prefer(0) => each_with_each(two, one, clash),
        Resolve::AddSuffix => each_with_each(&renamed(one, 1), &renamed(two, 2), clash),
        _ => each_with_each(one, two, clash),
    })
}

fn each_with_each(outer: &[Item], inner: &[Item], clash: &super::ClashHandling) -> Vec<Item> {
    outer.iter().flat_map(|one| inner.iter().map(move |two| merge_items(&[one, two], clash))).collect()
}
