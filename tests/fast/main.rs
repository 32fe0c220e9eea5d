//! Tests that need nothing but the binary.

mod bad_playbooks;
mod language;
