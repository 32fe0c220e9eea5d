//! Finds the place of a part of a scalar in the file: quotes, escapes and indentation considered.

use std::ops::Range;

use crate::base::Location;

/// Where the bytes `range` of `text` stand in the file, `text` being the scalar that starts at
/// `scalar`. The scalar's own place when it cannot be told.
pub(super) fn within(scalar: &Location, text: &str, range: Range<usize>) -> Location {
    find(scalar, text, range).unwrap_or_else(|| scalar.clone())
}

fn find(scalar: &Location, text: &str, range: Range<usize>) -> Option<Location> {
    let line = scalar.source.from_line(scalar.line)?;
    let mut raw = line.chars().skip(scalar.column - 1).peekable();
    let (mut row, mut column) = (scalar.line, scalar.column);
    let quoted = raw.next_if(|c| matches!(c, '"' | '\'')).is_some();
    column += usize::from(quoted);
    for (at, wanted) in text.char_indices() {
        if wanted.is_whitespace() {
            continue;
        }
        loop {
            let found = *raw.peek()?;
            if found == wanted {
                break;
            }
            raw.next();
            (row, column) = step(row, column, found);
        }
        if at >= range.start {
            let length = text.get(at..range.end)?;
            let length = length.lines().next().unwrap_or_default();
            return Some(
                Location::new(&scalar.source, row, column).with_length(length.chars().count()),
            );
        }
        raw.next();
        (row, column) = step(row, column, wanted);
    }
    None
}

fn step(row: usize, column: usize, passed: char) -> (usize, usize) {
    if passed == '\n' {
        (row + 1, 1)
    } else {
        (row, column + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Source;
    use crate::playbook::yaml;

    fn place(yaml: &str, part: &str) -> String {
        let node = yaml::parse(&Source::new("a.yml", yaml)).unwrap();
        let scalar = node.entry("a").unwrap();
        let text = scalar.as_text().unwrap();
        let start = text.find(part).unwrap();
        let at = within(&scalar.at, text, start..start + part.len());
        format!("{at}+{}", at.length)
    }

    #[test]
    fn parts_are_found_in_every_style_of_scalar() {
        assert_eq!(place("a: x {{ b }}", "b"), "a.yml:1:9+1");
        assert_eq!(place("a: \"x {{ b }}\"", "b"), "a.yml:1:10+1");
        assert_eq!(place("a: \"x\\t\\\"{{ b }}\"", "b"), "a.yml:1:13+1");
        assert_eq!(place("a: 'it''s {{ b }}'", "b"), "a.yml:1:14+1");
        assert_eq!(place("a: |\n  é\n  x {{ bc }}\n", "bc"), "a.yml:3:8+2");
        assert_eq!(place("a: >-\n  some\n  {{ b }}\n", "b"), "a.yml:3:6+1");
    }
}
