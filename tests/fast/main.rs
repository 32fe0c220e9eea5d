//! Tests that need nothing but the binary.
