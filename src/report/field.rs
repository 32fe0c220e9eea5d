//! One field of a step: its name, old and new value aligned, what the change takes, diffs below.

use anstyle::Style;

use super::style::{BAD, CHANGE, GOOD, PLACE, QUIET, REPLACE, paint};
use super::wrap::{columns, pad, printable, wrap};
use crate::base::{Effect, FieldChange, Shown};

/// Columns before a field's name.
const INDENT: usize = 6;
/// Columns before the lines of a diff.
const BLOCK_INDENT: usize = 10;
/// Longer names do not push the other values to the right.
const LONGEST_NAME: usize = 26;
/// A new text of more lines is shown in part.
const LONGEST_NEW_TEXT: usize = 14;

/// How fields are laid out.
#[derive(Clone, Copy)]
pub struct Layout {
    /// Columns of the terminal.
    pub width: usize,
    /// The resource is new: there is no old value to show.
    pub creating: bool,
    /// Long new texts are shown whole.
    pub full: bool,
}

/// The fields, a line or more for each.
#[must_use]
pub fn fields(changes: &[FieldChange], layout: Layout) -> Vec<String> {
    let name_width = changes
        .iter()
        .map(|change| columns(&change.field))
        .filter(|width| *width <= LONGEST_NAME)
        .max()
        .unwrap_or(0);
    changes
        .iter()
        .flat_map(|change| field(change, name_width, layout))
        .collect()
}

fn field(change: &FieldChange, name_width: usize, layout: Layout) -> Vec<String> {
    let name = format!(
        "{}{}",
        " ".repeat(INDENT),
        pad(&printable(&change.field), name_width)
    );
    if let Some(block) = block(change) {
        let mut lines = vec![format!(
            "{}{}",
            name.trim_end(),
            suffix(&change.effect, "  ")
        )];
        lines.extend(block_lines(&block, layout.full));
        return lines;
    }
    let start = columns(&name) + 2;
    let room = layout.width.saturating_sub(start).max(24);
    let (old, new) = (
        printable(&change.old.to_string()),
        printable(&change.new.to_string()),
    );
    let mut lines = if change.old == Shown::Hidden && change.new == Shown::Hidden {
        vec![format!("{name}  {}", paint(QUIET, "(a secret, changed)"))]
    } else if layout.creating && change.old == Shown::Absent {
        hang(&name, start, &wrap(&new, room), style(&change.new))
    } else if columns(&old) + columns(&new) + 3 <= room {
        let pair = format!("{} {} {new}", paint(QUIET, &old), paint(QUIET, "→"));
        vec![format!("{name}  {pair}")]
    } else {
        let mut lines = hang(&name, start, &wrap(&old, room), QUIET);
        let arrow = format!("{}{}", " ".repeat(start - 2), paint(QUIET, "→"));
        let new_lines = wrap(&new, room);
        lines.push(format!("{arrow} {}", new_lines[0]));
        let rest = new_lines.iter().skip(1);
        lines.extend(rest.map(|line| format!("{}{line}", " ".repeat(start))));
        lines
    };
    let effect = suffix(&change.effect, "");
    if !effect.is_empty() && !layout.creating {
        let last = lines.last().map_or(0, |line| plain_columns(line));
        if lines.len() == 1 && last + 2 + plain_columns(&effect) <= layout.width {
            lines[0].push_str("  ");
            lines[0].push_str(&effect);
        } else {
            lines.push(format!("{}{effect}", " ".repeat(start)));
        }
    }
    lines
}

/// The text to show below the name, where a value has several lines.
fn block(change: &FieldChange) -> Option<String> {
    match (&change.old, &change.new) {
        (Shown::Block(old), Shown::Block(new)) => Some(
            similar::TextDiff::from_lines(old.as_str(), new.as_str())
                .unified_diff()
                .to_string(),
        ),
        (_, Shown::Block(text)) => Some(text.clone()),
        (Shown::Block(text), _) => Some(removed(text)),
        _ => None,
    }
}

/// A text that goes away, as a diff.
fn removed(text: &str) -> String {
    let lines: Vec<_> = text.lines().map(|line| format!("-{line}")).collect();
    lines.join("\n")
}

fn block_lines(block: &str, full: bool) -> Vec<String> {
    let block = printable(&block.replace('\t', "    "));
    let lines: Vec<_> = block.trim_end().lines().collect();
    let is_marked = |line: &&str| line.starts_with(['-', ' ']) && !line.starts_with("---");
    let is_new = !lines.iter().any(is_marked);
    let shown = if full || !is_new || lines.len() <= LONGEST_NEW_TEXT + 1 {
        lines.len()
    } else {
        LONGEST_NEW_TEXT
    };
    let indent = " ".repeat(BLOCK_INDENT);
    let mut shown_lines: Vec<_> = lines[..shown]
        .iter()
        .map(|line| format!("{indent}{}", paint(line_style(line), line.trim_end())))
        .collect();
    if shown < lines.len() {
        let more = format!("… {} more lines", lines.len() - shown);
        shown_lines.push(format!("{indent}{}", paint(QUIET, more)));
    }
    shown_lines
}

fn line_style(line: &str) -> Style {
    match line.as_bytes() {
        [b'+', b'+', b'+', ..] | [b'-', b'-', b'-', ..] => QUIET,
        [b'+', ..] => GOOD,
        [b'-', ..] => BAD,
        [b'@', b'@', ..] => PLACE,
        _ => Style::new(),
    }
}

/// `lines` after `name`, the second and later ones below the first.
fn hang(name: &str, start: usize, lines: &[String], style: Style) -> Vec<String> {
    lines
        .iter()
        .enumerate()
        .map(|(index, line)| match index {
            0 => format!("{name}  {}", paint(style, line)),
            _ => format!("{}{}", " ".repeat(start), paint(style, line)),
        })
        .collect()
}

fn style(shown: &Shown) -> Style {
    match shown {
        Shown::AfterApply | Shown::Hidden | Shown::Absent => QUIET,
        _ => Style::new(),
    }
}

/// What the change takes beyond an ordinary update.
fn suffix(effect: &Effect, before: &str) -> String {
    match effect {
        Effect::Update => String::new(),
        Effect::Interrupt(how) => format!("{before}{}", paint(CHANGE, format!("({how})"))),
        Effect::Replace => format!("{before}{}", paint(REPLACE, "(makes it anew)")),
    }
}

fn plain_columns(text: &str) -> usize {
    columns(&anstream::adapter::strip_str(text).to_string())
}
