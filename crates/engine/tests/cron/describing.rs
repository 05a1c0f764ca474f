//! Expressions in English.

use super::cron;

#[test]
fn an_expression_is_told_in_plain_english() {
    let table = [
        ("30 9 * * 1-5", "at 09:30 on Monday to Friday"),
        ("@daily", "at 00:00 every day"),
        ("@hourly", "every hour"),
        ("@weekly", "at 00:00 on Sunday"),
        ("@monthly", "at 00:00 on day 1 of the month"),
        ("@yearly", "at 00:00 on day 1 of the month in January"),
        ("* * * * *", "every minute"),
        ("*/15 * * * *", "every 15 minutes"),
        ("*/45 * * * *", "at minutes 0 and 45 of every hour"),
        ("0-4 * * * *", "at minutes 0 to 4 of every hour"),
        ("*/5 9-17 * * MON-FRI", "every 5 minutes from 09:00 to 17:55 on Monday to Friday"),
        ("0 9-17 * * *", "every hour from 09:00 to 17:00"),
        ("15 */2 * * *", "at minute 15, every 2 hours"),
        ("*/10 8,20 * * *", "every 10 minutes in hours 8 and 20"),
        ("0 6,12,18 * * *", "at 06:00, 12:00 and 18:00 every day"),
        ("0 0 * * sat,sun", "at 00:00 on Saturday and Sunday"),
        ("0 0 * * FRI-MON", "at 00:00 on Monday and Friday to Sunday"),
        ("0 0 13 * FRI", "at 00:00 on day 13 of the month or on Friday"),
        ("0 0 */15 * MON", "at 00:00 on days 1, 16 and 31 of the month when it is Monday"),
        ("0 0 L * *", "at 00:00 on the last day of the month"),
        ("0 0 15,L * *", "at 00:00 on day 15 and the last day of the month"),
        ("0 0 1 3-5,11 *", "at 00:00 on day 1 of the month in March to May and November"),
        ("*/10 * * * * *", "every 10 seconds"),
        ("* * * * * *", "every second"),
        ("30 0 12 * * *", "at 12:00:30 every day"),
        ("15 * * * * *", "at second 15, every minute"),
        ("*/20 */5 * * * *", "every 20 seconds of the minute, every 5 minutes"),
        ("* 0-6 * * 0-6", "every minute from 00:00 to 06:59"),
    ];
    for (text, description) in table {
        assert_eq!(cron(text).describe(), description, "{text}");
    }
}
