//! Cron: when a schedule is due.
//!
//! [`CronExpression::parse`] reads what people write in a crontab, and
//! [`CronExpression::next_after`] says when that comes next in a time zone. Both are pure: the
//! present is an argument, so a schedule's future can be previewed, replayed and tested.
//!
//! # What is read
//!
//! Five fields, `minute hour day-of-month month day-of-week`, or six with `second` in front.
//! Each is a comma-separated list of `*`, a value, a range `a-b`, with a step if wanted: `*/n`,
//! `a-b/n`, and `a/n` for "from `a` to the end". Months and weekdays have names in any case; 0 and 7
//! are both Sunday. A range may wrap: `FRI-MON`, `22-2`. `?` is `*` in the two day fields, `L` is the
//! last day of the month, and `@yearly @annually @monthly @weekly @daily @midnight @hourly` stand for
//! the usual expressions. A step longer than its range leaves the first value, as in other crons.
//!
//! # Which days match
//!
//! As in Vixie's and Debian's cron: when day-of-month and day-of-week are both restricted, a day
//! matches if *either* does. A field that begins with `*` counts as unrestricted for this rule even
//! with a step, so `0 0 */2 * MON` means Mondays on odd days, not odd days and Mondays.
//!
//! # Daylight saving
//!
//! Also Debian's rules. A *fixed-time* job, none of whose time fields begins with `*`, runs once for
//! each time on the wall clock: a time that the clock skips is made up for at the first instant
//! after the gap (once, however many times fell into it), and a time that comes twice counts the first
//! time. A *wildcard* job, such as `*/5 * * * *` or `0 * * * *`, follows real time: it runs whenever
//! the clock shows a matching time, twice in an overlap and not at all in a gap.
//!
//! # Why not the `cron` crate alone
//!
//! Its parser gives us the fields' sets, after translation to its own numbering. Its evaluator skips
//! fixed times in gaps, doubles them in overlaps, and wants both day fields to match, so matching and
//! searching are done here, on bit sets and without allocating.

mod calendar;
mod describe;
mod error;
mod expression;
mod field;
mod jitter;
mod search;
mod timezone;

pub use error::Error;
pub use expression::{CronExpression, Upcoming};
pub use field::Field;
pub use jitter::jitter_ms;
pub use timezone::parse_timezone;
