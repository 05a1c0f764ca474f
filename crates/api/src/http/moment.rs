//! Moments that a request names.

use chrono::{DateTime, Datelike as _, Utc};

use crate::problem::Problem;

/// Refuses a moment that no clock will show. The ends of what a program can count are further away, but not the same
/// for us and for the databases, and next to them no time can be added or subtracted.
///
/// # Errors
/// Names the field.
pub fn check_moment(field: &str, moment: Option<DateTime<Utc>>) -> Result<(), Problem> {
    match moment {
        Some(moment) if !(1..=9_999).contains(&moment.year()) => {
            Err(Problem::field(field, "is not within the years 1 to 9999"))
        }
        _ => Ok(()),
    }
}
