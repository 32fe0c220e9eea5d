//! Words and columns: breaking text between words, aligning it, counting things.

use unicode_width::UnicodeWidthStr;

/// The columns that `text` takes.
#[must_use]
pub fn columns(text: &str) -> usize {
    text.width()
}

/// `text` without what would move the cursor or change colours: a tag's value or a host's message
/// may hold anything.
#[must_use]
pub fn printable(text: &str) -> String {
    let harmless = |c: char| !c.is_control() || c == '\n';
    text.chars()
        .map(|c| match c {
            '\t' => ' ',
            c if harmless(c) => c,
            _ => '\u{fffd}',
        })
        .collect()
}

/// `text` in lines of at most `width` columns, broken at spaces only: a longer word stands alone
/// and whole, so that it can be copied.
#[must_use]
pub fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    for paragraph in text.split('\n') {
        let mut line = String::new();
        for word in paragraph.split(' ') {
            if !line.is_empty() && columns(&line) + 1 + columns(word) > width {
                lines.push(std::mem::take(&mut line));
            } else if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
        lines.push(line);
    }
    lines
}

/// `text` with spaces after it, up to `width` columns.
#[must_use]
pub fn pad(text: &str, width: usize) -> String {
    let missing = width.saturating_sub(columns(text));
    format!("{text}{}", " ".repeat(missing))
}

/// `1 resource`, `2 resources`.
#[must_use]
pub fn count(number: usize, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{plural}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_do_not_reach_the_terminal() {
        assert_eq!(printable("a\x1b[2Jb\r\tc\nd"), "a\u{fffd}[2Jb\u{fffd} c\nd");
    }

    #[test]
    fn lines_break_between_words_and_long_words_stay_whole() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(
            wrap("a arn:aws:iam::1:role/x b", 5),
            ["a", "arn:aws:iam::1:role/x", "b"]
        );
        assert_eq!(wrap("", 5), [""]);
    }
}
