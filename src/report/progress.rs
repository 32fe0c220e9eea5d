//! Progress: a line for each running resource on a terminal, stable plain lines elsewhere.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::duration::took;
use super::style::{BAD, CHANGE, GOOD, QUIET, STRONG, paint};
use crate::base::Address;
use crate::base::secret::redact;
use crate::engine::{Action, Event};

/// How often the running lines are drawn anew.
const TICK: Duration = Duration::from_millis(120);

/// The event as one plain line, for logs; `None` when it is no news.
#[must_use]
pub fn plain(event: &Event) -> Option<String> {
    let line = match event {
        Event::Discovered { .. } => return None,
        Event::Done {
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
    Some(line)
}

/// The event as a finished line above the running ones; `None` while nothing is finished.
#[must_use]
pub fn finished(event: &Event) -> Option<String> {
    let (sign, style, address, text, elapsed) = match event {
        Event::Discovered { .. } | Event::Started { .. } | Event::Doing { .. } => return None,
        Event::Done {
            action: Action::Nothing | Action::Read,
            ..
        } => return None,
        Event::Note(text) => return Some(paint(CHANGE, text)),
        Event::Done {
            address,
            action,
            id,
            elapsed,
        } => ("✓", GOOD, address, done(*action, id), Some(*elapsed)),
        Event::CheckPassed { address, elapsed } => {
            ("✓", GOOD, address, "passed".to_owned(), Some(*elapsed))
        }
        Event::Failed { address, error } => ("✗", BAD, address, first_line(error), None),
        Event::CheckFailed { address, error } => ("✗", BAD, address, first_line(error), None),
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
        "{} {}  {text}{took}",
        paint(style, sign),
        paint(STRONG, address)
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
    running: Mutex<HashMap<Address, ProgressBar>>,
    reading: Mutex<Option<(ProgressBar, usize)>>,
    style: ProgressStyle,
    colour: bool,
}

impl Live {
    /// Draws on standard error.
    #[must_use]
    pub fn new(colour: bool) -> Self {
        let template = if colour {
            "{spinner:.cyan} {prefix:.bold}  {msg}  {elapsed:.dim}"
        } else {
            "{spinner} {prefix}  {msg}  {elapsed}"
        };
        let style = ProgressStyle::with_template(template)
            .unwrap_or_else(|_| ProgressStyle::default_spinner())
            .tick_strings(&["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏", "✓"]);
        Self {
            lines: MultiProgress::with_draw_target(ProgressDrawTarget::stderr()),
            running: Mutex::default(),
            reading: Mutex::default(),
            style,
            colour,
        }
    }

    /// Shows the event.
    pub fn event(&self, event: &Event) {
        match event {
            Event::Discovered { .. } => self.reading(),
            Event::Started { address, action } => {
                if let Some(what) = doing(*action) {
                    self.run(address, what);
                }
            }
            Event::Doing { address, what } => self.run(address, what),
            Event::Done { address, .. }
            | Event::Failed { address, .. }
            | Event::Skipped { address, .. }
            | Event::CheckPassed { address, .. }
            | Event::CheckFailed { address, .. } => {
                if let Some(bar) = lock(&self.running).remove(address) {
                    bar.finish_and_clear();
                    self.lines.remove(&bar);
                }
            }
            Event::Note(_) => {}
        }
        if let Some(line) = finished(event) {
            let line = redact(&line);
            let line = if self.colour {
                line
            } else {
                anstream::adapter::strip_str(&line).to_string()
            };
            // A terminal that went away is no reason to stop the work.
            let _ = self.lines.println(line);
        }
    }

    /// Runs `print` with the running lines out of the way.
    pub fn aside(&self, print: impl FnOnce()) {
        if let Some((bar, _)) = lock(&self.reading).take() {
            bar.finish_and_clear();
            self.lines.remove(&bar);
        }
        self.lines.suspend(print);
    }

    fn run(&self, address: &Address, what: &str) {
        let mut running = lock(&self.running);
        let bar = running.entry(address.clone()).or_insert_with(|| {
            let bar = self
                .lines
                .add(ProgressBar::new_spinner().with_style(self.style.clone()));
            bar.set_prefix(address.to_string());
            bar.enable_steady_tick(TICK);
            bar
        });
        bar.set_message(redact(what));
    }

    fn reading(&self) {
        let mut reading = lock(&self.reading);
        let (bar, kinds) = reading.get_or_insert_with(|| {
            let bar = self
                .lines
                .add(ProgressBar::new_spinner().with_style(self.style.clone()));
            bar.set_prefix("reading what is there");
            bar.enable_steady_tick(TICK);
            (bar, 0)
        });
        *kinds += 1;
        bar.set_message(format!("{kinds} kinds"));
    }
}

/// Progress goes on whatever happened to another thread that drew it.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
