//! What can be written, and that it means the same as its longhand.

use chrono_tz::Tz;
use engine::cron::CronExpression;

use super::{cron, upcoming, utc};

#[test]
fn shorthand_means_its_longhand() {
    let table = [
        ("@yearly", "0 0 1 1 *"),
        ("@annually", "0 0 1 1 *"),
        ("@monthly", "0 0 1 * *"),
        ("@weekly", "0 0 * * 0"),
        ("@daily", "0 0 * * *"),
        ("@Midnight", "0 0 * * *"),
        ("@hourly", "0 * * * *"),
        ("0 0 * * 7", "0 0 * * 0"),
        ("0 0 * * sun", "0 0 * * 0"),
        ("0 0 * * Sunday", "0 0 * * 0"),
        ("0 0 * * FRI-MON", "0 0 * * 0,1,5,6"),
        ("0 0 * * fri-sun", "0 0 * * 5,6,0"),
        ("0 0 * * 5-7", "0 0 * * 5,6,0"),
        ("0 0 * * 0-7", "0 0 * * 0-6"),
        ("0 0 * * 7-2", "0 0 * * 0,1,2"),
        ("0 0 * * SUN-TUE", "0 0 * * 0,1,2"),
        ("0 0 * * 1/2", "0 0 * * 1,3,5,0"),
        ("0 0 * * FRI-MON/2", "0 0 * * 5,0"),
        ("0 0 * jan,JUL *", "0 0 * 1,7 *"),
        ("0 0 * Nov-feb *", "0 0 * 1,2,11,12 *"),
        ("0 0 * 2/3 *", "0 0 * 2,5,8,11 *"),
        ("0 22-2 * * *", "0 0,1,2,22,23 * * *"),
        ("0 22-2/2 * * *", "0 22,0,2 * * *"),
        ("5/20 * * * *", "5,25,45 * * * *"),
        ("10-30/10 * * * *", "10,20,30 * * * *"),
        ("50-5/5 * * * *", "50,55,0,5 * * * *"),
        ("*/45 * * * *", "0,45 * * * *"),
        ("*/90 0 1 1 *", "0 0 1 1 *"),
        ("0 */30 * * *", "0 0 * * *"),
        ("0 0 ? * 1", "0 0 * * 1"),
        ("0 0 1 * ?", "0 0 1 * *"),
        ("0 0 28-2 * *", "0 0 1,2,28,29,30,31 * *"),
        ("05 07 01 * *", "5 7 1 * *"),
        ("0 30 9 * * *", "30 9 * * *"),
        ("  0\t0  * * *\n", "0 0 * * *"),
        ("1,1,1-1 0 * * *", "1 0 * * *"),
    ];
    for (shorthand, longhand) in table {
        let after = "2026-01-30T17:00:00Z";
        assert_eq!(
            upcoming(shorthand, Tz::UTC, after, 40),
            upcoming(longhand, Tz::UTC, after, 40),
            "{shorthand}"
        );
    }
}

#[test]
fn seconds_are_an_optional_first_field() {
    assert_eq!(
        upcoming("*/20 59 23 * * *", Tz::UTC, "2026-05-01T23:59:10Z", 4),
        [
            "2026-05-01 23:59:20 +00:00",
            "2026-05-01 23:59:40 +00:00",
            "2026-05-02 23:59:00 +00:00",
            "2026-05-02 23:59:20 +00:00",
        ]
    );
}

#[test]
fn the_text_is_kept_and_shown_as_it_was_written() {
    for text in ["@daily", "*/5  9-17 * * MON-FRI", "0 0 L * *"] {
        let expression = cron(text);
        assert_eq!(expression.to_string(), text);
        assert_eq!(expression.as_str(), text);
        assert_eq!(cron(&expression.to_string()), expression);
    }
    assert_eq!(cron("  @daily ").as_str(), "@daily");
}

#[test]
fn it_is_a_string_in_json() {
    let json = serde_json::to_string(&cron("*/5 * * * *")).unwrap();
    assert_eq!(json, r#""*/5 * * * *""#);
    assert_eq!(serde_json::from_str::<CronExpression>(&json).unwrap(), cron("*/5 * * * *"));
    let error = serde_json::from_str::<CronExpression>(r#""61 * * * *""#).unwrap_err();
    assert!(error.to_string().starts_with("minute field: `61` is out of range"), "{error}");
}

#[test]
fn all_values_of_all_fields_written_out_are_not_too_long() {
    let all = |last: u32| (0..=last).map(|value| value.to_string()).collect::<Vec<_>>().join(",");
    let days = all(31).replacen("0,", "", 1);
    let months = all(12).replacen("0,", "", 1);
    let text = format!("{} {} {} {days} {months} {}", all(59), all(59), all(23), all(7));
    let after = utc("2026-01-01T00:00:00Z");
    assert_eq!(cron(&text).next_after(after, Tz::UTC), Some(utc("2026-01-01T00:00:01Z")));
}
