//! What differs between a parameter and its spec, and what is wrong with a spec.

use super::{DEFAULT_KEY, Live, Parameter, Tier, Type, VALUE};
use crate::base::node::Step;
use crate::base::{Diff, Result, Secret, Shown};
use crate::contract::Target;
use crate::resources::reference::named;
use crate::resources::value_from::{hidden_change, is_of};

pub(super) fn diff(spec: &Parameter, live: &Live, target: Target<'_>) -> Result<Diff> {
    let diff = Diff::default()
        .fixed("name", Shown::of(&live.name), Shown::of(spec.name(target)))
        .fixed("type", Shown::of(&live.kind), Shown::of(spec.kind.word()));
    let before = diff.changes.len();
    let diff = value(diff, spec, live, target)?;
    let diff = if diff.changes.len() > before {
        diff.unsettles("version").unsettles("value")
    } else {
        diff
    };
    let (old, new) = (Shown::of(&live.tier), Shown::of(spec.tier.word()));
    let diff = match (live.tier.as_str(), spec.tier) {
        (_, Tier::IntelligentTiering) => diff,
        ("Advanced", Tier::Standard) => diff.fixed("tier", old, new),
        _ => diff.field("tier", old, new),
    };
    let old = live.key.as_deref().filter(|key| *key != DEFAULT_KEY);
    let old = old.map(|key| named(target.world, "keys", key));
    let new = match (&spec.key, spec.key(target)) {
        (None, _) => Shown::Absent,
        (Some(_), Some(id)) => Shown::of(named(target.world, "keys", id)),
        (Some(_), None) => Shown::AfterApply,
    };
    Ok(diff
        .field("key", Shown::option(old), new)
        .field(
            "description",
            Shown::of(&live.description),
            Shown::of(&spec.description),
        )
        .field(
            "data_type",
            Shown::of(&live.data_type),
            Shown::of(&spec.data_type),
        ))
}

fn value(diff: Diff, spec: &Parameter, live: &Live, target: Target<'_>) -> Result<Diff> {
    if let Some(generate) = &spec.generate {
        let current = live.tags.value(VALUE) == Some(&generate.words());
        return Ok(if current {
            diff
        } else {
            hidden_change(diff, "generate")
        });
    }
    let Some(source) = &spec.value_from else {
        let hidden = target.node.entry("value").is_some_and(|node| node.secret);
        let wanted = spec.plain_value();
        return Ok(match live.value == wanted {
            true => diff,
            false if hidden => hidden_change(diff, "value"),
            false => diff.field(
                "value",
                shown(live.value.as_deref()),
                shown(wanted.as_deref()),
            ),
        });
    };
    let wanted = source.read(target)?;
    let same = match spec.kind {
        Type::SecureString => is_current(live, &wanted),
        Type::String | Type::StringList => live.value.as_deref() == Some(wanted.expose()),
    };
    Ok(if same {
        diff
    } else {
        hidden_change(diff, "value_from")
    })
}

/// The tag tells of this value, and nobody has written another one since.
pub(super) fn is_current(live: &Live, wanted: &Secret) -> bool {
    let noted = live.tags.value(VALUE).and_then(|tag| tag.rsplit_once(':'));
    noted.is_some_and(|(fingerprint, version)| {
        version == live.version.to_string() && is_of(fingerprint, wanted)
    })
}

fn shown(value: Option<&str>) -> Shown {
    match value {
        Some(text) if text.contains('\n') => Shown::Block(text.to_owned()),
        text => Shown::option(text),
    }
}

impl Parameter {
    /// The value that the playbook has, as AWS takes it.
    pub(super) fn plain_value(&self) -> Option<String> {
        let values = self.value.as_ref()?.0.iter();
        let values: Vec<&str> = values.map(|value| value.0.as_str()).collect();
        Some(values.join(","))
    }
}

/// Limits: <https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_PutParameter.html>.
pub(super) fn problems(spec: &Parameter) -> Vec<(Vec<Step>, String)> {
    let at = |field: &str| vec![Step::Key(field.to_owned())];
    let mut problems = Vec::new();
    let mut say = |field: &str, text: String| problems.push((at(field), text));
    if let Some(problem) = spec.name.as_deref().and_then(name_problem) {
        say("name", problem.to_owned());
    }
    match (&spec.value, &spec.value_from) {
        (None, None) if spec.generate.is_some() => {}
        (None, None) => {
            let text = "a parameter needs `value`, `value_from` or `generate`";
            say("", text.to_owned());
        }
        (Some(_), Some(_)) => say("value_from", "leave out `value` or `value_from`".to_owned()),
        (None, Some(source)) => {
            if let Some(problem) = source.problem() {
                say("value_from", problem.to_owned());
            }
        }
        (Some(_), None) if spec.kind == Type::SecureString => {
            let text =
                "the value of a `SecureString` comes from `value_from`, not from the playbook";
            say("value", text.to_owned());
        }
        (Some(values), None) => {
            let list = spec.kind == Type::StringList;
            if !list && values.0.len() != 1 {
                say("value", "only a `StringList` has several values".to_owned());
            }
            if list && values.0.iter().any(|value| value.0.contains(',')) {
                let text = "a value of a `StringList` has no comma: commas are between values";
                say("value", text.to_owned());
            }
            let length = spec.plain_value().unwrap_or_default().len();
            let most = match spec.tier {
                Tier::Standard => 4096,
                Tier::Advanced | Tier::IntelligentTiering => 8192,
            };
            if length == 0 || length > most {
                say(
                    "value",
                    format!("a value has 1 to {most} bytes, not {length}"),
                );
            }
        }
    }
    if let Some(generate) = &spec.generate {
        if spec.value.is_some() || spec.value_from.is_some() {
            let text = "leave out `generate`, or `value` and `value_from`";
            say("generate", text.to_owned());
        } else if spec.kind != Type::SecureString {
            let text = "a random value is for a `SecureString`: others are shown";
            say("generate", text.to_owned());
        } else if let Some(problem) = generate.problem() {
            say("generate", problem);
        }
    }
    if spec.key.is_some() && spec.kind != Type::SecureString {
        say("key", "only a `SecureString` is encrypted".to_owned());
    }
    if spec.description.chars().count() > 1024 {
        let text = "a description has at most 1024 characters";
        say("description", text.to_owned());
    }
    for (path, _) in &mut problems {
        path.retain(|step| *step != Step::Key(String::new()));
    }
    problems
}

fn name_problem(name: &str) -> Option<&'static str> {
    let fits = |c: char| c.is_ascii_alphanumeric() || "_.-/".contains(c);
    let first = name.trim_start_matches('/').to_ascii_lowercase();
    if name.is_empty() || name.len() > 1011 || !name.chars().all(fits) {
        Some("a parameter's name has 1 to 1011 letters, digits and `_.-/`")
    } else if name.contains('/') && !name.starts_with('/') {
        Some("a parameter's name with levels begins with `/`")
    } else if name.matches('/').count() > 15 {
        Some("a parameter's name has at most 15 levels")
    } else if first.starts_with("aws") || first.starts_with("ssm") {
        Some("a parameter's name does not begin with `aws` or `ssm`")
    } else {
        None
    }
}
