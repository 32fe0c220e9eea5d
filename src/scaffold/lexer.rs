//! Splits R code into names, texts, numbers and marks, so that what stands in comments and strings
//! is never taken for code. It knows no grammar.

/// What sort of word a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sort {
    /// A name, also one in backticks
    Name,
    /// A string, without its quotes
    Text,
    /// A number as it was written
    Number,
    /// An operator or a bracket
    Mark,
}

/// A word of R code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) sort: Sort,
    pub(super) text: String,
    /// Line, from 1.
    pub(super) line: usize,
    /// How many brackets are open around it; a bracket itself counts as outside.
    pub(super) depth: usize,
}

impl Token {
    /// Whether it is this name.
    pub(super) fn is_name(&self, name: &str) -> bool {
        self.sort == Sort::Name && self.text == name
    }

    /// Whether it is this operator or bracket.
    pub(super) fn is_mark(&self, mark: &str) -> bool {
        self.sort == Sort::Mark && self.text == mark
    }
}

/// A comment with its `#`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Comment {
    pub(super) text: String,
    /// Line, from 1.
    pub(super) line: usize,
}

/// R code, split.
#[derive(Debug, Default)]
pub(super) struct Lexed {
    pub(super) tokens: Vec<Token>,
    pub(super) comments: Vec<Comment>,
}

/// Splits `code`. What is not closed goes to the end of the text.
pub(super) fn lex(code: &str) -> Lexed {
    let mut lexer = Lexer {
        rest: code,
        line: 1,
        depth: 0,
        lexed: Lexed::default(),
    };
    while let Some(first) = lexer.rest.chars().next() {
        lexer.step(first);
    }
    lexer.lexed
}

struct Lexer<'a> {
    rest: &'a str,
    line: usize,
    depth: usize,
    lexed: Lexed,
}

impl Lexer<'_> {
    fn step(&mut self, first: char) {
        let line = self.line;
        match first {
            '#' => {
                let text = self.take_while(|c| c != '\n');
                self.lexed.comments.push(Comment { text, line });
            }
            '"' | '\'' => {
                let text = self.quoted(first);
                self.push(Sort::Text, text, line);
            }
            '`' => {
                let text = self.quoted(first);
                self.push(Sort::Name, text, line);
            }
            'r' | 'R' if self.raw_opening().is_some() => {
                let text = self.raw();
                self.push(Sort::Text, text, line);
            }
            _ if first.is_alphabetic() || (first == '.' && !self.second_is_digit()) => {
                let text = self.take_while(|c| c.is_alphanumeric() || matches!(c, '.' | '_'));
                self.push(Sort::Name, text, line);
            }
            _ if first.is_ascii_digit() || first == '.' => {
                let text = self.take_while(|c| c.is_alphanumeric() || c == '.');
                self.push(Sort::Number, text, line);
            }
            _ if first.is_whitespace() => self.skip(first.len_utf8()),
            _ => self.mark(first),
        }
    }

    fn mark(&mut self, first: char) {
        let line = self.line;
        let length = match first {
            '%' => custom_operator(self.rest),
            _ => [":::", "::", "|>", "<<-", "<-", "->"]
                .into_iter()
                .find(|mark| self.rest.starts_with(mark))
                .map_or(first.len_utf8(), str::len),
        };
        let text = self.rest.get(..length).unwrap_or_default().to_owned();
        self.skip(length);
        if matches!(first, ')' | ']' | '}') {
            self.depth = self.depth.saturating_sub(1);
        }
        self.push(Sort::Mark, text, line);
        if matches!(first, '(' | '[' | '{') {
            self.depth += 1;
        }
    }

    /// A text in quotes, which backslashes keep open.
    fn quoted(&mut self, quote: char) -> String {
        let mut text = String::new();
        let mut length = 1;
        let mut escaped = false;
        for c in self.rest.chars().skip(1) {
            length += c.len_utf8();
            match c {
                _ if escaped => {
                    text.push(match c {
                        'n' => '\n',
                        't' => '\t',
                        other => other,
                    });
                    escaped = false;
                }
                '\\' => escaped = true,
                _ if c == quote => break,
                _ => text.push(c),
            }
        }
        self.skip(length);
        text
    }

    /// Of `r"--(`: how long it is, and what closes it.
    fn raw_opening(&self) -> Option<(usize, String)> {
        let after = self.rest.get(1..)?;
        let quote = after.chars().next().filter(|c| matches!(c, '"' | '\''))?;
        let dashes = after.chars().skip(1).take_while(|c| *c == '-').count();
        let close = match after.chars().nth(1 + dashes)? {
            '(' => ')',
            '[' => ']',
            '{' => '}',
            _ => return None,
        };
        let closing = format!("{close}{}{quote}", "-".repeat(dashes));
        Some((3 + dashes, closing))
    }

    fn raw(&mut self) -> String {
        let Some((opening, closing)) = self.raw_opening() else {
            return String::new();
        };
        let body = self.rest.get(opening..).unwrap_or_default();
        let end = body.find(&closing).unwrap_or(body.len());
        let text = body.get(..end).unwrap_or_default().to_owned();
        self.skip(opening + end + closing.len());
        text
    }

    fn second_is_digit(&self) -> bool {
        let second = self.rest.chars().nth(1);
        second.is_some_and(|c| c.is_ascii_digit())
    }

    fn take_while(&mut self, belongs: impl Fn(char) -> bool) -> String {
        let end = self.rest.find(|c| !belongs(c));
        let length = end.unwrap_or(self.rest.len());
        let text = self.rest.get(..length).unwrap_or_default().to_owned();
        self.skip(length);
        text
    }

    fn skip(&mut self, length: usize) {
        let (gone, rest) = self
            .rest
            .split_at_checked(length)
            .unwrap_or((self.rest, ""));
        self.line += gone.matches('\n').count();
        self.rest = rest;
    }

    fn push(&mut self, sort: Sort, text: String, line: usize) {
        self.lexed.tokens.push(Token {
            sort,
            text,
            line,
            depth: self.depth,
        });
    }
}

/// How long `%>%` and its like are; a lone `%` is one.
fn custom_operator(rest: &str) -> usize {
    let end = rest
        .char_indices()
        .skip(1)
        .find(|(_, c)| matches!(c, '%' | '\n'));
    match end {
        Some((at, '%')) => at + 1,
        _ => 1,
    }
}

#[cfg(test)]
mod tests;
