//! `tidewalk completions`

use clap::CommandFactory as _;
use clap_complete::Shell;

use super::exit::Exit;
use super::program::Program;
use crate::report::Output;

/// Print the completion script for a shell
#[derive(clap::Args, Debug)]
#[command(after_help = "Example:\n  tidewalk completions bash > /etc/bash_completion.d/tidewalk")]
pub struct Args {
    /// The shell
    shell: Shell,
}

/// Runs the command.
#[must_use]
pub fn run(args: &Args, out: &Output) -> Exit {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Program::command(), "tidewalk", &mut script);
    out.raw(&script);
    Exit::Done
}
