//! Tests that need nothing but the binary.

#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a test may stop where its ground is missing"
)]

mod bad_playbooks;
mod benches;
mod bundled;
mod cases;
mod cli;
mod engine;
mod expected;
mod language;
mod layers;
mod new;
mod operations;
mod readme;
mod reference;
mod registry;
mod report;
mod scaffold;
mod services;
#[path = "../stage/mod.rs"]
mod stage;
