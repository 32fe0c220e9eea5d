//! What a plain YAML scalar means, by the core schema of YAML 1.2, on the cautious side.

use crate::base::Value;

/// The value of an unquoted scalar. `yes`, `on` and `012` are text; so is a number that does not
/// fit in 64 bits.
pub(super) fn resolve(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Value::Null,
        "true" | "True" | "TRUE" => return Value::Bool(true),
        "false" | "False" | "FALSE" => return Value::Bool(false),
        _ => {}
    }
    if let Some(value) = whole(text) {
        return Value::Int(value);
    }
    match fraction(text) {
        Some(value) if !plain_digits(unsigned(text)) => Value::Float(value),
        _ => Value::Text(text.to_owned()),
    }
}

fn whole(text: &str) -> Option<i64> {
    if let Some(digits) = text.strip_prefix("0x") {
        return i64::from_str_radix(digits, 16).ok();
    }
    if let Some(digits) = text.strip_prefix("0o") {
        return i64::from_str_radix(digits, 8).ok();
    }
    plain_digits(unsigned(text)).then(|| text.parse().ok())?
}

fn unsigned(text: &str) -> &str {
    text.strip_prefix(['-', '+']).unwrap_or(text)
}

/// Decimal digits without a leading zero, which other readers of YAML take for octal.
fn plain_digits(text: &str) -> bool {
    !text.is_empty()
        && text.bytes().all(|byte| byte.is_ascii_digit())
        && (text.len() == 1 || !text.starts_with('0'))
}

fn fraction(text: &str) -> Option<f64> {
    let number = unsigned(text);
    let (mantissa, exponent) = match number.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(unsigned(exponent))),
        None => (number, None),
    };
    let (before, after) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let well_formed = (before.is_empty() || plain_digits(before))
        && digits(after)
        && !(before.is_empty() && after.is_empty())
        && exponent.is_none_or(|exponent| !exponent.is_empty() && digits(exponent));
    let value: f64 = well_formed.then(|| text.parse().ok())??;
    value.is_finite().then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scalars_mean_what_yaml_1_2_says() {
        let text = |text: &str| Value::Text(text.to_owned());
        for (written, meant) in [
            ("", Value::Null),
            ("~", Value::Null),
            ("true", Value::Bool(true)),
            ("yes", text("yes")),
            ("on", text("on")),
            ("012", text("012")),
            ("0", Value::Int(0)),
            ("-7", Value::Int(-7)),
            ("0x1f", Value::Int(31)),
            ("1.5", Value::Float(1.5)),
            (".5", Value::Float(0.5)),
            ("1e3", Value::Float(1000.0)),
            ("1e999", text("1e999")),
            ("1.2.3", text("1.2.3")),
            (".", text(".")),
            ("-", text("-")),
            ("22:30", text("22:30")),
            ("99999999999999999999", text("99999999999999999999")),
        ] {
            assert_eq!(resolve(written), meant, "{written}");
        }
    }
}
