//! Tests that need nothing but the binary.

mod cases;
mod registry;
#[path = "../stage/mod.rs"]
mod stage;
