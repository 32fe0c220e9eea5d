//! Errors as text: the source line with a caret, facts, and what to do next.

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};
use anstream::adapter::strip_str;
use anstyle::AnsiColor;

use super::style::{STRONG, paint};
use super::wrap::{printable, wrap};
use crate::base::{Error, Location};

/// Characters kept after the place on a long line.
const AFTER: usize = 200;
/// A place further to the right is named without its line.
const LONGEST_BEFORE: usize = 10_000;

/// All errors, and a closing line when there are several.
#[must_use]
pub fn errors(errors: &[Error], width: usize) -> String {
    let mut text = errors
        .iter()
        .map(|each| error(each, width))
        .collect::<Vec<_>>()
        .join("\n");
    if errors.len() > 1 {
        let place = one_file(errors).map_or(String::new(), |file| format!(" in {file}"));
        let closing = format!(": {} problems{place}", errors.len());
        text = format!(
            "{text}\n{}{}\n",
            paint(AnsiColor::BrightRed.on_default().bold(), "error"),
            paint(STRONG, closing)
        );
    }
    text
}

/// One error, ending in a line break.
#[must_use]
pub fn error(error: &Error, width: usize) -> String {
    let label = error.service_code().map_or(7, |code| code.len() + 9);
    let title = wrap(&title(error), width.saturating_sub(label).max(30)).join("\n");
    let notes: Vec<_> = error.notes().iter().map(|note| fit(note, width)).collect();
    let hints: Vec<_> = error.hints().iter().map(|hint| fit(hint, width)).collect();
    let shown = error.location().map(Line::of);
    let path = error.location().map(|at| at.source.path.to_string_lossy());

    let mut heading = Level::ERROR.primary_title(title.as_str());
    if let Some(code) = error.service_code() {
        heading = heading.id(code);
    }
    let mut group = Group::with_title(heading);
    if let (Some(at), Some(line), Some(path)) = (error.location(), &shown, &path) {
        group = match line {
            Some(line) => group.element(
                Snippet::source(line.text.as_str())
                    .path(path.as_ref())
                    .line_start(at.line)
                    .annotation(AnnotationKind::Primary.span(line.start..line.end)),
            ),
            None if at.line > 0 => group.element(
                Origin::path(path.as_ref())
                    .line(at.line)
                    .char_column(at.column),
            ),
            None => group.element(Origin::path(path.as_ref())),
        };
    }
    for note in &notes {
        group = group.element(Level::NOTE.no_name().message(note.as_str()));
    }
    let mut report = vec![group];
    for hint in &hints {
        report.push(Group::with_title(
            Level::HELP.secondary_title(hint.as_str()),
        ));
    }
    let renderer = Renderer::styled()
        .term_width(width)
        .help(AnsiColor::Cyan.on_default().bold());
    tidy(
        &renderer.render(&report),
        shown.is_some_and(|line| line.is_some()),
    )
}

/// The message, with the resource it is about unless it says so itself.
fn title(error: &Error) -> String {
    let message = printable(error.message());
    match error.address() {
        Some(address) if !error.message().contains(&address.to_string()) => {
            format!("`{address}`: {message}")
        }
        _ => message,
    }
}

/// Wrapped so that it fits beside the margin.
fn fit(text: &str, width: usize) -> String {
    wrap(&printable(text), width.saturating_sub(10).max(30)).join("\n")
}

/// The file that all errors are in, if it is one.
fn one_file(errors: &[Error]) -> Option<String> {
    let mut files = errors.iter().map(|error| {
        error
            .location()
            .map(|at| at.source.path.display().to_string())
    });
    let first = files.next()??;
    files
        .all(|file| file.as_ref() == Some(&first))
        .then_some(first)
}

/// A source line cut to what is shown, with the byte range to underline.
struct Line {
    text: String,
    start: usize,
    end: usize,
}

impl Line {
    /// The line of a place; `None` when its text is not at hand.
    fn of(at: &Location) -> Option<Self> {
        let line = at.source.text.lines().nth(at.line.checked_sub(1)?)?;
        let column = at.column.saturating_sub(1);
        if column > LONGEST_BEFORE {
            return None;
        }
        let text: String = line.chars().take(column + AFTER).collect();
        let byte = |characters: usize| {
            text.char_indices()
                .nth(characters)
                .map_or(text.len(), |(byte, _)| byte)
        };
        let (start, end) = (byte(column), byte(column + at.length.max(1)));
        Some(Self { text, start, end })
    }
}

/// Ending in one line break, and without the margin of a source line that is not there.
fn tidy(rendered: &str, has_source: bool) -> String {
    let mut text = String::new();
    for line in rendered.trim_end().lines() {
        if has_source || strip_str(line).to_string().trim() != "|" {
            text.push_str(line);
            text.push('\n');
        }
    }
    text
}
