//! When a schedule starts: the shape of its expression.

use jiff::civil::DateTime;

/// What is wrong with it:
/// <https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html>.
pub(super) fn misfit(expression: &str) -> Option<String> {
    let call = expression.strip_suffix(')');
    let text = match call.and_then(|call| call.split_once('(')) {
        Some(("rate", inner)) => rate(inner),
        Some(("cron", inner)) => cron(inner),
        Some(("at", inner)) => at(inner),
        _ => Some("an expression is `rate(…)`, `cron(…)` or `at(…)`"),
    };
    text.map(str::to_owned)
}

fn rate(inner: &str) -> Option<&'static str> {
    let (number, unit) = inner.split_once(' ').unwrap_or((inner, ""));
    let number: u32 = number.parse().unwrap_or(0);
    let units = ["minute", "minutes", "hour", "hours", "day", "days"];
    let fits = number > 0 && units.contains(&unit);
    (!fits).then_some("a rate is a number and `minutes`, `hours` or `days`: `rate(5 minutes)`")
}

fn cron(inner: &str) -> Option<&'static str> {
    let fields: Vec<_> = inner.split_whitespace().collect();
    let [_, _, day, _, weekday, _] = fields.as_slice() else {
        return Some(
            "a cron expression has 6 fields: minute, hour, day of the month, month, day of the \
             week, year",
        );
    };
    let one_is_open = (*day == "?") != (*weekday == "?");
    (!one_is_open).then_some(
        "of day of the month and day of the week, exactly one is `?`: `cron(0 8 ? * MON-FRI *)`",
    )
}

fn at(inner: &str) -> Option<&'static str> {
    let fits = inner.len() == "yyyy-mm-ddThh:mm:ss".len() && inner.parse::<DateTime>().is_ok();
    (!fits).then_some("a time is written as `at(2027-01-31T08:00:00)`")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_have_one_of_three_shapes() {
        for fits in [
            "rate(1 minute)",
            "rate(5 hours)",
            "cron(0 8 ? * MON-FRI *)",
            "cron(0/5 8-17 L * ? 2027)",
            "at(2027-01-31T08:00:00)",
        ] {
            assert_eq!(misfit(fits), None, "{fits}");
        }
        for wrong in [
            "0 8 * * *",
            "rate(5)",
            "rate(0 minutes)",
            "rate(5 weeks)",
            "cron(0 8 * * *)",
            "cron(0 8 * * MON *)",
            "at(2027-02-31T08:00:00)",
            "at(tomorrow)",
            "every(5 minutes)",
        ] {
            assert!(misfit(wrong).is_some(), "{wrong}");
        }
    }
}
