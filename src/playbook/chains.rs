//! Looks at the dotted names in an expression before it is evaluated: does each exist, and which
//! resources does it refer to.

use std::collections::HashSet;
use std::ops::Range;

use minijinja::Value;

use super::declaration::{How, Reference};
use super::expression::Findings;
use super::names::Names;
use super::scope::{Fact, Scope};
use super::tokens::{Chain, Scanned};
use crate::base::{Address, Error, Location, suggestion};

/// Checks every name in `scanned` that is among `free`, and collects references.
pub(super) fn check(
    scanned: &Scanned,
    text: &str,
    free: &HashSet<String>,
    scope: &Scope,
    place: &dyn Fn(Range<usize>) -> Location,
    findings: &mut Findings,
) {
    let guarded = text.contains("default") || text.contains("defined") || text.contains("| d(");
    for chain in &scanned.chains {
        if !free.contains(&chain.root) || scope.extra.contains_key(&chain.root) {
            continue;
        }
        if let Err(wrong) = known(chain, scope, guarded) {
            let at = place(chain.range.clone());
            let error = Error::playbook(wrong.message, &at);
            findings.errors.push(error.hint(wrong.hint));
        } else if scope.names.sections.contains_key(&chain.root) {
            let at = place(chain.range.clone());
            let names = &scope.names;
            for target in names.addresses(&chain.root, &chain.keys) {
                let output = chain.keys.last();
                let lender = output.and_then(|output| names.lender(&target, output));
                for target in std::iter::once(target).chain(lender) {
                    findings.references.push(Reference {
                        target,
                        at: at.clone(),
                        how: How::Expression,
                        declared: true,
                        attaches: false,
                    });
                }
            }
        }
    }
}

/// The bytes of the written text where the dotted name `path` is read.
pub(super) fn find(scanned: &Scanned, path: &str) -> Option<Range<usize>> {
    let reads = |chain: &&Chain| {
        let mut written = chain.root.clone();
        let mut bracketed = written.clone();
        for (depth, key) in chain.keys.iter().enumerate() {
            written = format!("{written}.{key}");
            bracketed = match depth {
                1 => format!("{bracketed}[{key}]"),
                _ => format!("{bracketed}.{key}"),
            };
            if written == path || bracketed == path {
                return true;
            }
        }
        chain.keys.is_empty() && chain.root == path
    };
    scanned
        .chains
        .iter()
        .find(reads)
        .map(|chain| chain.range.clone())
}

/// What the template engine reads in an expression or at the begin of a statement, and is no name.
const WORDS: [&str; 16] = [
    "and", "as", "call", "elif", "else", "filter", "for", "from", "if", "in", "include", "is",
    "not", "or", "set", "with",
];

/// The dotted name that an error at the bytes `range` of the written text is about: the one that stands there, of
/// several the first that has no value in `root`, or what is given to the filter there.
pub(super) fn subject<'a>(
    scanned: &Scanned,
    text: &'a str,
    range: &Range<usize>,
    root: &Value,
) -> Option<&'a str> {
    let is_word = |chain: &Chain| chain.keys.is_empty() && WORDS.contains(&chain.root.as_str());
    let names = || scanned.chains.iter().filter(|chain| !is_word(chain));
    let inside =
        |chain: &&Chain| range.contains(&chain.range.start) || chain.range.contains(&range.start);
    let there: Vec<_> = names().filter(inside).collect();
    let chain = match there.as_slice() {
        [] => {
            let mut before = names().filter(|chain| chain.range.end <= range.start);
            let is_given = |chain: &&Chain| {
                let between = text.get(chain.range.end..range.start);
                between.is_some_and(|between| between.trim() == "|")
            };
            before.next_back().filter(is_given)?
        }
        [only] => only,
        several => several.iter().find(|chain| has_no_value(chain, root))?,
    };
    text.get(chain.range.clone())
}

/// It begins with a name of `root`, and nothing is where it leads to.
fn has_no_value(chain: &Chain, root: &Value) -> bool {
    let step = |value: Value, key: &String| value.get_attr(key).ok();
    let begin = root.get_attr(&chain.root).unwrap_or_default();
    let end = chain.keys.iter().try_fold(begin.clone(), step);
    !begin.is_undefined() && end.is_none_or(|end| end.is_undefined() || end.is_none())
}

struct Wrong {
    message: String,
    hint: String,
}

fn wrong(message: impl Into<String>, hint: impl Into<String>) -> Result<(), Wrong> {
    Err(Wrong {
        message: message.into(),
        hint: hint.into(),
    })
}

fn known(chain: &Chain, scope: &Scope, guarded: bool) -> Result<(), Wrong> {
    let first = chain.keys.first().map(String::as_str);
    match (chain.root.as_str(), first) {
        ("vars", Some(name)) => var(name, scope),
        ("env", Some(name)) if !guarded && !scope.env.contains_key(name) => wrong(
            format!("the environment variable `{name}` is not set"),
            format!("set it, or give a default: `{{{{ env.{name} | default(\"…\") }}}}`"),
        ),
        ("each", _) if scope.each.is_none() => wrong(
            "`each` is known only in a resource with `for_each`",
            "add `for_each: [a, b]` to the resource",
        ),
        ("each", Some(name)) if !matches!(name, "key" | "value") => wrong(
            format!("`each` has no `{name}`"),
            "use `each.key` or `each.value`",
        ),
        ("vars" | "env" | "each", _) => Ok(()),
        (name @ ("stack" | "region" | "account"), _) => fact(name, scope),
        (kind, _) if scope.names.sections.contains_key(kind) => {
            if scope.outputs {
                resource(kind, &chain.keys, &scope.names)
            } else {
                wrong(
                    format!("`{kind}` cannot be read here"),
                    "only `vars` and `env` are known before resources are",
                )
            }
        }
        (root, _) => unknown_root(root, scope),
    }
}

fn var(name: &str, scope: &Scope) -> Result<(), Wrong> {
    let laid_over = scope
        .extra
        .get("vars")
        .is_some_and(|vars| vars.get(name).is_some());
    if laid_over || scope.vars.contains_key(name) {
        return Ok(());
    }
    if scope.names.vars.contains_key(name) {
        return wrong(
            format!("`vars.{name}` is not known yet"),
            "a default may read the variables before it and `env`",
        );
    }
    let names: Vec<_> = scope.names.vars.keys().map(String::as_str).collect();
    let hint = if names.is_empty() {
        format!("declare it: `vars: {{ {name}: {{ description: … }} }}`")
    } else {
        suggestion::hint(name, &names)
    };
    wrong(format!("the variable `{name}` is not declared"), hint)
}

fn fact(name: &str, scope: &Scope) -> Result<(), Wrong> {
    let fact = match name {
        "stack" => &scope.stack,
        "region" => &scope.region,
        _ => &scope.account,
    };
    match fact {
        Fact::NotHere => wrong(
            format!("`{name}` cannot be read here"),
            "only `vars` and `env` are known here",
        ),
        _ => Ok(()),
    }
}

fn resource(kind: &str, path: &[String], names: &Names) -> Result<(), Wrong> {
    let Some(name) = path.first() else {
        return Ok(());
    };
    match (names.keys(kind, name), path.get(1)) {
        (None, _) => {
            let declared: Vec<_> = names
                .sections
                .get(kind)
                .into_iter()
                .flat_map(|section| section.keys().map(String::as_str))
                .collect();
            let hint = if declared.is_empty() {
                format!("this playbook declares no `{kind}`")
            } else {
                suggestion::hint(name, &declared)
            };
            wrong(format!("`{kind}.{name}` is not declared"), hint)
        }
        (Some(Some(_)), _) if names.is_pending(kind, name) => output(kind, path, 2, names),
        (Some(Some(keys)), Some(key)) if !keys.contains(key) => {
            let keys: Vec<_> = keys.iter().map(String::as_str).collect();
            wrong(
                format!("`{kind}.{name}` has no `{key}`: `for_each` makes one for each key"),
                suggestion::hint(key, &keys),
            )
        }
        (Some(keys), _) => {
            let place = if keys.is_some() { 2 } else { 1 };
            output(kind, path, place, names)
        }
    }
}

/// The output at `place` of the path is one that the kind has.
fn output(kind: &str, path: &[String], place: usize, names: &Names) -> Result<(), Wrong> {
    let (Some(output), Some(outputs)) = (path.get(place), names.outputs.get(kind)) else {
        return Ok(());
    };
    let name = path.first().map(String::as_str).unwrap_or_default();
    let mut outputs = outputs.clone();
    if !outputs.is_empty() {
        outputs.extend(names.lent(&Address::new(kind, name)));
    }
    if outputs.is_empty() || outputs.contains(&output.as_str()) {
        return Ok(());
    }
    let resource = path[..place].join(".");
    wrong(
        format!("`{kind}.{resource}` has no output `{output}`"),
        suggestion::hint(output, &outputs),
    )
}

fn unknown_root(root: &str, scope: &Scope) -> Result<(), Wrong> {
    let message = format!("`{root}` is not defined");
    if scope.names.vars.contains_key(root) {
        return wrong(message, format!("did you mean `vars.{root}`?"));
    }
    if scope.env.contains_key(root) {
        return wrong(message, format!("did you mean `env.{root}`?"));
    }
    let mut roots = vec![
        "vars", "env", "each", "stack", "region", "account", "range", "file", "files", "fail",
    ];
    roots.extend(scope.names.sections.keys().map(String::as_str));
    roots.extend(scope.extra.keys().map(String::as_str));
    match suggestion::nearest(root, roots.iter().copied()) {
        Some(near) => wrong(message, format!("did you mean `{near}`?")),
        None => wrong(
            message,
            "an expression may read `vars`, `env`, `each`, `stack`, `region`, `account` and sections",
        ),
    }
}
