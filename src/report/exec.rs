//! What a program printed on several hosts.

use std::fmt::Write as _;

use super::style::{BAD, PLACE, paint};
use super::wrap::pad;

/// Each line after the host's name.
#[must_use]
pub fn lines(host: &str, widest: usize, bytes: &[u8]) -> String {
    let name = paint(PLACE, pad(host, widest));
    let mut text = String::new();
    for line in String::from_utf8_lossy(bytes).lines() {
        let _ = writeln!(text, "{name} | {line}");
    }
    text
}

/// The line for a program that did not end well.
#[must_use]
pub fn ended(host: &str, widest: usize, status: i32) -> String {
    let name = paint(PLACE, pad(host, widest));
    format!("{name} | {}\n", paint(BAD, format!("ended with {status}")))
}
