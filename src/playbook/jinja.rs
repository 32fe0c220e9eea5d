//! The template engine's settings: strict, bounded, with a few filters of our own; and its errors
//! in our words.

use base64::Engine as _;
use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{Environment, Error as Failure, ErrorKind, UndefinedBehavior, Value};

use super::files::Files;
use crate::base::{Error, ErrorKind as Sort, Location, suggestion};

/// Instructions that one evaluation may run: far more than any template needs.
const FUEL: u64 = 5_000_000;

/// A fresh engine that finds files by `files`.
pub(super) fn environment(files: Files) -> Environment<'static> {
    let mut env = Environment::new();
    env.set_undefined_behavior(UndefinedBehavior::Strict);
    env.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
    if let Ok(syntax) = SyntaxConfig::builder().keep_trailing_newline(true).build() {
        env.set_syntax(syntax);
    }
    env.set_fuel(Some(FUEL));
    env.set_formatter(|out, state, value| {
        if value.is_none() {
            return Err(failure("this has no value".to_owned()));
        }
        minijinja::escape_formatter(out, state, value)
    });
    env.add_filter("to_json", |value: Value| {
        serde_json::to_string(&value).map_err(|error| failure(error.to_string()))
    });
    env.add_filter("from_yaml", |text: &str| {
        serde_saphyr::from_str::<serde_json::Value>(text)
            .map(|value| Value::from(Serde(value)))
            .map_err(|error| failure(error.to_string()))
    });
    env.add_filter("b64encode", |value: Value| {
        let bytes = value.as_bytes().map(<[u8]>::to_vec);
        let bytes = bytes.unwrap_or_else(|| value.to_string().into_bytes());
        base64::prelude::BASE64_STANDARD.encode(bytes)
    });
    env.add_function("fail", |message: &str| -> Result<Value, Failure> {
        Err(failure(message.to_owned()))
    });
    let folders = files.clone();
    env.add_function("files", move |name: &str| {
        folders
            .list(name)
            .map_err(|error| failure(error.message().to_owned()))
    });
    env.add_function("file", move |name: &str| {
        // Beside the playbook, not where the program was started.
        let nowhere = Location::nowhere(&files.folder.join("-").to_string_lossy());
        let (_, bytes) = files
            .read(name, &nowhere)
            .map_err(|error| failure(error.message().to_owned()))?;
        String::from_utf8(bytes.to_vec())
            .map_err(|_| failure(format!("`{name}` is not text in UTF-8")))
    });
    env
}

/// The error for what is larger than any expression needs to be.
pub(super) fn too_large(at: &Location) -> Error {
    Error::playbook("this expression is too long or too deep", at)
        .hint("compute parts of it in `vars:`, or move it to a template")
}

fn failure(message: String) -> Failure {
    Failure::new(ErrorKind::InvalidOperation, message)
}

/// The engine's error as ours, without a place. `subject` is the name that it is about, if known.
pub(super) fn explain(failed: &Failure, env: &Environment<'_>, subject: Option<&str>) -> Error {
    let detail = failed.detail().unwrap_or_default().trim_end_matches('.');
    let error = |message: String| Error::new(Sort::Playbook, message);
    match failed.kind() {
        ErrorKind::SyntaxError => {
            let mut detail = detail.trim_start_matches("unexpected `").to_owned();
            if detail.len() < failed.detail().unwrap_or_default().len() {
                detail = format!("unexpected `{detail}");
            }
            error(format!(
                "this expression is not complete or not correct: {detail}"
            ))
            .hint(
                "expressions are Jinja: `{{ vars.name }}`; text with braces of its own goes \
                 between `{% raw %}` and `{% endraw %}`",
            )
        }
        ErrorKind::UndefinedError => error(match subject {
            Some(subject) => format!("`{subject}` is not defined"),
            None => "a part of this is not defined".to_owned(),
        })
        .hint("allow for that: `{{ … | default(\"\") }}`"),
        ErrorKind::OutOfFuel => error("this expression runs for too long".to_owned()),
        ErrorKind::UnknownFilter => {
            let name = detail.split(' ').nth(1).unwrap_or(detail);
            let filters = FILTERS.iter().copied();
            let unknown = error(format!("there is no filter `{name}`"));
            match suggestion::nearest(name, filters) {
                Some(near) => unknown.hint(format!("did you mean `{near}`?")),
                None => unknown,
            }
        }
        ErrorKind::UnknownFunction => {
            let name = detail.split(' ').next().unwrap_or(detail);
            let known: Vec<_> = env.globals().map(|(name, _)| name.to_owned()).collect();
            let unknown = error(format!("there is no function `{name}`"));
            match suggestion::nearest(name, known.iter().map(String::as_str)) {
                Some(near) => unknown.hint(format!("did you mean `{near}`?")),
                None => unknown,
            }
        }
        ErrorKind::InvalidOperation if detail == "this has no value" => error(match subject {
            Some(subject) => format!("`{subject}` has no value"),
            None => "this has no value".to_owned(),
        })
        .hint("give one for that case: `{{ … or \"none\" }}`"),
        _ => error(said(detail, failed)),
    }
}

fn said(detail: &str, failed: &Failure) -> String {
    if detail.is_empty() {
        failed.kind().to_string()
    } else {
        detail.to_owned()
    }
}

/// Filters worth suggesting.
const FILTERS: [&str; 37] = [
    "abs",
    "b64encode",
    "batch",
    "bool",
    "capitalize",
    "default",
    "dictsort",
    "escape",
    "first",
    "float",
    "from_yaml",
    "groupby",
    "indent",
    "int",
    "items",
    "join",
    "last",
    "length",
    "lines",
    "list",
    "lower",
    "map",
    "max",
    "min",
    "reject",
    "replace",
    "reverse",
    "round",
    "select",
    "sort",
    "split",
    "string",
    "sum",
    "title",
    "to_json",
    "trim",
    "upper",
];
