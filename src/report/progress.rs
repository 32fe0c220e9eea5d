//! Progress: a line for each running resource on a terminal, stable plain lines elsewhere.

use std::collections::HashMap;
use std::io::Write as _;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::duration::took;
use super::style::{BAD, CHANGE, GOOD, QUIET, STRONG, paint};
use super::wrap::{columns, count, printable};
use crate::base::Address;
use crate::base::secret::redact;
use crate::engine::{Action, Event};

/// How often the running lines are drawn anew.
const TICK: Duration = Duration::from_millis(120);
/// Columns that an address and the words beside it have at least.
const SHORTEST: usize = 20;
/// Columns of a running line beside its address and its words.
const MARGIN: usize = 14;

/// The event as one plain line, for logs; `None` when it is no news.
#[must_use]
pub fn plain(event: &Event) -> Option<String> {
    let line = match event {
        Event::Discovered { .. }
        | Event::Done {
            action: Action::Nothing | Action::Read,
            ..
        } => return None,
        Event::Started { address, action } => format!("{address}: {}", doing(*action)?),
        Event::Doing { address, what } => format!("{address}: {what}"),
        Event::Done {
            address,
            action,
            id,
            elapsed,
        } => {
            format!("{address}: {} ({})", done(*action, id), took(*elapsed))
        }
        Event::Failed { address, error } => format!("{address}: failed: {error}"),
        Event::Skipped { address, because } => format!("{address}: left alone, `{because}` failed"),
        Event::CheckPassed { address, elapsed } => {
            format!("{address}: passed ({})", took(*elapsed))
        }
        Event::CheckFailed { address, error } => format!("{address}: not satisfied: {error}"),
        Event::Note(text) => text.clone(),
    };
    Some(printable(&line))
}

/// The event as a finished line above the running ones, its words cut to `width` columns; `None` while nothing is finished.
#[must_use]
pub fn finished(event: &Event, width: usize) -> Option<String> {
    let (sign, style, address, text, elapsed) = match event {
        Event::Discovered { .. }
        | Event::Started { .. }
        | Event::Doing { .. }
        | Event::Done {
            action: Action::Nothing | Action::Read,
            ..
        } => return None,
        Event::Note(text) => return Some(paint(CHANGE, printable(text))),
        Event::Done {
            address,
            action,
            id,
            elapsed,
        } => ("✓", GOOD, address, done(*action, id), Some(*elapsed)),
        Event::CheckPassed { address, elapsed } => {
            ("✓", GOOD, address, "passed".to_owned(), Some(*elapsed))
        }
        Event::Failed { address, error } | Event::CheckFailed { address, error } => {
            ("✗", BAD, address, first_line(error), None)
        }
        Event::Skipped { address, because } => (
            "-",
            QUIET,
            address,
            format!("left alone, `{because}` failed"),
            None,
        ),
    };
    let address = shortened(address, width);
    let took = elapsed.map(took).unwrap_or_default();
    let room = width.saturating_sub(columns(&address) + columns(&took) + 7);
    let mut line = format!(
        "{} {}  {}",
        paint(style, sign),
        paint(STRONG, address),
        cut(&printable(&text), room.max(SHORTEST)),
    );
    if !took.is_empty() {
        line = format!("{line}  {}", paint(QUIET, took));
    }
    Some(line)
}

/// An address that leaves room on its line: a long one loses its middle, as its end tells it apart.
fn shortened(address: &Address, width: usize) -> String {
    let text = address.to_string();
    let most = width.saturating_sub(30).max(SHORTEST);
    let characters: Vec<char> = text.chars().collect();
    if characters.len() <= most {
        return text;
    }
    let start = most / 2;
    let end = characters.len() - (most - start - 1);
    let (start, end) = (&characters[..start], &characters[end..]);
    start.iter().chain(['…'].iter()).chain(end).collect()
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().to_owned()
}

/// `text` cut to `width` columns.
fn cut(text: &str, width: usize) -> String {
    if columns(text) <= width {
        return text.to_owned();
    }
    let mut shown = String::new();
    for character in text.chars() {
        shown.push(character);
        if columns(&shown) >= width {
            shown.pop();
            break;
        }
    }
    shown + "…"
}

fn doing(action: Action) -> Option<&'static str> {
    match action {
        Action::Nothing | Action::Read | Action::Unread | Action::Keep => None,
        Action::Create => Some("creating"),
        Action::Update => Some("changing"),
        Action::Replace => Some("making anew"),
        Action::Delete => Some("deleting"),
    }
}

fn done(action: Action, id: &str) -> String {
    match action {
        Action::Create => format!("created {id}"),
        Action::Replace => format!("made anew {id}"),
        Action::Update => "changed".to_owned(),
        Action::Delete => format!("deleted {id}"),
        Action::Keep => format!("kept {id}"),
        Action::Nothing | Action::Read | Action::Unread => "as declared".to_owned(),
    }
    .trim_end()
    .to_owned()
}

/// The running lines of a terminal.
pub struct Live {
    lines: MultiProgress,
    running: Mutex<HashMap<Address, Running>>,
    listing: Mutex<Option<Listing>>,
    style: ProgressStyle,
    width: usize,
}

/// The line of a resource.
struct Running {
    line: ProgressBar,
    /// Its turn has come; otherwise it is only looked at, for a plan or a check.
    started: bool,
}

/// The one line for all listings.
struct Listing {
    line: ProgressBar,
    kinds: usize,
}

impl Live {
    /// Draws on standard error.
    #[must_use]
    pub fn new(colour: bool, width: usize) -> Self {
        let template = if colour {
            "{spinner:.cyan} {prefix:.bold}  {elapsed:.dim}  {msg}"
        } else {
            "{spinner} {prefix}  {elapsed}  {msg}"
        };
        let style = ProgressStyle::with_template(template)
            .unwrap_or_else(|_| ProgressStyle::default_spinner())
            .tick_strings(&["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏", "✓"]);
        Self {
            lines: MultiProgress::with_draw_target(ProgressDrawTarget::stderr()),
            running: Mutex::default(),
            listing: Mutex::default(),
            style,
            width,
        }
    }

    /// Shows the event.
    pub fn event(&self, event: &Event) {
        match event {
            Event::Discovered { .. } => self.listed(),
            Event::Started { address, action } => {
                self.end_listing();
                if let Some(what) = doing(*action) {
                    self.run(address, what, true);
                }
            }
            Event::Doing { address, what } => self.run(address, what, false),
            Event::Done { address, .. }
            | Event::Failed { address, .. }
            | Event::Skipped { address, .. }
            | Event::CheckPassed { address, .. }
            | Event::CheckFailed { address, .. } => {
                if let Some(running) = lock(&self.running).remove(address) {
                    self.remove(&running.line);
                }
            }
            Event::Note(_) => {}
        }
        if let Some(line) = finished(event, self.width) {
            let line = redact(&line) + "\n";
            // A terminal that went away is no reason to stop the work.
            let print = || drop(anstream::stderr().write_all(line.as_bytes()));
            self.lines.suspend(print);
        }
    }

    /// Runs `print` with the running lines out of the way; what was only looked at is over then.
    pub fn aside(&self, print: impl FnOnce()) {
        self.end_listing();
        lock(&self.running).retain(|_, running| {
            if !running.started {
                self.remove(&running.line);
            }
            running.started
        });
        self.lines.suspend(print);
    }

    /// Takes back the `^C` that the terminal has just shown. The running lines are filled up to
    /// the last column, so it stands on a line of its own, and what clears them would miss one.
    pub fn take_back_echo(&self) {
        let lines = !lock(&self.running).is_empty() || lock(&self.listing).is_some();
        let back: &[u8] = if lines {
            b"\r\x1b[K\x1b[1A"
        } else {
            b"\r\x1b[K"
        };
        let _ = std::io::stderr().write_all(back);
    }

    /// Takes all lines away.
    pub fn end(&self) {
        self.end_listing();
        for (_, running) in lock(&self.running).drain() {
            self.remove(&running.line);
        }
    }

    fn run(&self, address: &Address, what: &str, started: bool) {
        let prefix = shortened(address, self.width);
        let room = self.width.saturating_sub(columns(&prefix) + MARGIN);
        let mut running = lock(&self.running);
        let entry = running.entry(address.clone()).or_insert_with(|| Running {
            line: self.line(&prefix),
            started,
        });
        entry.started |= started;
        entry.line.set_message(redact(&cut(&printable(what), room)));
    }

    fn listed(&self) {
        let mut listing = lock(&self.listing);
        let listing = listing.get_or_insert_with(|| Listing {
            line: self.line("reading what is there"),
            kinds: 0,
        });
        listing.kinds += 1;
        listing.line.set_message(count(listing.kinds, "kind"));
    }

    fn end_listing(&self) {
        if let Some(listing) = lock(&self.listing).take() {
            self.remove(&listing.line);
        }
    }

    fn line(&self, prefix: &str) -> ProgressBar {
        let line = ProgressBar::new_spinner().with_style(self.style.clone());
        let line = self.lines.add(line);
        line.set_prefix(prefix.to_owned());
        line.enable_steady_tick(TICK);
        line
    }

    fn remove(&self, line: &ProgressBar) {
        line.finish_and_clear();
        self.lines.remove(line);
    }
}

/// Progress goes on whatever happened to another thread that drew it.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
