//! The program: everything is in [`tidewalk::cli`].

use std::process::ExitCode;

fn main() -> ExitCode {
    tidewalk::cli::program::main()
}
