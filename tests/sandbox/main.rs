//! Tests on the sandbox: the emulator over HTTP, real hosts where Docker is there.

mod front;
mod harness;
mod hosts;
mod life;
