//! The question before anything is changed.

use std::io::IsTerminal as _;

use crate::base::{Error, Errors, Result, ResultExt};
use crate::report::Output;

/// Says early that there is nobody to ask; `otherwise` is what to do then.
///
/// # Errors
/// A usage error, when `yes` was not given and standard input is no terminal.
pub fn possible(yes: bool, otherwise: &str) -> Result<()> {
    if yes || std::io::stdin().is_terminal() {
        return Ok(());
    }
    Err(
        Error::usage("nobody is there to approve the plan: standard input is no terminal")
            .hint(otherwise),
    )
}

/// Asks on the terminal; returns when the answer is `expected`.
///
/// # Errors
/// When the answer is another one.
pub async fn ask(out: &Output, question: &str, expected: &'static str) -> Result<(), Errors> {
    answer_to(out, question, &[expected, "y"]).await
}

/// Asks for a name to be typed in full.
///
/// # Errors
/// When another one is typed.
pub async fn ask_for_name(out: &Output, question: &str, name: &str) -> Result<(), Errors> {
    answer_to(out, question, &[name]).await
}

async fn answer_to(out: &Output, question: &str, accepted: &[&str]) -> Result<(), Errors> {
    out.ask(question);
    let answer = tokio::task::spawn_blocking(|| {
        let mut line = String::new();
        std::io::stdin().read_line(&mut line).map(|_| line)
    })
    .await
    .context("reading the answer")?
    .context("reading the answer")?;
    if accepted.contains(&answer.trim()) {
        return Ok(());
    }
    Err(Error::failed("not approved, nothing was changed").into())
}
