//! Ensures or removes one line in a text. Pure.

use regex_lite::Regex;

/// What is wanted of the text.
#[derive(Clone, Copy, Debug)]
pub struct Edit<'a> {
    /// The line.
    pub line: &'a str,
    /// Lines that it replaces.
    pub regexp: Option<&'a Regex>,
    /// Line after which a new one is inserted; at the end when none matches.
    pub after: Option<&'a Regex>,
}

impl Edit<'_> {
    /// The text with the line in it. The line stands where the first match was; other matches go.
    #[must_use]
    pub fn ensure(&self, text: &str) -> String {
        let mut lines: Vec<&str> = text.lines().collect();
        let matches = |line: &&str| self.regexp.is_some_and(|regexp| regexp.is_match(line));
        let place = lines
            .iter()
            .position(matches)
            .or_else(|| lines.iter().position(|line| *line == self.line));
        if let Some(place) = place {
            lines[place] = self.line;
            let mut index = 0;
            lines.retain(|line| {
                index += 1;
                index - 1 <= place || !matches(line)
            });
        } else {
            let after = self
                .after
                .and_then(|after| lines.iter().rposition(|line| after.is_match(line)));
            lines.insert(after.map_or(lines.len(), |at| at + 1), self.line);
        }
        joined(lines)
    }

    /// The text without the line and without what `regexp` matches.
    #[must_use]
    pub fn remove(&self, text: &str) -> String {
        let gone = |line: &str| match self.regexp {
            Some(regexp) => regexp.is_match(line),
            None => line == self.line,
        };
        joined(text.lines().filter(|line| !gone(line)))
    }
}

/// Lines as a text, each with its end.
pub(super) fn joined<'a>(lines: impl IntoIterator<Item = &'a str>) -> String {
    lines.into_iter().flat_map(|line| [line, "\n"]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ensure(text: &str, line: &str, regexp: Option<&str>, after: Option<&str>) -> String {
        let regexp = regexp.map(|text| Regex::new(text).unwrap());
        let after = after.map(|text| Regex::new(text).unwrap());
        Edit {
            line,
            regexp: regexp.as_ref(),
            after: after.as_ref(),
        }
        .ensure(text)
    }

    #[test]
    fn a_line_is_replaced_inserted_or_left() {
        assert_eq!(ensure("a\nb\n", "b", None, None), "a\nb\n");
        assert_eq!(ensure("a\n", "b", None, None), "a\nb\n");
        assert_eq!(ensure("a", "b", None, None), "a\nb\n");
        assert_eq!(ensure("a\nb\nc\n", "x", None, Some("^b")), "a\nb\nx\nc\n");
        assert_eq!(
            ensure("#p 1\nq\np 2\n", "p 3", Some("^#?p "), None),
            "p 3\nq\n"
        );
        assert_eq!(ensure("", "x", Some("^x"), None), "x\n");
    }

    #[test]
    fn doing_it_twice_changes_nothing_more() {
        let once = ensure("p 1\np 2\nq\n", "p 3", Some("^p "), None);
        assert_eq!(ensure(&once, "p 3", Some("^p "), None), once);
    }
}
