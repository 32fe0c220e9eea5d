//! The program: everything is in [`tidewalk::cli`].

fn main() {}
