//! The settings of a playbook, evaluated and checked.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::document::Document;
use super::expression::Expressions;
use super::scope::{Fact, Scope};
use crate::base::node::Entry;
use crate::base::{Error, Errors, Location, Node, Result, Value, suggestion};

/// What a playbook sets beside its resources.
#[derive(Debug, Default)]
pub(super) struct Settings {
    pub(super) stack: String,
    pub(super) account: Option<String>,
    pub(super) region: Option<String>,
    pub(super) tags: BTreeMap<String, String>,
    pub(super) lease: Option<Duration>,
    pub(super) limits: BTreeMap<String, (u64, Location)>,
    pub(super) monthly_limit: Option<(f64, Location)>,
}

/// Evaluates the settings; what is wrong goes to `errors`.
pub(super) fn read(
    document: &Document,
    expressions: &Expressions,
    scope: &Scope,
    sections: &[&str],
    errors: &mut Errors,
) -> Settings {
    let mut settings = Settings::default();
    let plain = Arc::new(scope.clone());
    let value = |name: &str, errors: &mut Errors| -> Option<Node> {
        let node = &document.settings.get(name)?.node;
        visible(expressions.value(node, &plain), name, errors)
    };
    if let Some(node) = value("stack", errors) {
        settings.stack = errors.keep(stack(&node)).unwrap_or_default();
    } else if !document.settings.contains_key("stack") {
        let error = Error::playbook("missing key `stack`", &document.start());
        errors
            .push(error.hint(
                "start the playbook with `stack: NAME`: all that it makes carries this name",
            ));
    }
    settings.account = value("account", errors).and_then(|node| errors.keep(account(&node)));
    settings.region = value("region", errors).and_then(|node| errors.keep(region(&node)));
    settings.lease = value("lease", errors).and_then(|node| errors.keep(lease(&node)));
    let known = |value: &Option<String>| value.clone().map_or(Fact::Later, Fact::Known);
    let with_facts = Arc::new(Scope {
        stack: Fact::Known(settings.stack.clone()),
        account: known(&settings.account),
        region: known(&settings.region),
        ..scope.clone()
    });
    settings.tags = tags(document.map("tags"), expressions, &with_facts, errors);
    for (kind, entry) in document.map("limits") {
        if kind == MONTHLY {
            let node = visible(expressions.value(&entry.node, &plain), kind, errors);
            let usd = node.and_then(|node| errors.keep(monthly_usd(&node)));
            settings.monthly_limit = usd.map(|usd| (usd, entry.node.at.clone()));
        } else if let Some(count) = limit(kind, entry, expressions, &plain, sections, errors) {
            settings
                .limits
                .insert(kind.clone(), (count, entry.key_at.clone()));
        }
    }
    settings
}

/// The limit of what the stack may cost.
pub(super) const MONTHLY: &str = "monthly_usd";

/// A value that anyone may see, and that is known now.
pub(super) fn visible(node: Result<Node, Errors>, what: &str, errors: &mut Errors) -> Option<Node> {
    match node {
        Ok(node) if node.has_secret() => {
            errors.push(
                Error::playbook(format!("`{what}` cannot be made from a secret"), &node.at)
                    .note("anyone who may look at the stack can read it"),
            );
            None
        }
        // After another error, it is that one's fault.
        Ok(node) if node.has_unknown() && !errors.0.is_empty() => None,
        Ok(node) if node.has_unknown() => {
            errors.push(
                Error::playbook(format!("`{what}` must be known before the run"), &node.at)
                    .hint("set `region:` and `account:` in the playbook to use them here"),
            );
            None
        }
        Ok(node) => Some(node),
        Err(wrong) => {
            errors.0.extend(wrong.0);
            None
        }
    }
}

fn stack(node: &Node) -> Result<String> {
    let text = match &node.value {
        Value::Text(text) => text.clone(),
        Value::Int(number) => number.to_string(),
        _ => {
            let message = format!("`stack` is a name, this is {}", node.type_name());
            return Err(Error::playbook(message, &node.at));
        }
    };
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let fits = (1..=40).contains(&text.len())
        && text.chars().all(allowed)
        && !text.starts_with('-')
        && !text.ends_with('-');
    if fits {
        Ok(text)
    } else {
        Err(
            Error::playbook(format!("`{text}` cannot name a stack"), &node.at)
                .hint("use 1 to 40 lower case letters, digits and `-`, no `-` at either end"),
        )
    }
}

fn account(node: &Node) -> Result<String> {
    match &node.value {
        Value::Text(text) if text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit()) => {
            Ok(text.clone())
        }
        Value::Int(number) => Err(Error::playbook(
            "`account` is written as a number; leading zeros would be lost",
            &node.at,
        )
        .hint(format!("put it in quotes: `account: \"{number:012}\"`"))),
        _ => Err(Error::playbook("this is no AWS account number", &node.at)
            .hint("an account number has 12 digits: `account: \"123456789012\"`")),
    }
}

fn region(node: &Node) -> Result<String> {
    let looks_right = |text: &str| {
        let parts: Vec<_> = text.split('-').collect();
        parts.len() >= 3
            && parts.iter().all(|part| !part.is_empty())
            && text.ends_with(|c: char| c.is_ascii_digit())
            && text
                .chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
    };
    match node.as_text() {
        Some(text) if looks_right(text) => Ok(text.to_owned()),
        _ => Err(Error::playbook("this is no AWS region", &node.at).hint(
            "a region looks like `eu-west-1`; leave `region` out to use the one you are set up for",
        )),
    }
}

/// `30d`, `12h`, `2w`, `90m`.
fn lease(node: &Node) -> Result<Duration> {
    let wrong = || {
        Error::playbook("this is no duration", &node.at)
            .hint("write a number and a unit: `30d`, `12h`, `2w`")
    };
    let text = node.as_text().ok_or_else(wrong)?.trim();
    let (number, unit) = text
        .split_at_checked(text.len().saturating_sub(1))
        .ok_or_else(wrong)?;
    let seconds = match unit {
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        "w" => 604_800,
        _ => return Err(wrong()),
    };
    let number: u64 = number.parse().map_err(|_| wrong())?;
    match number.checked_mul(seconds) {
        Some(seconds @ 1..=315_360_000) => Ok(Duration::from_secs(seconds)),
        _ => Err(Error::playbook(
            "a lease lasts between a minute and ten years",
            &node.at,
        )),
    }
}

/// The longest key of a tag, in characters.
/// <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Tags.html#tag-restrictions>
const LONGEST_KEY: usize = 128;
/// The longest value of a tag, in characters.
const LONGEST_VALUE: usize = 256;
/// The most tags of one's own: AWS takes 50, and ownership needs some.
const MOST_TAGS: usize = 35;

/// Tags as text, from the playbook's own or a resource's.
pub(super) fn tags<'a>(
    entries: impl Iterator<Item = (&'a String, &'a Entry)>,
    expressions: &Expressions,
    scope: &Arc<Scope>,
    errors: &mut Errors,
) -> BTreeMap<String, String> {
    let mut tags = BTreeMap::new();
    for (key, entry) in entries {
        let lower = key.to_lowercase();
        if lower.starts_with("tidewalk:") || lower.starts_with("aws:") || key.is_empty() {
            errors.push(
                Error::playbook(format!("the tag key `{key}` is reserved"), &entry.key_at)
                    .hint("choose a key that starts with neither `tidewalk:` nor `aws:`"),
            );
            continue;
        }
        let node = expressions.value(&entry.node, scope);
        let Some(node) = visible(node, &format!("tags.{key}"), errors) else {
            continue;
        };
        let value = match &node.value {
            Value::Text(text) => text.clone(),
            Value::Int(number) => number.to_string(),
            Value::Bool(truth) => truth.to_string(),
            _ => {
                let message = format!("a tag is text, this is {}", node.type_name());
                let error = Error::playbook(message, &node.at);
                errors.push(match node.value {
                    Value::Float(_) => error.hint("put it in quotes"),
                    _ => error,
                });
                continue;
            }
        };
        let lengths = [("key", key, LONGEST_KEY), ("value", &value, LONGEST_VALUE)];
        for (what, text, most) in lengths {
            let length = text.chars().count();
            if length > most {
                let message = format!("the tag's {what} has {length} characters, AWS takes {most}");
                errors.push(Error::playbook(message, &entry.key_at));
            }
        }
        if tags.len() == MOST_TAGS {
            let message = format!("more than {MOST_TAGS} tags: AWS takes 50, some are tidewalk's");
            errors.push(Error::playbook(message, &entry.key_at));
            break;
        }
        tags.insert(key.clone(), value);
    }
    tags
}

fn limit(
    kind: &str,
    entry: &Entry,
    expressions: &Expressions,
    scope: &Arc<Scope>,
    sections: &[&str],
    errors: &mut Errors,
) -> Option<u64> {
    if !sections.contains(&kind) {
        errors.push(
            Error::playbook(format!("unknown key `{kind}` in `limits`"), &entry.key_at)
                .hint(suggestion::hint(kind, &[sections, &[MONTHLY]].concat())),
        );
        return None;
    }
    let node = visible(expressions.value(&entry.node, scope), kind, errors)?;
    match node.value {
        Value::Int(count) if count >= 0 => u64::try_from(count).ok(),
        _ => {
            let message = format!("a limit is a whole number, this is {}", node.type_name());
            errors.push(Error::playbook(message, &node.at));
            None
        }
    }
}

/// US dollars a month.
fn monthly_usd(node: &Node) -> Result<f64> {
    let usd = match node.value {
        #[expect(clippy::cast_precision_loss, reason = "nobody pays so much")]
        Value::Int(usd) => usd as f64,
        Value::Float(usd) => usd,
        _ => {
            let message = format!(
                "`monthly_usd` is a number of US dollars, this is {}",
                node.type_name()
            );
            return Err(Error::playbook(message, &node.at).hint("write it so: `monthly_usd: 150`"));
        }
    };
    if usd.is_finite() && usd >= 0.0 {
        Ok(usd)
    } else {
        Err(Error::playbook("`monthly_usd` is at least 0", &node.at))
    }
}
