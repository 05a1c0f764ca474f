//! What is refused, and that the error names the field, the offending part and what is allowed.

use engine::cron::{CronExpression, Error, Field};

fn refusal(text: &str) -> Error {
    match CronExpression::parse(text) {
        Ok(expression) => panic!("`{text}` was read as {expression}"),
        Err(error) => error,
    }
}

#[test]
fn an_error_names_the_field_and_the_offending_part() {
    let table = [
        ("60 * * * *", Field::Minute, "60", "is out of range"),
        ("* 24 * * *", Field::Hour, "24", "is out of range"),
        ("* * 0 * *", Field::DayOfMonth, "0", "is out of range"),
        ("* * 32 * *", Field::DayOfMonth, "32", "is out of range"),
        ("* * * 13 *", Field::Month, "13", "is out of range"),
        ("* * * 0 *", Field::Month, "0", "is out of range"),
        ("* * * * 8", Field::DayOfWeek, "8", "is out of range"),
        ("60 * * * * *", Field::Second, "60", "is out of range"),
        ("1,2,77 * * * *", Field::Minute, "77", "is out of range"),
        ("* 9-25 * * *", Field::Hour, "9-25", "is out of range"),
        ("*/0 * * * *", Field::Minute, "*/0", "has a step of zero"),
        ("*/x * * * *", Field::Minute, "*/x", "has a step that is not a number"),
        ("*/ * * * *", Field::Minute, "*/", "has a step that is not a number"),
        ("1/2/3 * * * *", Field::Minute, "1/2/3", "has a step that is not a number"),
        ("*/99999999999 * * * *", Field::Minute, "*/99999999999", "has a step that is not a number"),
        ("1,,2 * * * *", Field::Minute, "1,,2", "has an empty part"),
        (", * * * *", Field::Minute, ",", "has an empty part"),
        ("-5 * * * *", Field::Minute, "-5", "is not understood"),
        ("5- * * * *", Field::Minute, "5-", "is not understood"),
        ("1-2-3 * * * *", Field::Minute, "1-2-3", "is not understood"),
        ("+5 * * * *", Field::Minute, "+5", "is not understood"),
        ("** * * * *", Field::Minute, "**", "is not understood"),
        ("? * * * *", Field::Minute, "?", "may not use ? here"),
        ("* * ?/2 * *", Field::DayOfMonth, "?/2", "may not use ? here"),
        ("* * * * MONN", Field::DayOfWeek, "MONN", "is not understood"),
        ("* * * JAN-XYZ *", Field::Month, "JAN-XYZ", "is not understood"),
        ("* * * MON *", Field::Month, "MON", "is not understood"),
        ("* * LW * *", Field::DayOfMonth, "LW", "is not understood"),
        ("* * 15W * *", Field::DayOfMonth, "15W", "is not understood"),
        ("* * * * 5L", Field::DayOfWeek, "5L", "is not understood"),
        ("* * * * MON#2", Field::DayOfWeek, "MON#2", "is not understood"),
        ("L * * * *", Field::Minute, "L", "is not understood"),
        ("* * * * é", Field::DayOfWeek, "é", "is not understood"),
    ];
    for (text, field, part, problem) in table {
        let expected = Error::Field { field, text: part.to_owned(), problem };
        assert_eq!(refusal(text), expected, "{text}");
    }
}

#[test]
fn messages_say_what_is_allowed() {
    let table = [
        (
            "* * * * 8",
            "day-of-week field: `8` is out of range; allowed: 0-7 or SUN-SAT (0 and 7 are Sunday), * or ?, lists \
             (MON,FRI), ranges (MON-FRI) and steps (*/2)",
        ),
        (
            "* * *",
            "the cron expression `* * *` has 3 fields; expected five (minute hour day-of-month month day-of-week), \
             six with a leading second, or a nickname such as @daily",
        ),
        (
            "@reboot",
            "`@reboot` is not known; the nicknames are @yearly, @annually, @monthly, @weekly, @daily, @midnight and \
             @hourly",
        ),
        ("0 0 30,31 FEB *", "no date ever matches: month `FEB` has no day `30,31`"),
    ];
    for (text, message) in table {
        assert_eq!(refusal(text).to_string(), message);
    }
}

#[test]
fn the_number_of_fields_must_be_five_or_six() {
    for (text, count) in [("", 0), ("   ", 0), ("*", 1), ("* * * *", 4), ("0 0 0 1 1 * 2026", 7)] {
        assert!(matches!(refusal(text), Error::FieldCount { found, .. } if found == count), "{text}");
    }
}

#[test]
fn a_text_longer_than_any_sensible_expression_is_refused_unread() {
    let text = format!("{} * * * *", "1,".repeat(100_000));
    assert_eq!(refusal(&text), Error::TooLong { length: text.len(), max: 1_000 });
}

#[test]
fn a_date_that_never_comes_is_refused() {
    for text in ["0 0 31 2 *", "0 0 30 2 *", "0 0 31 4,6,9,11 *", "0 0 31 FEB ?", "0 0 30-31 2 */2"] {
        assert!(matches!(refusal(text), Error::ImpossibleDate { .. }), "{text}");
    }
    // 29 February comes; a weekday or the last day makes the day possible; one month in two has a 31st.
    for text in ["0 0 29 2 *", "0 0 31 2 MON", "0 0 31,L 2 *", "0 0 31 * *", "0 0 31 2-3 *", "0 0 30 2-1 *"] {
        assert!(CronExpression::parse(text).is_ok(), "{text}");
    }
}
