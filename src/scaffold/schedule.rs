//! When a job runs: in the words of AWS, or as a line of crontab says it.

use crate::base::{Error, Result};

const DAYS: [&str; 8] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN"];

/// `text` as AWS takes it: `rate(…)`, `cron(…)` and `at(…)` as they are, five fields of crontab or
/// `@daily` and its like in six fields.
///
/// # Errors
/// It is none of these, or AWS cannot express it.
pub fn expression(text: &str) -> Result<String> {
    let text = text.trim();
    let own = ["rate(", "cron(", "at("]
        .into_iter()
        .any(|it| text.starts_with(it));
    if own && text.ends_with(')') && !text.contains(['"', '\n', '\\', '{']) {
        return Ok(text.to_owned());
    }
    let line = match text {
        "@hourly" => "0 * * * *",
        "@daily" | "@midnight" => "0 0 * * *",
        "@weekly" => "0 0 * * 0",
        "@monthly" => "0 0 1 * *",
        other => other,
    };
    let fields: Vec<_> = line.split_whitespace().collect();
    let &[minute, hour, day, month, weekday] = fields.as_slice() else {
        return Err(wrong(text));
    };
    let plain = |c: char| c.is_ascii_alphanumeric() || "*/,-".contains(c);
    if !fields.iter().all(|it| it.chars().all(plain)) {
        return Err(wrong(text));
    }
    // AWS wants exactly one of the two to be open; crontab runs on days that fit either.
    let (day, weekday) = match (day, weekday) {
        (day, "*") => (stepped(day, 1), "?".to_owned()),
        ("*", weekday) => (
            "?".to_owned(),
            weekdays(weekday).ok_or_else(|| wrong(text))?,
        ),
        _ => {
            return Err(
                wrong(text).note("AWS takes a day of the month or a day of the week, not both")
            );
        }
    };
    let (minute, hour, month) = (stepped(minute, 0), stepped(hour, 0), stepped(month, 1));
    Ok(format!("cron({minute} {hour} {day} {month} {weekday} *)"))
}

fn wrong(text: &str) -> Error {
    Error::usage(format!("`{text}` does not say when")).hint(
        "for example `rate(5 minutes)`, `cron(0 8 ? * MON-FRI *)`, or as in crontab: `0 8 * * 1-5`",
    )
}

/// `*/5` begins somewhere: `0/5`.
fn stepped(field: &str, first: u8) -> String {
    match field.strip_prefix("*/") {
        Some(step) => format!("{first}/{step}"),
        None => field.to_owned(),
    }
}

/// Days of the week by their names: AWS counts from 1, crontab from 0.
fn weekdays(field: &str) -> Option<String> {
    let name = |day: &str| match day.parse::<usize>() {
        Ok(number) => DAYS.get(number).copied(),
        Err(_) => DAYS.into_iter().find(|it| it.eq_ignore_ascii_case(day)),
    };
    let mut days = Vec::new();
    for item in field.split(',') {
        let Some((first, last)) = item.split_once('-') else {
            days.push(name(item)?.to_owned());
            continue;
        };
        let at = |day: &str| name(day).and_then(|day| DAYS.iter().position(|it| *it == day));
        let (begin, end) = (at(first)?, at(last)?);
        match (begin, end) {
            _ if begin < end => days.push(format!("{}-{}", DAYS.get(begin)?, DAYS.get(end)?)),
            // Up to Sunday, which AWS has first.
            (_, 0) => days.extend(DAYS.get(begin..)?.iter().map(|it| (*it).to_owned())),
            _ => return None,
        }
    }
    Some(days.join(","))
}

#[cfg(test)]
mod tests {
    use super::expression;

    #[test]
    fn crontab_and_the_words_of_aws_are_understood() {
        let cases = [
            ("rate(5 minutes)", "rate(5 minutes)"),
            (" cron(0 8 ? * MON-FRI *) ", "cron(0 8 ? * MON-FRI *)"),
            ("@daily", "cron(0 0 * * ? *)"),
            ("@weekly", "cron(0 0 ? * SUN *)"),
            ("*/5 * * * *", "cron(0/5 * * * ? *)"),
            ("30 8 * * 1-5", "cron(30 8 ? * MON-FRI *)"),
            ("0 8 */2 */3 *", "cron(0 8 1/2 1/3 ? *)"),
            ("0 8 * * 0,3,sat", "cron(0 8 ? * SUN,WED,SAT *)"),
            ("0 8 * * 5-7", "cron(0 8 ? * FRI,SAT,SUN *)"),
        ];
        for (text, expected) in cases {
            assert_eq!(expression(text).unwrap(), expected, "{text}");
        }
    }

    #[test]
    fn what_says_no_time_is_refused() {
        for text in [
            "",
            "daily",
            "0 8 * *",
            "0 8 1 * 1",
            "0 8 * * 8",
            "rate(1 hour)\"",
            "rate(",
            "0 8 * * 5-2",
        ] {
            assert!(expression(text).is_err(), "{text}");
        }
    }
}
