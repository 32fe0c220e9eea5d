//! Tests that need nothing but the binary.

mod engine;
mod cli;
mod expected;
mod layers;
mod report;
