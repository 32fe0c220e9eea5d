//! Reads template text just far enough to know which names it uses and where, and writes names
//! with hyphens so that the template engine does not take them for a subtraction.

use std::ops::Range;

use super::names::Names;

/// A dotted name in an expression: `instances.my-box.public_ip`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Chain {
    /// The first name.
    pub(super) root: String,
    /// The names after it, as far as they are written out.
    pub(super) keys: Vec<String>,
    /// Its bytes in the text as it was written.
    pub(super) range: Range<usize>,
}

/// Brackets within each other in one expression, at most.
const DEEPEST: usize = 30;

/// Names and operators in one expression, at most: the template engine recurses over them.
const MOST_TOKENS: usize = 400;

/// Statements (`{% if %}`, `{% for %}`) within each other, at most.
const MOST_OPEN: usize = 40;

/// Template text, read.
#[derive(Debug, Default)]
pub(super) struct Scanned {
    /// The text for the template engine.
    pub(super) text: String,
    /// Every dotted name, in order.
    pub(super) chains: Vec<Chain>,
    /// The inside of the one expression, in `text`, when there is nothing around it.
    pub(super) whole: Option<Range<usize>>,
    /// Where an expression begins that is too large for the template engine, if one is.
    pub(super) too_large: Option<usize>,
    /// Templates that this one includes, imports or extends by a fixed name.
    pub(super) includes: Vec<String>,
    /// Places in `text` after which it stands further right than what was written, and how far.
    shifts: Vec<(usize, isize)>,
}

impl Scanned {
    /// Where a byte of `text` was written.
    pub(super) fn written(&self, at: usize) -> usize {
        let shift: isize = self
            .shifts
            .iter()
            .take_while(|(from, _)| *from <= at)
            .map(|(_, by)| by)
            .sum();
        at.saturating_add_signed(-shift)
    }
}

/// There is something to evaluate in `text`.
pub(super) fn is_template(text: &str) -> bool {
    text.contains("{{") || text.contains("{%")
}

/// Reads `text`.
pub(super) fn scan(text: &str, names: &Names) -> Scanned {
    let mut scan = Scan {
        text,
        at: 0,
        copied: 0,
        names,
        out: Scanned::default(),
    };
    let mut blocks = Vec::new();
    let mut open = 0;
    while let Some(found) = scan.rest().find('{') {
        scan.at += found;
        let opening = scan.rest().as_bytes().get(1).copied();
        match opening {
            Some(b'#') => scan.skip_past("#}"),
            Some(b'%') if scan.is_raw() => scan.skip_past_raw(),
            Some(b'{') => {
                let start = scan.at;
                blocks.push(match scan.block("}}") {
                    Some(inside) => (start..scan.at, inside),
                    None => (0..0, 0..0),
                });
            }
            Some(b'%') => {
                if let Some(inside) = scan.block("%}") {
                    let statement = scan.out.text[inside].trim().to_owned();
                    scan.out.includes.extend(included(&statement));
                    open = nesting(open, &statement);
                    if open > MOST_OPEN {
                        scan.refuse();
                    }
                }
                blocks.push((0..0, 0..0));
            }
            _ => scan.at += 1,
        }
    }
    scan.copy(text.len());
    let mut out = scan.out;
    if let [(outside, inside)] = blocks.as_slice() {
        let around = [&text[..outside.start], &text[outside.end..]];
        // A line's end is text: a file's content keeps it.
        let is_nothing = |part: &&str| part.chars().all(|it| it == ' ' || it == '\t');
        if !outside.is_empty() && around.iter().all(is_nothing) {
            out.whole = Some(inside.clone());
        }
    }
    out
}

struct Scan<'a> {
    text: &'a str,
    at: usize,
    copied: usize,
    names: &'a Names,
    out: Scanned,
}

impl<'a> Scan<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn peek(&self) -> Option<u8> {
        self.rest().bytes().next()
    }

    /// Says that the template engine must not be given this text.
    fn refuse(&mut self) {
        self.out
            .too_large
            .get_or_insert(self.at.min(self.text.len()));
    }

    /// Takes over everything up to `end` as it is.
    fn copy(&mut self, end: usize) {
        self.out.text.push_str(&self.text[self.copied..end]);
        self.copied = end;
    }

    fn skip_past(&mut self, end: &str) {
        let found = self.rest().find(end).map(|found| found + end.len());
        self.at += found.unwrap_or(self.rest().len());
    }

    fn is_raw(&self) -> bool {
        let inside = self.rest()[2..].trim_start_matches(['-', '+']);
        let inside = inside.trim_start();
        inside
            .strip_prefix("raw")
            .is_some_and(|rest| rest.trim_start_matches([' ', '-', '+']).starts_with("%}"))
    }

    fn skip_past_raw(&mut self) {
        self.skip_past("%}");
        while !self.rest().is_empty() {
            match self.rest().find("endraw") {
                Some(found) => self.at += found + "endraw".len(),
                None => self.at = self.text.len(),
            }
            let rest = self.rest().trim_start_matches([' ', '-', '+']);
            if rest.starts_with("%}") {
                self.skip_past("%}");
                return;
            }
        }
    }

    /// Reads from `{{` or `{%` to `end`; returns what is between them, in the rewritten text,
    /// `None` when it has no end.
    fn block(&mut self, end: &str) -> Option<Range<usize>> {
        self.at += 2;
        self.copy(self.at);
        let (mut depth, mut tokens) = (0_usize, 0_usize);
        let mut after = ' ';
        let dashes = usize::from(matches!(self.peek(), Some(b'-' | b'+')));
        self.at += dashes;
        self.copy(self.at);
        let start = self.out.text.len();
        while let Some(next) = self.rest().chars().next() {
            if depth == 0 && (self.rest().starts_with(end)) {
                self.copy(self.at);
                let inside = &self.out.text[start..];
                let dash = usize::from(inside.ends_with(['-', '+']));
                let inside = start..self.out.text.len() - dash;
                self.at += 2;
                return Some(inside);
            }
            match next {
                '"' | '\'' => self.string(next),
                '{' | '[' | '(' => {
                    depth += 1;
                    self.at += 1;
                }
                '}' | ']' | ')' => {
                    depth = depth.saturating_sub(1);
                    self.at += 1;
                }
                _ if next.is_ascii_digit() => drop(self.word()),
                _ if is_word(next) && matches!(after, '.' | '|') => drop(self.word()),
                _ if is_word(next) => self.chain(),
                _ => self.at += next.len_utf8(),
            }
            if !next.is_whitespace() {
                after = next;
                tokens += usize::from(!matches!(next, ',' | ':' | '"' | '\''));
            }
            if depth > DEEPEST || tokens > MOST_TOKENS {
                self.refuse();
            }
        }
        None
    }

    fn word(&mut self) -> &'a str {
        let rest = self.rest();
        let word = rest.trim_start_matches(is_word);
        let word = &rest[..rest.len() - word.len()];
        self.at += word.len();
        word
    }

    fn string(&mut self, quote: char) {
        self.at += 1;
        let mut escaped = false;
        for (at, c) in self.rest().char_indices() {
            if c == quote && !escaped {
                self.at += at + 1;
                return;
            }
            escaped = c == '\\' && !escaped;
        }
        self.at = self.text.len();
    }

    fn chain(&mut self) {
        let start = self.at;
        let root = self.word().to_owned();
        let mut keys = Vec::new();
        loop {
            let rest = self.rest();
            if rest.starts_with('.') && !rest.starts_with("..") {
                self.at += 1;
                match self.special(&root, &keys) {
                    Some(length) => {
                        let name = self.rest()[..length].to_owned();
                        self.bracket(&name);
                        keys.push(name);
                    }
                    None => match self.word() {
                        "" => break,
                        word => keys.push(word.to_owned()),
                    },
                }
            } else if let Some((length, key)) = literal(rest) {
                self.at += length;
                keys.push(key.to_owned());
            } else {
                break;
            }
        }
        self.out.chains.push(Chain {
            root,
            keys,
            range: start..self.at,
        });
    }

    /// The length of a name that must be written in brackets for the template engine.
    fn special(&self, root: &str, keys: &[String]) -> Option<usize> {
        let run = self
            .rest()
            .trim_start_matches(|c| is_word(c) || matches!(c, '-' | '.'));
        let run = &self.rest()[..self.rest().len() - run.len()];
        let ends = run
            .char_indices()
            .filter(|(_, c)| matches!(c, '-' | '.'))
            .map(|(at, _)| at);
        let mut candidates: Vec<&str> = ends.chain([run.len()]).map(|end| &run[..end]).collect();
        candidates.reverse();
        let known = |name: &&&str| match (self.names.sections.get(root), keys) {
            (Some(section), []) => section.contains_key(**name),
            (Some(section), [base]) => matches!(
                section.get(base), Some(Some(all)) if all.contains(**name)
            ),
            (None, []) if root == "vars" => self.names.vars.contains_key(**name),
            _ => false,
        };
        if let Some(name) = candidates.iter().find(known) {
            return Some(name.len());
        }
        // Resources cannot be subtracted: a hyphen in their place is part of a mistyped name.
        if keys.is_empty() && self.names.sections.contains_key(root) {
            let name = run.split('.').next().unwrap_or_default();
            let name = name.trim_end_matches('-');
            return (!name.is_empty()).then_some(name.len());
        }
        None
    }

    /// Writes the name ahead as `["name"]`, in place of the dot that was just read.
    fn bracket(&mut self, name: &str) {
        self.copy(self.at - 1);
        self.out.text.push_str("[\"");
        self.out.shifts.push((self.out.text.len(), 1));
        self.out.text.push_str(name);
        self.out.text.push_str("\"]");
        self.out.shifts.push((self.out.text.len(), 2));
        self.at += name.len();
        self.copied = self.at;
    }
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

/// How many statements are open after this one.
fn nesting(open: usize, statement: &str) -> usize {
    let verb = statement.split_whitespace().next().unwrap_or_default();
    match verb {
        "if" | "for" | "macro" | "call" | "filter" | "block" | "with" | "autoescape" | "set" => {
            // `set` with a value needs no end.
            open + usize::from(verb != "set" || !statement.contains('='))
        }
        "elif" => open + 1,
        _ if verb.starts_with("end") => open.saturating_sub(1),
        _ => open,
    }
}

/// The fixed name in `include "name"` and its relatives.
fn included(statement: &str) -> Option<String> {
    let verb = statement.split_whitespace().next()?;
    if !matches!(verb, "include" | "import" | "from" | "extends") {
        return None;
    }
    let quote = statement.find(['"', '\''])?;
    let (open, rest) = statement[quote..].split_at(1);
    rest.split_once(open).map(|(name, _)| name.to_owned())
}

/// A subscript that is a plain string: its length and the string.
fn literal(rest: &str) -> Option<(usize, &str)> {
    let inside = rest.strip_prefix('[')?;
    let quote = inside.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let (key, after) = inside[1..].split_once(quote)?;
    let closed = after.starts_with(']') && !key.contains('\\');
    closed.then_some((key.len() + 4, key))
}
