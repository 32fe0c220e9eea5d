//! The whole program against an exchange and a stream on loopback, which do what each test tells them.

#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a test may stop where its ground is missing"
)]

mod ending;
mod exchange;
mod following;
mod kinesis;
mod program;
mod stream;
