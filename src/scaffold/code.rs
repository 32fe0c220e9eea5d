//! What a file of R code says about itself: the packages that it uses, the environment variables
//! that it reads, the routes and ports that it serves.

use super::arguments::{Argument, by_variable, first_package};
use super::lexer::{Comment, Sort, Token, lex};
use super::markdown;

/// Calls whose first argument is a package.
const ATTACHING: [&str; 2] = ["library", "require"];
/// The same, where a bare name would be a variable.
const LOADING: [&str; 3] = ["requireNamespace", "loadNamespace", "attachNamespace"];
/// Calls that serve until they are ended.
const SERVING: [&str; 4] = ["pr_run", "runApp", "api_run", "run"];

/// A file of R code, or of prose with R code in it.
pub(super) struct Code {
    /// Path in the folder, with `/`.
    pub(super) path: String,
    pub(super) tokens: Vec<Token>,
    pub(super) comments: Vec<Comment>,
    /// The header of a document, line by line from the first; empty for scripts.
    pub(super) header: Vec<String>,
}

/// Something that a line names.
pub(super) struct Named {
    pub(super) name: String,
    pub(super) line: usize,
}

/// An environment variable that is read, with the literal default.
pub(super) struct Read {
    pub(super) name: String,
    pub(super) default: Option<String>,
    pub(super) line: usize,
}

/// A call that serves.
pub(super) struct Serving {
    pub(super) line: usize,
    /// It stands at the top of the file, under no condition.
    pub(super) always: bool,
    pub(super) port: Option<u16>,
    pub(super) host: Option<String>,
}

impl Code {
    /// Reads `text`.
    pub(super) fn new(path: String, text: &str) -> Self {
        let is_document = !path.to_lowercase().ends_with(".r");
        let (header, code) = if is_document {
            markdown::split(text)
        } else {
            (Vec::new(), text.to_owned())
        };
        let lexed = lex(&code);
        Self {
            path,
            tokens: lexed.tokens,
            comments: lexed.comments,
            header,
        }
    }

    /// Whether it stands in the folder itself.
    pub(super) fn is_on_top(&self) -> bool {
        !self.path.contains('/')
    }

    /// Whether it is a script, not a document.
    pub(super) fn is_script(&self) -> bool {
        self.path.to_lowercase().ends_with(".r")
    }

    /// The line that makes it a program: `#!/usr/bin/env Rscript`.
    pub(super) fn is_program(&self) -> bool {
        let first = self.comments.first().filter(|comment| comment.line == 1);
        first.is_some_and(|it| it.text.starts_with("#!") && it.text.contains("Rscript"))
    }

    /// The line of the first use of a package, or of one of these functions.
    pub(super) fn line_of(&self, package: &str, functions: &[&str]) -> Option<usize> {
        let used = self.packages().into_iter().find(|it| it.name == package);
        let called = || {
            let (at, token) = self
                .calls()
                .find(|(_, it)| functions.contains(&it.text.as_str()))?;
            (!self.is_method(at)).then_some(token.line)
        };
        used.map(|it| it.line).or_else(called)
    }

    /// The packages that it uses, in order, some of them more than once.
    pub(super) fn packages(&self) -> Vec<Named> {
        let mut found = markdown::header_packages(&self.header);
        let mut add = |token: &Token| {
            found.push(Named {
                name: token.text.clone(),
                line: token.line,
            });
        };
        for (at, token) in self.tokens.iter().enumerate() {
            let next = self.tokens.get(at + 1);
            if next.is_some_and(|it| it.is_mark("::") || it.is_mark(":::")) {
                add(token);
            } else if token.sort == Sort::Name && next.is_some_and(|it| it.is_mark("(")) {
                let name = token.text.as_str();
                let arguments = self.arguments(at + 1);
                if ATTACHING.contains(&name) || LOADING.contains(&name) {
                    let bare = ATTACHING.contains(&name) && !by_variable(&arguments);
                    if let Some(package) = first_package(&arguments, bare) {
                        add(package);
                    }
                } else if name == "use" && self.is_of(at, "box") || name == "p_load" {
                    arguments
                        .iter()
                        .filter_map(Argument::package)
                        .for_each(&mut add);
                }
            }
        }
        found
    }

    /// The environment variables that it reads.
    pub(super) fn variables(&self) -> Vec<Read> {
        let mut found = Vec::new();
        for (at, _) in self.calls().filter(|(_, it)| it.is_name("Sys.getenv")) {
            let arguments = self.arguments(at + 1);
            let named = |name: &str| arguments.iter().find(|it| it.name == Some(name));
            let unnamed = |index: usize| arguments.iter().filter(|it| it.name.is_none()).nth(index);
            let Some(what) = named("x").or_else(|| unnamed(0)) else {
                continue;
            };
            let index = usize::from(named("x").is_none());
            let default = named("unset").or_else(|| unnamed(index));
            let default = default.and_then(Argument::literal);
            for token in what.texts() {
                found.push(Read {
                    name: token.text.clone(),
                    default: default.map(|it| it.text.clone()),
                    line: token.line,
                });
            }
        }
        found
    }

    /// The paths that answer to GET: `#* @get /healthz`, or `pr_get("/healthz", …)`.
    pub(super) fn get_routes(&self) -> Vec<Named> {
        let mut found = Vec::new();
        for comment in &self.comments {
            let marked = comment
                .text
                .strip_prefix("#*")
                .or_else(|| comment.text.strip_prefix("#'"));
            let mut words = marked.unwrap_or_default().split_whitespace();
            if words.next() == Some("@get") {
                let path = words.next().filter(|path| path.starts_with('/'));
                found.extend(path.map(|path| Named {
                    name: path.to_owned(),
                    line: comment.line,
                }));
            }
        }
        let getting = |token: &Token| token.is_name("pr_get") || token.is_name("api_get");
        for (at, _) in self.calls().filter(|(_, it)| getting(it)) {
            let arguments = self.arguments(at + 1);
            let mut literals = arguments.iter().filter_map(Argument::literal);
            let path = literals.find(|it| it.sort == Sort::Text && it.text.starts_with('/'));
            found.extend(path.map(|path| Named {
                name: path.text.clone(),
                line: path.line,
            }));
        }
        found
    }

    /// The calls that serve, with what is written in them.
    pub(super) fn serving(&self) -> Vec<Serving> {
        let serves = |(at, token): &(usize, &Token)| {
            let known = SERVING.contains(&token.text.as_str());
            known && (token.text == "run") == self.is_method(*at)
        };
        let serving = self.calls().filter(serves).map(|(at, token)| {
            let arguments = self.arguments(at + 1);
            let literal = |name: &str| {
                let argument = arguments.iter().find(|it| it.name == Some(name));
                argument.and_then(Argument::literal)
            };
            Serving {
                line: token.line,
                always: token.depth == 0 && !self.is_conditional(at),
                port: literal("port").and_then(|it| it.text.trim_end_matches('L').parse().ok()),
                host: literal("host").map(|it| it.text.clone()),
            }
        });
        serving.collect()
    }

    /// The names that are called, with where they are.
    fn calls(&self) -> impl Iterator<Item = (usize, &Token)> {
        let called = |at: usize| self.tokens.get(at + 1).is_some_and(|it| it.is_mark("("));
        let tokens = self.tokens.iter().enumerate();
        tokens.filter(move |(at, token)| token.sort == Sort::Name && called(*at))
    }

    fn before(&self, at: usize) -> Option<&Token> {
        self.tokens.get(at.checked_sub(1)?)
    }

    fn is_method(&self, at: usize) -> bool {
        self.before(at).is_some_and(|it| it.is_mark("$"))
    }

    fn is_of(&self, at: usize, package: &str) -> bool {
        let package_at = at.checked_sub(2).and_then(|at| self.tokens.get(at));
        self.before(at).is_some_and(|it| it.is_mark("::"))
            && package_at.is_some_and(|it| it.is_name(package))
    }

    /// `if (interactive()) runApp()`: what stands before is a bracket of the same line, or `else`.
    fn is_conditional(&self, at: usize) -> bool {
        let qualified = self.before(at).is_some_and(|it| it.is_mark("::"));
        let begin = if qualified { at.saturating_sub(2) } else { at };
        let line = self.tokens.get(at).map_or(0, |it| it.line);
        let before = self.before(begin);
        before.is_some_and(|it| it.is_name("else") || (it.is_mark(")") && it.line == line))
    }

    /// The arguments of the call whose bracket is at `open`.
    fn arguments(&self, open: usize) -> Vec<Argument<'_>> {
        let Some(bracket) = self.tokens.get(open) else {
            return Vec::new();
        };
        let rest = self.tokens.get(open + 1..).unwrap_or_default();
        let close = rest.iter().position(|it| it.depth <= bracket.depth);
        let inner = rest.get(..close.unwrap_or(rest.len())).unwrap_or_default();
        let is_comma = |it: &Token| it.is_mark(",") && it.depth == bracket.depth + 1;
        let arguments = inner.split(is_comma).filter(|it| !it.is_empty());
        arguments.map(Argument::new).collect()
    }
}

#[cfg(test)]
mod tests;
