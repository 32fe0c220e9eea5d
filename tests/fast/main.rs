//! Tests that need nothing but the binary.

mod cli;
mod engine;
mod expected;
mod layers;
mod report;
