//! Kept connections, as a table.

use super::table::{Tone, table};
use super::wrap::count;

/// A line per connection: its login, and what the run called it that made it.
#[must_use]
pub fn connections(rows: impl Iterator<Item = [String; 2]>, width: usize) -> String {
    let rows = rows.map(|[login, name]| [(login, Tone::Plain), (name, Tone::Quiet)]);
    let rows: Vec<_> = rows.collect();
    if rows.is_empty() {
        return "No connection is kept.\n".to_owned();
    }
    table(["login", "made for"], rows, width)
}

/// How many were closed.
#[must_use]
pub fn closed(closed: usize) -> String {
    format!("Closed {}.", count(closed, "connection"))
}
