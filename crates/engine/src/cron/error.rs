//! What can be wrong with a schedule's text, said so that its author can put it right.

use super::field::Field;

/// Why an expression or a time zone was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The text is longer than any sensible expression.
    #[error("the cron expression is {length} bytes long; at most {max} are allowed")]
    TooLong {
        /// How long it is, in bytes.
        length: usize,
        /// How long it may be.
        max: usize,
    },
    /// Neither five nor six fields.
    #[error(
        "the cron expression `{text}` has {found} field{}; expected five (minute hour day-of-month month \
         day-of-week), six with a leading second, or a nickname such as @daily", if *.found == 1 { "" } else { "s" }
    )]
    FieldCount {
        /// The expression.
        text: String,
        /// How many fields it has.
        found: usize,
    },
    /// An `@word` that is not known.
    #[error("`{text}` is not known; the nicknames are {allowed}")]
    UnknownNickname {
        /// The word.
        text: String,
        /// All known words.
        allowed: &'static str,
    },
    /// A part of a field cannot be read.
    #[error("{field} field: `{text}` {problem}; allowed: {}", .field.allowed())]
    Field {
        /// The field.
        field: Field,
        /// The offending part of it.
        text: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// The parser behind ours refused what ours had accepted: not the author's fault.
    #[error("the cron expression, read as `{text}`, was refused: {reason}")]
    Unreadable {
        /// The expression as it was handed on.
        text: String,
        /// What the parser said.
        reason: String,
    },
    /// Every field is fine, but the calendar has no such day.
    #[error("no date ever matches: month `{months}` has no day `{days}`")]
    ImpossibleDate {
        /// The text of the day-of-month field.
        days: String,
        /// The text of the month field.
        months: String,
    },
    /// No such time zone.
    #[error(
        "`{text}` is not an IANA time zone such as Europe/Berlin or UTC{}",
        .suggestion.map(|name| format!("; did you mean {name}?")).unwrap_or_default()
    )]
    UnknownTimezone {
        /// The name given.
        text: String,
        /// The known name that is nearest to it, if one is near.
        suggestion: Option<&'static str>,
    },
}
