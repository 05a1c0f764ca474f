//! An expression in plain English, for people who do not read cron.

use super::CronExpression;
use super::calendar::{DayPattern, Pattern, bit};

/// More times of day than this are told as a rule and not one by one.
const MAX_LISTED_TIMES: usize = 6;

const WEEKDAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

impl CronExpression {
    /// When it runs, as a phrase: "at 09:30 on Monday to Friday".
    pub fn describe(&self) -> String {
        let pattern = self.pattern();
        let (times, are_listed) = describe_times(pattern);
        let days = describe_days(&pattern.days);
        let mut phrase = times;
        if !days.is_empty() {
            phrase.push_str(&days);
        } else if are_listed {
            phrase.push_str(" every day");
        }
        if pattern.days.months != full_set(1, 12) {
            let months = values(pattern.days.months);
            phrase.push_str(" in ");
            phrase.push_str(&list(&runs(&months, |month| name(&MONTHS, month - 1))));
        }
        phrase
    }
}

/// The phrase for the time fields, and whether it names times of day.
fn describe_times(pattern: &Pattern) -> (String, bool) {
    let (seconds, minutes, hours) = (values(pattern.seconds), values(pattern.minutes), values(pattern.hours));
    if let [second] = seconds[..] {
        if hours.len() * minutes.len() <= MAX_LISTED_TIMES {
            let times: Vec<String> = hours
                .iter()
                .flat_map(|hour| minutes.iter().map(move |minute| clock(*hour, *minute, second)))
                .collect();
            return (format!("at {}", list(&times)), true);
        }
        let phrase = describe_minutes(&minutes, &hours);
        return if second == 0 { (phrase, false) } else { (format!("at second {second}, {phrase}"), false) };
    }
    let phrase = match full_step(&seconds, 60) {
        Some(1) => "every second".to_owned(),
        Some(step) => format!("every {step} seconds"),
        None => format!("at seconds {}", list(&runs(&seconds, |second| second.to_string()))),
    };
    if minutes.len() == 60 && hours.len() == 24 {
        (phrase, false)
    } else {
        (format!("{phrase} of the minute, {}", describe_minutes(&minutes, &hours)), false)
    }
}

fn describe_minutes(minutes: &[i64], hours: &[i64]) -> String {
    let every_hour = hours.len() == 24;
    if let [minute] = minutes {
        let phrase = match full_step(hours, 24) {
            Some(1) => "every hour".to_owned(),
            Some(step) => format!("every {step} hours"),
            None => format!("every hour{}", describe_hours(hours, *minute)),
        };
        return if *minute == 0 { phrase } else { format!("at minute {minute}, {phrase}") };
    }
    let phrase = match full_step(minutes, 60) {
        Some(1) => "every minute".to_owned(),
        Some(step) => format!("every {step} minutes"),
        None => {
            let listed = list(&runs(minutes, |minute| minute.to_string()));
            format!("at minutes {listed}{}", if every_hour { " of every hour" } else { "" })
        }
    };
    if every_hour {
        return phrase;
    }
    format!("{phrase}{}", describe_hours(hours, minutes.last().copied().unwrap_or(0)))
}

/// " from 09:00 to 17:59", or " in hours 9, 12 and 15".
fn describe_hours(hours: &[i64], last_minute: i64) -> String {
    match (hours.first(), hours.last()) {
        (Some(first), Some(last)) if is_run(hours) => {
            format!(" from {} to {}", clock(*first, 0, 0), clock(*last, last_minute, 0))
        }
        _ => format!(" in hours {}", list(&runs(hours, |hour| hour.to_string()))),
    }
}

/// " on day 1 of the month", " on Monday to Friday"; empty if every day matches.
fn describe_days(days: &DayPattern) -> String {
    let any_day_of_month = days.days_of_month == full_set(1, 31);
    let any_weekday = days.weekdays == full_set(0, 6);
    let mut of_month = Vec::new();
    let numbers = values(days.days_of_month);
    if !numbers.is_empty() {
        let word = if numbers.len() == 1 { "day" } else { "days" };
        of_month.push(format!("{word} {}", list(&runs(&numbers, |day| day.to_string()))));
    }
    if days.last_day_of_month && !any_day_of_month {
        of_month.push("the last day".to_owned());
    }
    let of_month = format!("on {} of the month", of_month.join(" and "));
    // A week is told from Monday.
    let week: Vec<i64> = (1..=7).filter(|day| days.weekdays & bit(day % 7) != 0).collect();
    let of_week = list(&runs(&week, |day| name(&WEEKDAYS, day % 7)));
    match (any_day_of_month, any_weekday) {
        (true, true) => String::new(),
        (true, false) if days.needs_both => format!(" on {of_week}"),
        (false, true) if days.needs_both => format!(" {of_month}"),
        (false, false) if days.needs_both => format!(" {of_month} when it is {of_week}"),
        (false, false) => format!(" {of_month} or on {of_week}"),
        // Either suffices, and one of them is every day.
        _ => String::new(),
    }
}

fn full_set(first: i64, last: i64) -> u64 {
    (first..=last).map(bit).sum()
}

fn values(set: u64) -> Vec<i64> {
    (0..60).filter(|index| set & bit(*index) != 0).collect()
}

/// The step, if the values are 0, step, 2 step ... to the end of a field of `length` values, evenly.
fn full_step(values: &[i64], length: i64) -> Option<i64> {
    let step = match values {
        [0, second, ..] => *second,
        _ => return None,
    };
    let is_even = length % step == 0
        && i64::try_from(values.len()).is_ok_and(|count| count * step == length)
        && values.windows(2).all(|pair| pair[1] - pair[0] == step);
    is_even.then_some(step)
}

fn is_run(values: &[i64]) -> bool {
    values.len() > 1 && values.windows(2).all(|pair| pair[1] - pair[0] == 1)
}

/// The values' names, three or more neighbours as "first to last".
fn runs(values: &[i64], name: impl Fn(i64) -> String) -> Vec<String> {
    let mut names = Vec::new();
    for run in values.chunk_by(|left, right| right - left == 1) {
        match run {
            [first, _, .., last] => names.push(format!("{} to {}", name(*first), name(*last))),
            _ => names.extend(run.iter().map(|value| name(*value))),
        }
    }
    names
}

/// "a", "a and b", "a, b and c".
fn list(names: &[String]) -> String {
    match names {
        [before @ .., last] if !before.is_empty() => format!("{} and {last}", before.join(", ")),
        _ => names.concat(),
    }
}

fn name(names: &[&str], index: i64) -> String {
    usize::try_from(index).ok().and_then(|index| names.get(index)).copied().unwrap_or_default().to_owned()
}

fn clock(hour: i64, minute: i64, second: i64) -> String {
    if second == 0 { format!("{hour:02}:{minute:02}") } else { format!("{hour:02}:{minute:02}:{second:02}") }
}
