//! `.dockerignore`: what of a folder is no part of a build's context.
//!
//! <https://docs.docker.com/build/concepts/context/#dockerignore-files>: Go's `filepath.Match` with `**`,
//! from the context's root; a pattern that matches a folder matches all in it; the last line decides.

use globset::{GlobBuilder, GlobMatcher};

use crate::base::{Error, Result};

/// The rules of one file.
#[derive(Debug, Default)]
pub(super) struct Ignored(Vec<Rule>);

#[derive(Debug)]
struct Rule {
    is_exception: bool,
    itself: GlobMatcher,
    below: GlobMatcher,
}

impl Ignored {
    /// Reads them.
    ///
    /// # Errors
    /// The line that is no pattern.
    pub(super) fn read(text: &str) -> Result<Self> {
        let mut rules = Vec::new();
        let lines = text.trim_start_matches('\u{feff}').lines().enumerate();
        for (index, line) in lines {
            if line.starts_with('#') {
                continue;
            }
            let line = line.trim();
            let (is_exception, pattern) = match line.strip_prefix('!') {
                Some(rest) => (true, clean(rest.trim())),
                None => (false, clean(line)),
            };
            if pattern.is_empty() {
                continue;
            }
            let glob = |pattern: &str| {
                // Braces are only braces there.
                let pattern = pattern.replace('{', "[{]").replace('}', "[}]");
                let glob = GlobBuilder::new(&pattern)
                    .literal_separator(true)
                    .backslash_escape(true)
                    .build();
                glob.map(|glob| glob.compile_matcher()).map_err(|cause| {
                    let number = index + 1;
                    Error::failed(format!("line {number}, `{line}`: {}", cause.kind()))
                })
            };
            rules.push(Rule {
                is_exception,
                itself: glob(&pattern)?,
                below: glob(&format!("{pattern}/**"))?,
            });
        }
        Ok(Self(rules))
    }

    /// A path in the context, with `/` between its parts, is left out.
    pub(super) fn has(&self, path: &str) -> bool {
        let matching = |rule: &&Rule| rule.itself.is_match(path) || rule.below.is_match(path);
        let last = self.0.iter().rev().find(matching);
        last.is_some_and(|rule| !rule.is_exception)
    }

    /// Something in a folder that is left out may be taken in again.
    pub(super) fn has_exceptions(&self) -> bool {
        self.0.iter().any(|rule| rule.is_exception)
    }
}

/// As Go's `filepath.Clean` does it, and without a slash at the begin.
fn clean(pattern: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in pattern.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_read_as_docker_reads_them() {
        let text = "# a comment\n\n*.md\n!README.md\n/data/\n./tmp\n**/.Rhistory\nsrc/?.R\nlib/[ab]*\n\
                    !data/keep/this.csv\n{a,b}\n";
        let ignored = Ignored::read(text).unwrap();
        for path in [
            "notes.md",
            "data",
            "data/x/y.csv",
            "tmp/z",
            ".Rhistory",
            "deep/down/.Rhistory",
            "src/a.R",
            "lib/apple",
            "{a,b}",
        ] {
            assert!(ignored.has(path), "{path}");
        }
        for path in [
            "README.md",
            "docs/notes.md",
            "data/keep/this.csv",
            "src/ab.R",
            "lib/cherry",
            "a",
            "plumber.R",
        ] {
            assert!(!ignored.has(path), "{path}");
        }
        assert!(ignored.has_exceptions());
        let wrong = Ignored::read("fine\n[a\n").unwrap_err();
        assert!(wrong.message().starts_with("line 2, `[a`"), "{wrong:?}");
    }
}
