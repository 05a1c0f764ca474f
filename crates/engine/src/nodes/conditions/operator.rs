//! Operators: a type and an operation on it.

use schemars::JsonSchema;
use serde::Deserialize;

/// What is asked of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Operator {
    /// The type that both values are taken for.
    #[serde(rename = "type")]
    pub value_type: ValueType,
    /// The question.
    pub operation: Operation,
    /// The type of the right value, where an editor writes it down; it follows from the operation.
    #[serde(default)]
    pub right_type: Option<ValueType>,
    /// Whether there is no right value, where an editor writes it down; it follows from the operation.
    #[serde(default)]
    pub single_value: Option<bool>,
}

/// The type of a value in a condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum ValueType {
    /// Text.
    String,
    /// A number.
    Number,
    /// A moment.
    DateTime,
    /// True or false.
    Boolean,
    /// A list.
    Array,
    /// An object.
    Object,
    /// Whatever it is.
    Any,
}

/// A question to a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Operation {
    /// It is there and not null.
    Exists,
    /// It is missing or null.
    NotExists,
    /// It is missing, or has nothing in it.
    Empty,
    /// It has something in it.
    NotEmpty,
    /// They are the same.
    Equals,
    /// They differ.
    NotEquals,
    /// Text: the right one is a part of it. List: the right one is an element of it.
    Contains,
    /// The opposite of `contains`.
    NotContains,
    /// It begins with the right one.
    StartsWith,
    /// The opposite of `startsWith`.
    NotStartsWith,
    /// It ends with the right one.
    EndsWith,
    /// The opposite of `endsWith`.
    NotEndsWith,
    /// It matches the regular expression, written as `text` or as `/text/flags`.
    Regex,
    /// The opposite of `regex`.
    NotRegex,
    /// It is greater.
    Gt,
    /// It is less.
    Lt,
    /// It is greater or equal.
    Gte,
    /// It is less or equal.
    Lte,
    /// It is later.
    After,
    /// It is earlier.
    Before,
    /// It is later or the same.
    AfterOrEquals,
    /// It is earlier or the same.
    BeforeOrEquals,
    /// It is true.
    True,
    /// It is false.
    False,
    /// The list has this many elements.
    LengthEquals,
    /// The list has another number of elements.
    LengthNotEquals,
    /// The list has more elements.
    LengthGt,
    /// The list has fewer elements.
    LengthLt,
    /// The list has this many elements or more.
    LengthGte,
    /// The list has this many elements or fewer.
    LengthLte,
}

impl Operator {
    /// An operator that an editor would write without its redundant parts.
    #[must_use]
    pub const fn new(value_type: ValueType, operation: Operation) -> Self {
        Self { value_type, operation, right_type: None, single_value: None }
    }

    /// Whether the type has the operation.
    ///
    /// # Errors
    /// A message that names both.
    pub fn check(self) -> Result<(), String> {
        use Operation as O;
        let every = matches!(self.operation, O::Exists | O::NotExists);
        let emptiness = matches!(self.operation, O::Empty | O::NotEmpty);
        let equality = matches!(self.operation, O::Equals | O::NotEquals);
        let is_known = every
            || match self.value_type {
                ValueType::String => {
                    emptiness
                        || equality
                        || self.is_pattern()
                        || matches!(
                            self.operation,
                            O::Contains
                                | O::NotContains
                                | O::StartsWith
                                | O::NotStartsWith
                                | O::EndsWith
                                | O::NotEndsWith
                        )
                }
                ValueType::Number => {
                    emptiness || equality || matches!(self.operation, O::Gt | O::Lt | O::Gte | O::Lte)
                }
                ValueType::DateTime => {
                    emptiness
                        || equality
                        || matches!(
                            self.operation,
                            O::After | O::Before | O::AfterOrEquals | O::BeforeOrEquals
                        )
                }
                ValueType::Boolean => emptiness || equality || matches!(self.operation, O::True | O::False),
                ValueType::Array => {
                    emptiness || self.is_length() || matches!(self.operation, O::Contains | O::NotContains)
                }
                ValueType::Object => emptiness,
                ValueType::Any => false,
            };
        is_known.then_some(()).ok_or_else(|| {
            format!("a value of type {:?} has no operation {:?}", self.value_type, self.operation)
        })
    }

    pub(super) const fn is_pattern(self) -> bool {
        matches!(self.operation, Operation::Regex | Operation::NotRegex)
    }

    pub(super) const fn is_length(self) -> bool {
        use Operation as O;
        matches!(
            self.operation,
            O::LengthEquals | O::LengthNotEquals | O::LengthGt | O::LengthLt | O::LengthGte | O::LengthLte
        )
    }

    /// Whether the right value is looked at.
    pub(super) const fn has_right(self) -> bool {
        use Operation as O;
        !matches!(self.operation, O::Exists | O::NotExists | O::Empty | O::NotEmpty | O::True | O::False)
    }

    /// The type of the right value.
    pub(super) const fn right_value_type(self) -> ValueType {
        match self.value_type {
            ValueType::Array if self.is_length() => ValueType::Number,
            ValueType::Array => ValueType::Any,
            same => same,
        }
    }
}

impl ValueType {
    /// The type in a message, with its article.
    pub(super) const fn with_article(self) -> &'static str {
        match self {
            Self::String => "a string",
            Self::Number => "a number",
            Self::DateTime => "a dateTime",
            Self::Boolean => "a boolean",
            Self::Array => "an array",
            Self::Object => "an object",
            Self::Any => "a value",
        }
    }
}
