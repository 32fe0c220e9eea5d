//! Tests that need nothing but the binary.

#![expect(
    clippy::expect_used,
    reason = "a test may stop where its ground is missing"
)]

mod bad_playbooks;
mod cli;
mod engine;
mod expected;
mod language;
mod layers;
mod operations;
mod report;
