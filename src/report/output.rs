//! Where everything is printed: data to stdout, the rest to stderr, no secret to either.

use std::collections::HashMap;
use std::io::{IsTerminal as _, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anstream::{AutoStream, ColorChoice};
use serde_json::Value;

use super::progress::{Live, plain};
use super::{error, json};
use crate::base::secret::redact;
use crate::base::{Address, Error, Result, ResultExt as _};
use crate::engine::{Event, Observer};

/// Columns, where the terminal does not tell.
const USUAL_WIDTH: usize = 100;
/// Errors in a log are not broken at a terminal's width: people search them.
const LOG_WIDTH: usize = 1000;
/// Lines of text are not made longer than this on a very wide terminal.
const WIDEST: usize = 140;

/// The only printer; clones print to the same place.
#[derive(Clone)]
pub struct Output(Arc<Inner>);

struct Inner {
    mode: Mode,
    width: usize,
    /// Why something could not be printed to stdout, the first time.
    lost: Mutex<Option<std::io::Error>>,
}

enum Mode {
    /// JSON lines on stdout.
    Json,
    /// Text, with running lines on a terminal.
    Live(Live),
    /// Text in stable lines; what was said last of each resource.
    Plain(Mutex<HashMap<Address, String>>),
}

impl Output {
    /// For the terminal or the pipe that the program was started with.
    #[must_use]
    pub fn new(json: bool) -> Self {
        let stderr = std::io::stderr();
        let width = width();
        let mode = if json {
            Mode::Json
        } else if stderr.is_terminal() && !is_dumb() {
            Mode::Live(Live::new(
                AutoStream::choice(&stderr) != ColorChoice::Never,
                width,
            ))
        } else {
            Mode::Plain(Mutex::default())
        };
        Self(Arc::new(Inner {
            mode,
            width,
            lost: Mutex::default(),
        }))
    }

    /// JSON lines are wanted.
    #[must_use]
    pub fn is_json(&self) -> bool {
        matches!(self.0.mode, Mode::Json)
    }

    /// Columns for text.
    #[must_use]
    pub fn width(&self) -> usize {
        self.0.width
    }

    /// Prints what the command was asked for; nothing with `--json`.
    pub fn data(&self, text: &str) {
        if !self.is_json() {
            self.raw(text.as_bytes());
        }
    }

    /// Prints bytes to stdout as they are but for secrets, `--json` or not.
    pub fn raw(&self, bytes: &[u8]) {
        let text = redact(&String::from_utf8_lossy(bytes));
        self.aside(|| self.print(anstream::stdout(), text.as_bytes()));
    }

    /// Whether all of stdout was printed. A reader that went away (`| head`) is no failure; a full
    /// disk is one.
    ///
    /// # Errors
    /// What was lost first.
    pub fn finish(&self) -> Result<()> {
        let lost = self.lost().take();
        lost.map_or(Ok(()), Err).context("printing the output")
    }

    fn print(&self, mut stdout: impl Write, bytes: &[u8]) {
        let printed = stdout.write_all(bytes).and_then(|()| stdout.flush());
        if let Err(error) = printed
            && error.kind() != std::io::ErrorKind::BrokenPipe
        {
            self.lost().get_or_insert(error);
        }
    }

    fn lost(&self) -> MutexGuard<'_, Option<std::io::Error>> {
        self.0.lost.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Prints news to stderr; nothing with `--json`.
    pub fn say(&self, text: &str) {
        if !self.is_json() {
            let text = redact(text);
            self.aside(|| drop(anstream::stderr().write_all(text.as_bytes())));
        }
    }

    /// Prints a question, `--json` or not, and leaves the cursor after it.
    pub fn ask(&self, question: &str) {
        let question = redact(question);
        self.aside(|| {
            let mut stderr = anstream::stderr();
            drop(
                stderr
                    .write_all(question.as_bytes())
                    .and_then(|()| stderr.flush()),
            );
        });
    }

    /// Ctrl-C was pressed: takes back the `^C` that the terminal showed among running lines.
    pub fn take_back_echo(&self) {
        if let Mode::Live(live) = &self.0.mode
            && std::io::stdin().is_terminal()
        {
            live.take_back_echo();
        }
    }

    /// The program ends now: takes all running lines away.
    pub fn end(&self) {
        if let Mode::Live(live) = &self.0.mode {
            live.end();
        }
    }

    /// Prints the document that ends a command; nothing without `--json`.
    pub fn document(&self, name: &str, document: Value) {
        if self.is_json() {
            self.line(json::document(name, document));
        }
    }

    /// Prints errors.
    pub fn errors(&self, errors: &[Error]) {
        if self.is_json() {
            for each in errors {
                self.line(json::error(each));
            }
        } else if !errors.is_empty() {
            let width = match self.0.mode {
                Mode::Live(_) => self.width(),
                Mode::Json | Mode::Plain(_) => LOG_WIDTH,
            };
            self.say(&error::errors(errors, width));
        }
    }

    fn line(&self, value: Value) {
        let line = format!("{}\n", json::redacted(value));
        self.print(std::io::stdout().lock(), line.as_bytes());
    }

    fn aside(&self, print: impl FnOnce()) {
        match &self.0.mode {
            Mode::Live(live) => live.aside(print),
            Mode::Json | Mode::Plain(_) => print(),
        }
    }
}

impl Observer for Output {
    fn event(&self, event: &Event) {
        match &self.0.mode {
            Mode::Json => self.line(json::event(event)),
            Mode::Live(live) => live.event(event),
            Mode::Plain(said) => {
                if let Event::Doing { address, what } = event {
                    let mut said = said.lock().unwrap_or_else(PoisonError::into_inner);
                    if said.insert(address.clone(), what.clone()).as_ref() == Some(what) {
                        return;
                    }
                }
                if let Some(line) = plain(event) {
                    self.say(&format!("{line}\n"));
                }
            }
        }
    }
}

fn is_dumb() -> bool {
    std::env::var_os("TERM").is_some_and(|term| term == "dumb")
}

fn width() -> usize {
    let told = std::env::var("COLUMNS")
        .ok()
        .and_then(|columns| columns.parse().ok());
    let seen = || terminal_size::terminal_size().map(|(width, _)| usize::from(width.0));
    told.or_else(seen).unwrap_or(USUAL_WIDTH).clamp(40, WIDEST)
}
