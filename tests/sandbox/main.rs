//! Tests on the sandbox: the emulator over HTTP, real hosts where Docker is there.

#![expect(
    clippy::expect_used,
    reason = "a test may stop where its ground is missing"
)]

mod hosts;
