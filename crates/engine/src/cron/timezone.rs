//! Time zones by name.

use chrono_tz::{TZ_VARIANTS, Tz};

use super::Error;

/// A suggestion may differ from what was written by this many letters.
const MAX_EDITS: usize = 2;

/// The longest name that is worth a search for similar ones; the longest zone name has 32 letters.
const MAX_SUGGESTED_LENGTH: usize = 40;

/// Reads the name of an IANA time zone, in any case; `Tz::name` gives the proper spelling.
///
/// # Errors
///
/// [`Error::UnknownTimezone`], with the nearest known name when one is near: a misspelling, a space for
/// an underscore, or a city without its continent.
pub fn parse_timezone(text: &str) -> Result<Tz, Error> {
    let name = text.trim();
    if let Ok(tz) = name.parse() {
        return Ok(tz);
    }
    if let Some(tz) = TZ_VARIANTS.iter().find(|tz| tz.name().eq_ignore_ascii_case(name)) {
        return Ok(*tz);
    }
    Err(Error::UnknownTimezone {
        text: name.chars().take(MAX_SUGGESTED_LENGTH * 2).collect(),
        suggestion: suggest(name),
    })
}

fn suggest(name: &str) -> Option<&'static str> {
    if name.is_empty() || name.len() > MAX_SUGGESTED_LENGTH {
        return None;
    }
    let wanted = name.to_ascii_lowercase().replace(' ', "_");
    let nearest = TZ_VARIANTS.iter().map(|tz| (edits_to_zone(&wanted, tz.name()), tz.name())).min()?;
    // Three edits make "EST" out of anything of three letters.
    let allowed = MAX_EDITS.min(wanted.len() / 3);
    (nearest.0 <= allowed).then_some(nearest.1)
}

/// The distance to the zone's full name or to its last part, whichever is less.
fn edits_to_zone(wanted: &str, zone: &str) -> usize {
    let zone = zone.to_ascii_lowercase();
    let city = zone.rsplit('/').next().unwrap_or(&zone);
    edit_distance(wanted, &zone).min(edit_distance(wanted, city))
}

/// Levenshtein's distance, in bytes.
fn edit_distance(from: &str, to: &str) -> usize {
    let mut distances: Vec<usize> = (0..=to.len()).collect();
    for (row, from_byte) in from.bytes().enumerate() {
        let mut diagonal = row;
        let mut left = row + 1;
        for (to_byte, above) in to.bytes().zip(distances.iter_mut().skip(1)) {
            let substituted = diagonal + usize::from(from_byte != to_byte);
            diagonal = *above;
            left = substituted.min(diagonal + 1).min(left + 1);
            *above = left;
        }
        if let Some(first) = distances.first_mut() {
            *first = row + 1;
        }
    }
    distances.last().copied().unwrap_or(0)
}
