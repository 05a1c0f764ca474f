//! Time zones by name.

use chrono_tz::Tz;
use engine::cron::parse_timezone;

#[test]
fn a_name_is_read_in_any_case() {
    let table = [
        ("Europe/Berlin", Tz::Europe__Berlin),
        (" europe/berlin ", Tz::Europe__Berlin),
        ("utc", Tz::UTC),
        ("America/Argentina/Buenos_Aires", Tz::America__Argentina__Buenos_Aires),
    ];
    for (text, tz) in table {
        assert_eq!(parse_timezone(text), Ok(tz));
    }
}

#[test]
fn a_wrong_name_is_refused_with_the_nearest_right_one() {
    let table = [
        ("Europe/Berln", "; did you mean Europe/Berlin?"),
        ("Berlin", "; did you mean Europe/Berlin?"),
        ("new york", "; did you mean America/New_York?"),
        ("America/New York", "; did you mean America/New_York?"),
        ("Asia/Kolkatta", "; did you mean Asia/Kolkata?"),
        ("Mars/Olympus_Mons", ""),
        ("+02:00", ""),
        ("", ""),
    ];
    for (text, suggestion) in table {
        let error = parse_timezone(text).unwrap_err();
        let expected = format!("`{text}` is not an IANA time zone such as Europe/Berlin or UTC{suggestion}");
        assert_eq!(error.to_string(), expected);
    }
}

#[test]
fn a_very_long_name_is_refused_and_cut_in_the_message() {
    let error = parse_timezone(&"x".repeat(1_000_000)).unwrap_err();
    assert!(error.to_string().len() < 200);
}
