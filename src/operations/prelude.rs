//! The shell functions that some commands need, out of all that there are: a host reads each batch
//! anew, and most need few.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{LazyLock, Mutex, PoisonError};

use crate::base::Blob;
use crate::ssh::Command;

/// Every function that operations may name as a program.
const ALL: &str = concat!(
    include_str!("host.sh"),
    "\n",
    include_str!("guard.sh"),
    "\n",
    include_str!("manifest.sh"),
    "\n",
    include_str!("packages.sh"),
    "\n",
    include_str!("reboot.sh")
);

static FUNCTIONS: LazyLock<Functions> = LazyLock::new(|| Functions::read(ALL));

/// The texts that were asked for: many hosts get the same.
static TEXTS: LazyLock<Mutex<HashMap<BTreeSet<&str>, Blob>>> = LazyLock::new(Mutex::default);

/// Functions by name, and what is outside of them.
struct Functions {
    outside: String,
    by_name: BTreeMap<&'static str, &'static str>,
}

/// What the commands name, and all that this needs.
#[must_use]
pub fn of<'a>(commands: impl Iterator<Item = &'a Command>) -> Blob {
    let functions = &*FUNCTIONS;
    let mut open: Vec<&str> = words(&functions.outside).collect();
    for command in commands {
        open.extend(command.argv.iter().flat_map(|argument| words(argument)));
    }
    let mut needed = BTreeSet::new();
    while let Some(word) = open.pop() {
        if let Some((name, text)) = functions.by_name.get_key_value(word)
            && needed.insert(*name)
        {
            open.extend(words(text));
        }
    }
    let mut texts = TEXTS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(text) = texts.get(&needed) {
        return text.clone();
    }
    let parts = needed.iter().map(|name| functions.by_name[name]);
    let parts = std::iter::once(functions.outside.as_str()).chain(parts);
    let text = Blob::from(parts.collect::<String>());
    texts.insert(needed, text.clone());
    text
}

/// Words that may be names of functions.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    words.filter(|word| word.starts_with("tw_"))
}

impl Functions {
    /// A function begins with `name() {` and ends with `}` at the begin of a line, or on its first.
    fn read(text: &'static str) -> Self {
        let mut functions = Self {
            outside: String::new(),
            by_name: BTreeMap::new(),
        };
        let mut rest = text;
        while !rest.is_empty() {
            let end = rest.find('\n').map_or(rest.len(), |end| end + 1);
            let line = &rest[..end];
            let Some((name, body)) = line.split_once("() {") else {
                if !line.starts_with('#') && line != "\n" {
                    functions.outside.push_str(line);
                }
                rest = &rest[end..];
                continue;
            };
            let end = if body.trim_end().ends_with('}') {
                end
            } else {
                rest.find("\n}\n").map_or(rest.len(), |end| end + 3)
            };
            functions.by_name.insert(name, &rest[..end]);
            rest = &rest[end..];
        }
        functions
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command as Process;

    use super::*;

    fn of<'a>(commands: impl Iterator<Item = &'a Command>) -> String {
        String::from_utf8_lossy(&super::of(commands)).into_owned()
    }

    #[test]
    fn a_look_does_not_carry_what_changes_things() {
        let look = of([Command::new(["tw_see_packages", "nginx"])].iter());
        assert!(look.contains("tw_see_debs() {") && look.contains("tw_manager() {"));
        assert!(look.contains("\ntw_line='\n'\n") || look.starts_with("tw_line"));
        assert!(!look.contains("tw_put() {") && !look.contains("tw_apt_get() {"));
        let put = of([Command::new([
            "tw_put",
            "/a",
            "-",
            "-",
            "-",
            "tw_verify_unit %s",
        ])]
        .iter());
        assert!(put.contains("tw_put_staged() {") && put.contains("tw_verify_unit() {"));
    }

    #[test]
    fn nothing_is_lost_and_each_function_is_whole() {
        let functions = &*FUNCTIONS;
        let begun = ALL.lines().filter(|line| line.contains("() {")).count();
        assert_eq!(functions.by_name.len(), begun);
        for name in functions.by_name.keys() {
            let text = of([Command::new([*name])].iter());
            let shell = Process::new("sh").args(["-nc", &text]).status().unwrap();
            assert!(shell.success(), "{text}");
        }
    }
}
