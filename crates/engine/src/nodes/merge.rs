//! Merge: brings the items of several branches together.

mod by_fields;
mod combine;
mod whole;

use std::sync::Arc;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::describe;
use crate::item::{Item, Origin, OriginItem};
use crate::node::{Call, Descriptor, Example, Group, NodeError, Outcome, Ports, Typed};

/// Fewest and most inputs.
const MIN_INPUTS: usize = 2;
const MAX_INPUTS: usize = 10;

/// Most items that a merge gives out: all combinations of two long lists would fill memory.
const MAX_ITEMS: usize = 1_000_000;

/// The node type `merge`.
pub struct Merge;

/// Parameters of [`Merge`].
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct MergeParameters {
    /// What is done with the items.
    mode: Mode,
    /// How many inputs there are, 2 to 10. Combining by matching fields and all combinations take two.
    number_inputs: usize,
    /// In `combine` mode, which items belong together.
    combine_by: CombineBy,
    /// For `matchingFields`, the fields that must be equal: text with commas, a list of names, or a list of
    /// `{"field1": ..., "field2": ...}` where the names differ.
    fields_to_match: FieldsToMatch,
    /// For `matchingFields`, which items go on.
    join_mode: JoinMode,
    /// For `keepMatches` and `keepNonMatches`, whose data goes on.
    output_data_from: DataFrom,
    /// For `matchingFields`, whether an item goes on with each of its matches or with the first.
    multiple_matches: MultipleMatches,
    /// For `matchingFields`, whether `1` and `"1"`, and null and an empty text, are equal.
    fuzzy_compare: bool,
    /// Whether `a.b` means `b` inside `a`; otherwise it is a field of that name.
    dot_notation: bool,
    /// For `position`, whether items without a partner go on too.
    include_unpaired: bool,
    /// What happens to fields that several items have.
    clash_handling: ClashHandling,
    /// In `chooseBranch` mode, whether the items of one input go on or a single empty item.
    output: BranchOutput,
    /// In `chooseBranch` mode, the number of the input whose items go on, from 1.
    use_data_of_input: usize,
}

impl Default for MergeParameters {
    fn default() -> Self {
        Self {
            mode: Mode::Append,
            number_inputs: MIN_INPUTS,
            combine_by: CombineBy::MatchingFields,
            fields_to_match: FieldsToMatch::Text(String::new()),
            join_mode: JoinMode::KeepMatches,
            output_data_from: DataFrom::Both,
            multiple_matches: MultipleMatches::All,
            fuzzy_compare: false,
            dot_notation: true,
            include_unpaired: false,
            clash_handling: ClashHandling::default(),
            output: BranchOutput::SpecifiedInput,
            use_data_of_input: 1,
        }
    }
}

/// What a merge does with the items.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
enum Mode {
    /// All items, those of the first input first.
    Append,
    /// Items that belong together become one.
    Combine,
    /// Waits for all inputs and gives out one of them.
    ChooseBranch,
}

/// Which items belong together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
enum CombineBy {
    /// Those whose fields are equal.
    MatchingFields,
    /// Those at the same place.
    Position,
    /// Each with each.
    All,
}

/// The fields that must be equal.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
enum FieldsToMatch {
    /// Names with commas.
    Text(String),
    /// A list.
    List(Vec<FieldMatch>),
}

/// Two fields that must be equal.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
enum FieldMatch {
    /// Of one name.
    Same(String),
    /// Of two names.
    Pair {
        /// The field in the items of input 1.
        field1: String,
        /// The field in the items of input 2.
        field2: String,
    },
}

/// Which items go on after matching.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
enum JoinMode {
    /// Items that match (inner join).
    KeepMatches,
    /// Items that match nothing.
    KeepNonMatches,
    /// Items that match, and the others too (outer join).
    KeepEverything,
    /// All of input 1, with what matches from input 2 (left join).
    EnrichInput1,
    /// All of input 2, with what matches from input 1 (right join).
    EnrichInput2,
}

/// Whose data goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
enum DataFrom {
    /// Both.
    Both,
    /// That of input 1.
    Input1,
    /// That of input 2.
    Input2,
}

/// What happens to an item with several matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
enum MultipleMatches {
    /// It goes on with each of them.
    All,
    /// It goes on with the first.
    First,
}

/// What a chosen branch gives out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
enum BranchOutput {
    /// The items of one input.
    SpecifiedInput,
    /// A single empty item.
    Empty,
}

/// What happens to fields that several items have.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct ClashHandling {
    /// Which value wins: `preferInput1`, `preferInput2`, ... or `preferLast`; with `addSuffix` every field gets the
    /// number of its input behind its name. The last input wins when missing.
    resolve: Option<String>,
    /// Whether objects inside are merged too, or replaced as a whole.
    merge_mode: MergeDepth,
    /// Whether an empty value (null, or an empty text) never replaces another.
    override_empty: bool,
}

/// How far down objects are merged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
enum MergeDepth {
    /// All the way.
    #[default]
    #[serde(alias = "deepMerge")]
    Deep,
    /// At the top only.
    #[serde(alias = "shallowMerge")]
    Shallow,
}

/// What [`ClashHandling::resolve`] says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Resolve {
    /// Nothing.
    Default,
    /// The last input wins.
    PreferLast,
    /// This input wins, from 0.
    Prefer(usize),
    /// Fields are renamed.
    AddSuffix,
}

impl ClashHandling {
    fn resolve(&self) -> Result<Resolve, String> {
        match self.resolve.as_deref() {
            None | Some("") => Ok(Resolve::Default),
            Some("preferLast") => Ok(Resolve::PreferLast),
            Some("addSuffix") => Ok(Resolve::AddSuffix),
            Some(word) => word
                .strip_prefix("preferInput")
                .and_then(|number| number.parse::<usize>().ok())
                .filter(|number| (1..=MAX_INPUTS).contains(number))
                .map(|number| Resolve::Prefer(number - 1))
                .ok_or_else(|| {
                    format!("{word:?} is not preferInput1, preferInput2, ..., preferLast or addSuffix")
                }),
        }
    }
}

impl MergeParameters {
    /// The pairs of fields that must be equal.
    fn matches(&self) -> Result<Vec<(String, String)>, String> {
        let pairs: Vec<(String, String)> = match &self.fields_to_match {
            FieldsToMatch::Text(text) => {
                text.split(',').map(|name| (name.trim().to_owned(), name.trim().to_owned())).collect()
            }
            FieldsToMatch::List(list) => list
                .iter()
                .map(|field| match field {
                    FieldMatch::Same(name) => (name.trim().to_owned(), name.trim().to_owned()),
                    FieldMatch::Pair { field1, field2 } => {
                        (field1.trim().to_owned(), field2.trim().to_owned())
                    }
                })
                .collect(),
        };
        let is_empty = |(one, two): &(String, String)| one.is_empty() || two.is_empty();
        if pairs.is_empty() || pairs.iter().all(|(one, two)| one.is_empty() && two.is_empty()) {
            return Err("You need to define at least one pair of fields in \"Fields to Match\" to match on"
                .to_owned());
        }
        match pairs.iter().position(is_empty) {
            None => Ok(pairs),
            Some(index) => {
                let (one, two) = &pairs[index];
                Err(format!("both fields of pair {} are needed; they are '{one}' and '{two}'", index + 1))
            }
        }
    }

    fn problems(&self) -> Vec<(String, String)> {
        let mut problems = Vec::new();
        let mut wrong = |field: &str, message: String| problems.push((field.to_owned(), message));
        if !(MIN_INPUTS..=MAX_INPUTS).contains(&self.number_inputs) {
            wrong("numberInputs", format!("must be between {MIN_INPUTS} and {MAX_INPUTS}"));
        }
        if self.mode == Mode::Combine {
            if self.combine_by == CombineBy::MatchingFields
                && let Err(message) = self.matches()
            {
                wrong("fieldsToMatch", message);
            }
            match self.clash_handling.resolve() {
                Err(message) => wrong("clashHandling.resolve", message),
                Ok(Resolve::Prefer(input)) if input >= self.input_count() => {
                    wrong("clashHandling.resolve", format!("there is no input {}", input + 1));
                }
                Ok(_) => {}
            }
        }
        let chooses = self.mode == Mode::ChooseBranch && self.output == BranchOutput::SpecifiedInput;
        if chooses && !(1..=self.number_inputs).contains(&self.use_data_of_input) {
            wrong("useDataOfInput", format!("there is no input {}", self.use_data_of_input));
        }
        problems
    }

    const fn input_count(&self) -> usize {
        match (self.mode, self.combine_by) {
            (Mode::Combine, CombineBy::MatchingFields | CombineBy::All) => MIN_INPUTS,
            _ => self.number_inputs,
        }
    }
}

#[async_trait]
impl Typed for Merge {
    type Parameters = MergeParameters;

    fn descriptor(&self) -> Descriptor {
        Descriptor {
            inputs: describe::ports(&["input1", "input2"]),
            example: Example {
                title: "All items, one branch after the other (here one branch has come)",
                fields: json!({ "mode": "append" }),
                input: json!([{ "a": 1 }, { "a": 2 }]),
                output: json!([[{ "a": 1 }, { "a": 2 }]]),
            },
            ..describe::node(
                Group::Flow,
                "merge",
                "Merge",
                "Brings the items of several branches together: one after the other, joined by equal fields, by position \
                 or in all combinations; or waits for all branches and goes on with one.",
            )
        }
    }

    fn inputs(&self, fields: &Value) -> Option<Ports> {
        let text = |name: &str| fields.get(name).and_then(Value::as_str);
        let takes_two = text("mode") == Some("combine") && text("combineBy") != Some("position");
        let wanted =
            fields.get("numberInputs").and_then(Value::as_u64).and_then(|count| usize::try_from(count).ok());
        let count =
            if takes_two { MIN_INPUTS } else { wanted.unwrap_or(MIN_INPUTS).clamp(MIN_INPUTS, MAX_INPUTS) };
        Some((1..=count).map(|number| format!("input{number}").into()).collect())
    }

    fn check(&self, parameters: &MergeParameters) -> Vec<(String, String)> {
        parameters.problems()
    }

    async fn run(&self, call: Call<'_>) -> Result<Outcome, NodeError> {
        // Without items on the first input the parameters were still resolved once.
        let parameters: MergeParameters = call.parameters(0)?;
        if let Some((field, message)) = parameters.problems().into_iter().next() {
            return Err(NodeError::parameter(&field, message));
        }
        let inputs: Vec<Vec<Item>> =
            (0..parameters.input_count()).map(|input| arrived(&call, input)).collect();
        let items = match (parameters.mode, parameters.combine_by) {
            (Mode::Append, _) => inputs.into_iter().flatten().collect(),
            (Mode::ChooseBranch, _) => whole::choose_branch(inputs, &parameters),
            (Mode::Combine, CombineBy::MatchingFields) => {
                by_fields::combine(&inputs[0], &inputs[1], &parameters)?
            }
            (Mode::Combine, CombineBy::Position) => whole::combine_by_position(&inputs, &parameters)?,
            (Mode::Combine, CombineBy::All) => whole::combine_all(&inputs[0], &inputs[1], &parameters)?,
        };
        Ok(Outcome::outputs(vec![Arc::new(items)]))
    }
}

/// The items of an input, each with itself as its origin.
fn arrived(call: &Call<'_>, input: usize) -> Vec<Item> {
    let mark = |(item, value): (usize, &Item)| Item {
        paired_item: Origin::One(OriginItem { item, input }),
        ..value.clone()
    };
    call.input(input).iter().enumerate().map(mark).collect()
}

/// The same origins as both items have.
fn origins<'a>(items: impl IntoIterator<Item = &'a Item>) -> Origin {
    let mut all: Vec<OriginItem> = Vec::new();
    for origin in items.into_iter().flat_map(|item| item.paired_item.items()) {
        if !all.contains(&origin) {
            all.push(origin);
        }
    }
    Origin::Many(all)
}

fn too_many() -> NodeError {
    NodeError::fatal("too_many_items", format!("the merge would give out more than {MAX_ITEMS} items"))
}

#[cfg(test)]
mod tests;
