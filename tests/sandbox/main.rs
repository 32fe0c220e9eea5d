//! Tests on the sandbox: the emulator over HTTP, real hosts where Docker is there.

#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a test may stop where its ground is missing"
)]

mod cloud;
mod front;
mod harness;
mod hosts;
mod kinds;
mod life;
mod playbooks;
#[path = "../stage/mod.rs"]
mod stage;
