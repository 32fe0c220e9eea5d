//! The reference of the command line, made from the commands themselves.

use std::fmt::Write as _;

use clap::{Command, CommandFactory as _};

use super::program::Program;
use crate::report::json;

/// Columns of the help texts.
const WIDTH: usize = 90;

/// `docs/cli.md`; a test keeps the file current.
#[must_use]
pub fn markdown() -> String {
    let mut program = Program::command()
        .term_width(WIDTH)
        .max_term_width(WIDTH)
        .disable_help_subcommand(true);
    program.build();
    let mut text = "# Command line\n\nThis page is made from `tidewalk --help` and the help of each command.\n".to_owned();
    add(&mut text, &mut program, "tidewalk");
    let _ = write!(text, "\n## JSON lines\n\n{}", json::DOCUMENTATION);
    text
}

fn add(text: &mut String, command: &mut Command, name: &str) {
    let help = command
        .clone()
        .term_width(WIDTH)
        .bin_name(name)
        .render_long_help();
    let help: Vec<_> = help
        .to_string()
        .lines()
        .map(|line| line.trim_end().to_owned())
        .collect();
    let _ = write!(
        text,
        "\n## `{name}`\n\n```text\n{}\n```\n",
        help.join("\n").trim_end()
    );
    for inner in command.get_subcommands_mut() {
        if !inner.is_hide_set() && inner.get_name() != "help" {
            let name = format!("{name} {}", inner.get_name());
            add(text, inner, &name);
        }
    }
}
