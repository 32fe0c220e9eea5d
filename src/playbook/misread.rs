//! What the YAML parser could not read, in words that say what to do.

use std::sync::Arc;

use granit_parser::{ErrorKind, Marker, ScanError};

use super::yaml::DEEPEST;
use crate::base::{Error, Location, Source};

/// The place that a marker of the parser stands for.
pub(super) fn place(source: &Arc<Source>, mark: &Marker) -> Location {
    Location::new(source, mark.line().max(1), mark.col() + 1)
}

/// The parser's error as ours.
pub(super) fn explain(source: &Arc<Source>, error: &ScanError) -> Error {
    let at = place(source, error.marker());
    match error.kind() {
        ErrorKind::RecursionLimitExceeded => return too_deep(&at),
        ErrorKind::UnknownAnchor => {
            return Error::playbook("this alias names no anchor", &at)
                .hint("define it first, with `&name`");
        }
        _ => {}
    }
    let failed = Error::playbook(format!("not valid YAML: {}", error.kind()), &at);
    // A text may go on in the next line, so that a tab there is found in the text before it.
    let lines = source.from_line(at.line).unwrap_or_default().lines();
    for (index, line) in lines.take(2).enumerate() {
        let indent = line.len() - line.trim_start().len();
        if let Some(tab) = line[..indent].find('\t') {
            let at = Location::new(source, at.line + index, tab + 1);
            return Error::playbook(failed.message(), &at)
                .hint("indent with spaces: YAML does not allow tabs there");
        }
    }
    match error.kind() {
        ErrorKind::MappingValueNotAllowed | ErrorKind::SimpleKeyExpected => failed.hint(
            "put text that contains `: ` in quotes, and check that keys of one mapping line up",
        ),
        ErrorKind::ExpectedBlockMappingKey | ErrorKind::InvalidIndentation => {
            failed.hint("check that keys of one mapping line up")
        }
        ErrorKind::UnexpectedCharacter { .. } => {
            failed.hint("put text that starts with a special character in quotes")
        }
        ErrorKind::UnclosedQuotedScalar => failed.hint("close the quotes"),
        ErrorKind::UnclosedFlowCollection { open: '{' }
        | ErrorKind::ExpectedFlowMappingSeparator => failed.hint("close the braces: `}`"),
        ErrorKind::UnclosedFlowCollection { .. } | ErrorKind::ExpectedFlowSequenceSeparator => {
            failed.hint("close the brackets: `]`")
        }
        _ => failed,
    }
}

/// The error for what is nested too deep.
pub(super) fn too_deep(at: &Location) -> Error {
    Error::playbook(format!("nested deeper than {DEEPEST} levels"), at)
        .hint("no playbook needs this: look for an indentation that grows with every line")
}
