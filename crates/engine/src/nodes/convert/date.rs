//! Reading dates as people and programs write them.

use chrono::format::{Parsed, StrftimeItems, parse as parse_items};
use chrono::{DateTime, LocalResult, NaiveDate, NaiveDateTime, NaiveTime, TimeZone, Utc};
use chrono_tz::Tz;

/// Forms with an offset.
const WITH_OFFSET: [&str; 8] = [
    "%Y-%m-%dT%H:%M:%S%.f%#z",
    "%Y-%m-%dT%H:%M%#z",
    "%Y-%m-%d %H:%M:%S%.f%#z",
    "%Y-%m-%d %H:%M:%S%.f %#z",
    "%Y%m%dT%H%M%S%.f%#z",
    "%a %b %d %Y %H:%M:%S GMT%#z",
    "%a %b %d %H:%M:%S %#z %Y",
    "%d %b %Y %H:%M:%S %#z",
];

/// Forms with a time and no offset.
const WITH_TIME: [&str; 13] = [
    "%Y-%m-%dT%H:%M:%S%.f",
    "%Y-%m-%dT%H:%M",
    "%Y-%m-%d %H:%M:%S%.f",
    "%Y-%m-%d %H:%M",
    "%Y%m%dT%H%M%S",
    "%Y/%m/%d %H:%M:%S",
    "%Y/%m/%d %H:%M",
    "%m/%d/%Y %H:%M:%S",
    "%m/%d/%Y %H:%M",
    "%m/%d/%Y, %I:%M:%S %p",
    "%B %d, %Y %H:%M:%S",
    "%d %B %Y %H:%M:%S",
    "%d-%B-%Y %H:%M:%S",
];

/// Forms of a day.
const DAY: [&str; 11] = [
    "%Y-%m-%d",
    "%Y%m%d",
    "%G-W%V-%u",
    "%Y-%j",
    "%Y/%m/%d",
    "%m/%d/%Y",
    "%B %d, %Y",
    "%B %d %Y",
    "%d %B %Y",
    "%d-%B-%Y",
    "%a %b %d %Y",
];

/// Reads a moment; what names no zone is in `zone`.
pub(super) fn parse(text: &str, zone: Tz) -> Option<DateTime<Utc>> {
    if text.len() > 100 {
        return None;
    }
    // JavaScript appends the zone's name: "Tue Mar 01 2022 10:00:00 GMT+0100 (CET)".
    let text = text.split_once(" (").map_or(text, |(front, _)| front);
    if let Ok(moment) = DateTime::parse_from_rfc3339(text) {
        return Some(moment.to_utc());
    }
    if let Ok(moment) = DateTime::parse_from_rfc2822(text) {
        return Some(moment.to_utc());
    }
    if let Some(moment) = with_offset(text) {
        return Some(moment);
    }
    // "Wed, 17 May 2023 10:52:32": the day of the week tells nothing that the date does not.
    let text = match text.split_once(", ") {
        Some((word, rest)) if word.chars().all(char::is_alphabetic) => rest,
        _ => text,
    };
    let local = WITH_TIME
        .iter()
        .find_map(|form| NaiveDateTime::parse_from_str(text, form).ok())
        .or_else(|| day(text).map(|day| day.and_time(NaiveTime::MIN)))?;
    in_zone(local, zone)
}

fn with_offset(text: &str) -> Option<DateTime<Utc>> {
    // `%z` reads no "Z" after a form that RFC 3339 has not, such as minutes only.
    let text =
        text.strip_suffix(['Z', 'z']).map_or_else(|| text.to_owned(), |front| format!("{front}+00:00"));
    WITH_OFFSET.iter().find_map(|form| {
        let mut parsed = Parsed::new();
        parse_items(&mut parsed, &text, StrftimeItems::new(form)).ok()?;
        if parsed.second().is_none() {
            parsed.set_second(0).ok()?;
        }
        parsed.to_datetime().ok().map(|moment| moment.to_utc())
    })
}

fn day(text: &str) -> Option<NaiveDate> {
    let is_digits =
        |text: &str, length| text.len() == length && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_digits(text, 4) {
        return NaiveDate::from_ymd_opt(text.parse().ok()?, 1, 1);
    }
    if let Some((year, month)) = text.split_once('-')
        && is_digits(year, 4)
        && is_digits(month, 2)
    {
        return NaiveDate::from_ymd_opt(year.parse().ok()?, month.parse().ok()?, 1);
    }
    // "%Y%m%d" would take "12345" for a date in the year 1234.
    let takes = |form: &str| form != "%Y%m%d" || is_digits(text, 8);
    DAY.iter().filter(|form| takes(form)).find_map(|form| NaiveDate::parse_from_str(text, form).ok())
}

/// A local time as a moment: the earlier of two in an autumn overlap, the one right after a spring gap.
fn in_zone(local: NaiveDateTime, zone: Tz) -> Option<DateTime<Utc>> {
    match zone.from_local_datetime(&local) {
        LocalResult::Single(moment) | LocalResult::Ambiguous(moment, _) => Some(moment.to_utc()),
        LocalResult::None => {
            let before = zone.from_local_datetime(&(local - chrono::TimeDelta::hours(3))).earliest()?;
            Some(before.to_utc() + chrono::TimeDelta::hours(3))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn dates_are_read_in_many_forms() {
        let zone = chrono_tz::America::New_York;
        for (text, expected) in [
            ("2024-03-01T10:00:00Z", Some("2024-03-01T10:00:00Z")),
            ("2024-03-01T10:00:00.250+01:00", Some("2024-03-01T09:00:00.250Z")),
            ("2024-03-01T10:00+01:00", Some("2024-03-01T09:00:00Z")),
            ("2024-03-01T10:00Z", Some("2024-03-01T10:00:00Z")),
            ("2024-03-01T10:00:00+0100", Some("2024-03-01T09:00:00Z")),
            ("2024-03-01T10:00:00", Some("2024-03-01T15:00:00Z")),
            ("2024-03-01 10:00:00", Some("2024-03-01T15:00:00Z")),
            ("2024-03-01", Some("2024-03-01T05:00:00Z")),
            ("20240301", Some("2024-03-01T05:00:00Z")),
            ("2024-03", Some("2024-03-01T05:00:00Z")),
            ("2024", Some("2024-01-01T05:00:00Z")),
            ("2024-W09-5", Some("2024-03-01T05:00:00Z")),
            ("2024-061", Some("2024-03-01T05:00:00Z")),
            ("Fri, 01 Mar 2024 10:00:00 GMT", Some("2024-03-01T10:00:00Z")),
            (
                "Fri Mar 01 2024 10:00:00 GMT+0100 (Central European Standard Time)",
                Some("2024-03-01T09:00:00Z"),
            ),
            ("03/01/2024", Some("2024-03-01T05:00:00Z")),
            ("March 1, 2024", Some("2024-03-01T05:00:00Z")),
            ("Mar 1, 2024", Some("2024-03-01T05:00:00Z")),
            ("1-Mar-2024", Some("2024-03-01T05:00:00Z")),
            ("Fri, 01 Mar 2024 10:00:00", Some("2024-03-01T15:00:00Z")),
            // 02:30 does not exist on that day; 03:30 local does.
            ("2024-03-10T02:30:00", Some("2024-03-10T07:30:00Z")),
            ("2024-13-01", None),
            ("tomorrow", None),
            ("12345", None),
            ("", None),
        ] {
            let expected = expected.map(|text| text.parse::<DateTime<Utc>>().unwrap());
            assert_eq!(parse(text, zone), expected, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_a_date_or_not(text in ".{0,40}") {
            let _ = parse(&text, chrono_tz::Europe::Berlin);
        }

        #[test]
        fn every_moment_is_read_back(seconds in -30_000_000_000i64..60_000_000_000) {
            let moment = DateTime::from_timestamp(seconds, 0).unwrap();
            prop_assert_eq!(parse(&moment.to_rfc3339(), Tz::UTC), Some(moment));
        }
    }
}
