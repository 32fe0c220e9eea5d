//! Progress: a line for each running resource on a terminal, stable plain lines elsewhere.

use std::collections::HashMap;
use std::io::Write as _;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::duration::took;
use super::style::{BAD, CHANGE, GOOD, QUIET, STRONG, paint};
use super::wrap::printable;
use crate::base::Address;
use crate::base::secret::redact;
use crate::engine::{Action, Event};

/// How often the running lines are drawn anew.
const TICK: Duration = Duration::from_millis(120);

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

/// The event as a finished line above the running ones; `None` while nothing is finished.
#[must_use]
pub fn finished(event: &Event) -> Option<String> {
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
    let took = elapsed.map_or(String::new(), |elapsed| {
        format!("  {}", paint(QUIET, took(elapsed)))
    });
    Some(format!(
        "{} {}  {}{took}",
        paint(style, sign),
        paint(STRONG, address),
        printable(&text)
    ))
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().to_owned()
}

fn doing(action: Action) -> Option<&'static str> {
    match action {
        Action::Nothing | Action::Read | Action::Keep => None,
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
        Action::Nothing | Action::Read => "as declared".to_owned(),
    }
    .trim_end()
    .to_owned()
}

/// The running lines of a terminal.
pub struct Live {
    lines: MultiProgress,
    /// A line for each resource at work.
    running: Mutex<HashMap<Address, ProgressBar>>,
    /// The one line for what only looks: listings, probes, questions.
    looking: Mutex<Option<Looking>>,
    style: ProgressStyle,
}

struct Looking {
    line: ProgressBar,
    kinds: usize,
}

impl Live {
    /// Draws on standard error.
    #[must_use]
    pub fn new(colour: bool) -> Self {
        let template = if colour {
            "{spinner:.cyan} {prefix:.bold}  {elapsed:.dim}  {wide_msg}"
        } else {
            "{spinner} {prefix}  {elapsed}  {wide_msg}"
        };
        let style = ProgressStyle::with_template(template)
            .unwrap_or_else(|_| ProgressStyle::default_spinner())
            .tick_strings(&["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏", "✓"]);
        Self {
            lines: MultiProgress::with_draw_target(ProgressDrawTarget::stderr()),
            running: Mutex::default(),
            looking: Mutex::default(),
            style,
        }
    }

    /// Shows the event.
    pub fn event(&self, event: &Event) {
        match event {
            Event::Discovered { .. } => {
                self.look("reading what is there", |looking| {
                    looking.kinds += 1;
                    format!("{} kinds", looking.kinds)
                });
            }
            Event::Started { address, action } => {
                if let Some(what) = doing(*action) {
                    self.start(address, what);
                }
            }
            Event::Doing { address, what } => self.say(address, what),
            Event::Done { address, .. }
            | Event::Failed { address, .. }
            | Event::Skipped { address, .. }
            | Event::CheckPassed { address, .. }
            | Event::CheckFailed { address, .. } => {
                if let Some(line) = lock(&self.running).remove(address) {
                    self.remove(&line);
                }
            }
            Event::Note(_) => {}
        }
        if let Some(line) = finished(event) {
            let line = redact(&line) + "\n";
            // A terminal that went away is no reason to stop the work.
            self.aside(|| drop(anstream::stderr().write_all(line.as_bytes())));
        }
    }

    /// Runs `print` with the running lines out of the way; what only looked is over by then.
    pub fn aside(&self, print: impl FnOnce()) {
        if let Some(looking) = lock(&self.looking).take() {
            self.remove(&looking.line);
        }
        self.lines.suspend(print);
    }

    fn start(&self, address: &Address, what: &str) {
        let line = self.line(&address.to_string());
        line.set_message(what.to_owned());
        lock(&self.running).insert(address.clone(), line);
    }

    fn say(&self, address: &Address, what: &str) {
        match lock(&self.running).get(address) {
            Some(line) => line.set_message(redact(&printable(what))),
            None => self.look(&address.to_string(), |_| redact(&printable(what))),
        }
    }

    fn look(&self, prefix: &str, message: impl FnOnce(&mut Looking) -> String) {
        let mut looking = lock(&self.looking);
        let looking = looking.get_or_insert_with(|| Looking {
            line: self.line(prefix),
            kinds: 0,
        });
        looking.line.set_prefix(prefix.to_owned());
        let message = message(looking);
        looking.line.set_message(message);
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
