//! Plain tables: a quiet heading, columns apart, no lines.

use std::fmt::Write as _;

use comfy_table::{Attribute, Cell, Color, ContentArrangement, Table, presets};

use super::wrap::printable;

/// How a cell looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// As any text.
    Plain,
    /// What the eye may skip.
    Quiet,
    /// Passed, gone as wished.
    Good,
    /// Worth a look.
    Notable,
    /// Failed, still there.
    Bad,
}

/// A table of `rows` that fits `width` columns; each line starts with two spaces.
#[must_use]
pub fn table<const N: usize>(
    heading: [&str; N],
    rows: Vec<[(String, Tone); N]>,
    width: usize,
) -> String {
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(u16::try_from(width.saturating_sub(2)).unwrap_or(u16::MAX))
        .enforce_styling()
        .style_text_only();
    table.set_header(heading.map(|word| cell(word, Tone::Quiet)));
    for row in rows {
        table.add_row(row.map(|(text, tone)| cell(&text, tone)));
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    let mut text = String::new();
    for line in table.lines() {
        let _ = writeln!(text, "  {}", line.trim_end());
    }
    text
}

fn cell(text: &str, tone: Tone) -> Cell {
    let cell = Cell::new(printable(text));
    match tone {
        // A styled nothing would keep the blanks before it at the end of the line.
        _ if text.is_empty() => cell,
        Tone::Plain => cell,
        Tone::Quiet => cell.add_attribute(Attribute::Dim),
        Tone::Good => cell.fg(Color::DarkGreen),
        Tone::Notable => cell.fg(Color::DarkYellow),
        Tone::Bad => cell.fg(Color::DarkRed),
    }
}
