//! The arguments of a call, as far as they are names and literals.

use super::lexer::{Sort, Token};

/// An argument of a call.
pub(super) struct Argument<'a> {
    pub(super) name: Option<&'a str>,
    value: &'a [Token],
}

impl<'a> Argument<'a> {
    /// `name = value`, or a value.
    pub(super) fn new(tokens: &'a [Token]) -> Self {
        match tokens {
            [name, equals, value @ ..] if equals.is_mark("=") => Self {
                name: Some(&name.text),
                value,
            },
            value => Self { name: None, value },
        }
    }

    /// Its value, if that is one string or number.
    pub(super) fn literal(&self) -> Option<&'a Token> {
        match self.value {
            [token] if matches!(token.sort, Sort::Text | Sort::Number) => Some(token),
            _ => None,
        }
    }

    /// The strings that it is: one, or those of `c(…)`.
    pub(super) fn texts(&self) -> Vec<&'a Token> {
        let list = self.value.first().is_some_and(|it| it.is_name("c"));
        if !list {
            return self.literal().into_iter().collect();
        }
        let texts = self.value.iter().filter(|it| it.sort == Sort::Text);
        texts.collect()
    }

    /// The package that it names for `box::use`, which also takes paths of files.
    pub(super) fn package(&self) -> Option<&'a Token> {
        let is_path = self.value.iter().any(|it| it.is_mark("/"));
        let first = self.value.first().filter(|it| it.sort == Sort::Name)?;
        (!is_path && !first.text.starts_with('.') && !self.is_switch()).then_some(first)
    }

    /// `TRUE` and the like, which are no packages.
    fn is_switch(&self) -> bool {
        let first = self.value.first();
        first.is_some_and(|it| matches!(it.text.as_str(), "TRUE" | "FALSE" | "T" | "F" | "NULL"))
    }
}

/// `library(x, character.only = TRUE)`: the name is a variable's.
pub(super) fn by_variable(arguments: &[Argument<'_>]) -> bool {
    let only = arguments
        .iter()
        .find(|it| it.name == Some("character.only"));
    only.is_some_and(|it| it.value.first().is_some_and(|it| it.text.starts_with('T')))
}

/// The package that `library()` and its like name; a bare name only where that is no variable.
pub(super) fn first_package<'a>(arguments: &[Argument<'a>], bare: bool) -> Option<&'a Token> {
    let named = arguments.iter().find(|it| it.name == Some("package"));
    let first = || arguments.first().filter(|it| it.name.is_none());
    match named.or_else(first)?.value {
        [token] if token.sort == Sort::Text || (bare && token.sort == Sort::Name) => Some(token),
        _ => None,
    }
}
