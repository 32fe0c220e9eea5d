//! The few colours, each with one meaning.

use std::fmt;

use anstyle::{AnsiColor, Style};

/// Made new, gone as wished, passed.
pub const GOOD: Style = AnsiColor::Green.on_default();
/// Changed in place, or worth a look.
pub const CHANGE: Style = AnsiColor::Yellow.on_default();
/// Made anew.
pub const REPLACE: Style = AnsiColor::Magenta.on_default();
/// Deleted, failed, still there.
pub const BAD: Style = AnsiColor::Red.on_default();
/// A place in a diff.
pub const PLACE: Style = AnsiColor::Cyan.on_default();
/// What the eye may skip.
pub const QUIET: Style = Style::new().dimmed();
/// What the eye should find.
pub const STRONG: Style = Style::new().bold();

/// `text` in a style.
pub fn paint(style: Style, text: impl fmt::Display) -> String {
    format!("{style}{text}{style:#}")
}
