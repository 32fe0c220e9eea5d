//! Tests on the sandbox: the emulator over HTTP, real hosts where Docker is there.

#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a test may stop where its ground is missing"
)]

mod baked;
mod by_hand;
mod cloud;
mod discovery;
mod faults_matrix;
mod front;
mod harness;
mod hosts;
mod job;
mod kills;
mod kinds;
mod life;
mod lives;
mod playbooks;
mod replaced;
#[path = "../stage/mod.rs"]
mod stage;
