//! Tests that need nothing but the binary.

mod cli;
mod expected;
mod layers;
mod report;
