//! Tests on the sandbox: the emulator over HTTP, real hosts where Docker is there.

mod cloud;
mod front;
mod kinds;
#[path = "../stage/mod.rs"]
mod stage;
