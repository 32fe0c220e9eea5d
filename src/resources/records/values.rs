//! Values of records: what DNS takes, how Route 53 writes them, when two are the same.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::RecordType;
use crate::base::node::Step;

/// The most bytes in one of the strings that the value of a TXT record is made of.
const STRING: usize = 255;
/// The most characters in one value:
/// <https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/DNSLimitations.html>.
const LONGEST: usize = 4000;

/// Text as Route 53 takes it: strings of at most 255 bytes in quotes.
/// <https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/ResourceRecordTypes.html#TXTFormat>
pub(super) fn quoted(text: &str) -> String {
    let strings = text.as_bytes().chunks(STRING).map(|bytes| {
        let characters = bytes.iter().map(|byte| match byte {
            b'"' | b'\\' => format!("\\{}", char::from(*byte)),
            b' '..=b'~' => char::from(*byte).to_string(),
            byte => format!("\\{byte:03o}"),
        });
        format!("\"{}\"", characters.collect::<String>())
    });
    let strings: Vec<String> = strings.collect();
    if strings.is_empty() {
        return "\"\"".to_owned();
    }
    strings.join(" ")
}

/// The text that strings in quotes stand for; text without quotes as it is.
pub(super) fn unquoted(value: &str) -> String {
    if !value.starts_with('"') {
        return value.to_owned();
    }
    let mut bytes = Vec::new();
    let mut inside = false;
    let mut rest = value.bytes().peekable();
    while let Some(byte) = rest.next() {
        match byte {
            b'"' => inside = !inside,
            b'\\' => {
                let mut code = Vec::new();
                while code.len() < 3
                    && let Some(digit) = rest.next_if(u8::is_ascii_digit)
                {
                    code.push(digit - b'0');
                }
                if code.is_empty() {
                    bytes.extend(rest.next());
                } else {
                    let code = code
                        .into_iter()
                        .fold(0u8, |all, digit| all.wrapping_mul(8).wrapping_add(digit));
                    bytes.push(code);
                }
            }
            byte if inside => bytes.push(byte),
            _ => {}
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Values as they are compared and shown, sorted.
pub(super) fn plain(kind: &str, values: &[String]) -> Vec<String> {
    let one = |value: &String| {
        let value = value.trim();
        match kind {
            "TXT" => unquoted(value),
            "AAAA" => value
                .parse::<Ipv6Addr>()
                .map_or_else(|_| value.to_owned(), |address| address.to_string()),
            "CNAME" | "MX" | "SRV" => {
                let words: Vec<&str> = value.split_whitespace().collect();
                let words = words.join(" ");
                words.strip_suffix('.').unwrap_or(&words).to_lowercase()
            }
            _ => value.to_owned(),
        }
    };
    let mut plain: Vec<String> = values.iter().map(one).collect();
    plain.sort();
    plain
}

/// Values as Route 53 takes them.
pub(super) fn written(kind: RecordType, values: &[String]) -> Vec<String> {
    let one = |value: &String| match kind {
        RecordType::Txt => quoted(&unquoted(value)),
        _ => value.trim().to_owned(),
    };
    values.iter().map(one).collect()
}

/// What is wrong with the values, and where.
pub(super) fn problems(kind: RecordType, values: &[String]) -> Vec<(Vec<Step>, String)> {
    let field = Step::Key("values".to_owned());
    let name = kind.name();
    let mut problems = Vec::new();
    let count = values.len();
    if values.is_empty() {
        let text = "a record needs `values`, or an `alias`";
        problems.push((vec![field.clone()], text.to_owned()));
    }
    if kind == RecordType::Cname && count > 1 {
        let text = format!("a CNAME has one value, not {count}");
        problems.push((vec![field.clone()], text));
    }
    for (index, value) in values.iter().enumerate() {
        let at = vec![field.clone(), Step::Index(index)];
        if written(kind, std::slice::from_ref(value))[0].len() > LONGEST {
            let text = format!("a value has at most {LONGEST} characters");
            problems.push((at, text));
        } else if let Some(should) = misfit(kind, value.trim()) {
            problems.push((
                at,
                format!("`{value}` is no value of {name}: write {should}"),
            ));
        }
    }
    problems
}

/// What should be written instead, when a value does not fit its type.
fn misfit(kind: RecordType, value: &str) -> Option<&'static str> {
    let words: Vec<&str> = value.split_whitespace().collect();
    let numbers = |count: usize| {
        words.len() == count + 1 && words[..count].iter().all(|it| it.parse::<u16>().is_ok())
    };
    let (fits, should) = match kind {
        RecordType::A => (
            value.parse::<Ipv4Addr>().is_ok(),
            "an IPv4 address, such as `192.0.2.1`",
        ),
        RecordType::Aaaa => (
            value.parse::<Ipv6Addr>().is_ok(),
            "an IPv6 address, such as `2001:db8::1`",
        ),
        RecordType::Cname => (words.len() == 1, "a domain, such as `www.example.com`"),
        RecordType::Mx => (
            numbers(1),
            "priority and mail server, such as `10 mail.example.com`",
        ),
        RecordType::Srv => (
            numbers(3),
            "priority, weight, port and server, such as `1 10 5269 example.com`",
        ),
        RecordType::Caa => (
            words.len() >= 3 && words[0].parse::<u8>().is_ok(),
            "flags, tag and value, such as `0 issue \"example.com\"`",
        ),
        RecordType::Txt => (!value.is_empty(), "some text"),
    };
    (!fits).then_some(should)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_read_as_it_was_quoted() {
        for text in ["v=spf1 -all", "a \"b\" \\c", "grüße", &"x".repeat(600)] {
            assert_eq!(unquoted(&quoted(text)), text);
        }
        assert_eq!(quoted("a\"b"), r#""a\"b""#);
        assert_eq!(quoted("ü"), r#""\303\274""#);
        assert_eq!(unquoted(r#""one" "two""#), "onetwo");
        assert_eq!(unquoted("no quotes"), "no quotes");
    }
}
