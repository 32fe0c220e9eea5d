//! The list of commands, and the way from arguments to an exit code.

use std::process::ExitCode;

use anstream::ColorChoice;
use clap::{Parser, Subcommand};

use super::exit::{Exit, TABLE};
use super::flags::{Colour, OutputFlags};
use super::{
    apply, check, completions, configure, connections, cost, destroy, exec, graph, logs, new, plan,
    rollback, sandbox, schema, secret, ssh, status, stream, users,
};
use crate::base::{Errors, ResultExt};
use crate::report::Output;

/// What a new user types.
const FIRST_STEPS: &str = "\
First steps, on this machine and without an account:
  tidewalk sandbox up
  tidewalk plan site.yml --sandbox
  tidewalk apply site.yml --sandbox
  tidewalk destroy site.yml --sandbox";

/// Walk a declarative playbook and make it true; take it down again, and prove it
///
/// A playbook declares AWS resources and what is on the hosts. `plan` shows what would change,
/// `apply` changes it, `destroy` takes everything down and prints a receipt. Nothing is kept on
/// this machine: who owns what is written on the resources themselves.
#[derive(Debug, Parser)]
#[command(
    name = "tidewalk",
    version,
    after_help = format!("{FIRST_STEPS}\n\n{TABLE}"),
    max_term_width = 100
)]
pub struct Program {
    #[command(flatten)]
    output: OutputFlags,

    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    New(new::Args),
    Check(check::Args),
    Plan(plan::Args),
    Apply(Box<apply::Args>),
    Destroy(Box<destroy::Args>),
    Status(status::Args),
    Users(users::Args),
    Ssh(ssh::Args),
    Exec(exec::Args),
    Logs(logs::Args),
    Rollback(rollback::Args),
    Stream(stream::Args),
    Secret(secret::Args),
    Connections(connections::Args),
    Configure(configure::Args),
    Cost(cost::Args),
    Graph(graph::Args),
    Sandbox(sandbox::Args),
    Schema(schema::Args),
    Completions(completions::Args),
}

/// Runs the program with this process's arguments.
#[must_use]
pub fn main() -> ExitCode {
    match Program::try_parse() {
        Ok(program) => ExitCode::from(program.run().code()),
        Err(error) => {
            // Help goes to stdout, mistakes to stderr; a closed pipe is no failure.
            let _ = error.print();
            let code = if error.use_stderr() {
                Exit::Usage
            } else {
                Exit::Done
            };
            ExitCode::from(code.code())
        }
    }
}

impl Program {
    fn run(self) -> Exit {
        match self.output.color {
            Colour::Auto => {}
            Colour::Always => ColorChoice::Always.write_global(),
            Colour::Never => ColorChoice::Never.write_global(),
        }
        let out = Output::new(self.output.json);
        let result = self.command.run(&out);
        let printed = out.finish().map_err(Errors::from);
        match result.and_then(|exit| printed.map(|()| exit)) {
            Ok(exit) => exit,
            Err(errors) => {
                out.errors(&errors.0);
                Exit::of_errors(&errors)
            }
        }
    }
}

impl Command {
    fn run(self, out: &Output) -> Result<Exit, Errors> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()
            .context("starting")?;
        runtime.block_on(async {
            match self {
                Self::New(args) => new::run(&args, out),
                Self::Check(args) => check::run(&args, out),
                Self::Plan(args) => plan::run(&args, out).await,
                Self::Apply(args) => apply::run(&args, out).await,
                Self::Destroy(args) => destroy::run(&args, out).await,
                Self::Status(args) => status::run(&args, out).await,
                Self::Users(args) => users::run(&args, out).await,
                Self::Ssh(args) => ssh::run(&args, out).await,
                Self::Exec(args) => exec::run(&args, out).await,
                Self::Logs(args) => logs::run(&args, out).await,
                Self::Rollback(args) => rollback::run(&args, out).await,
                Self::Stream(args) => Box::pin(stream::run(&args, out)).await,
                Self::Secret(args) => Box::pin(secret::run(&args, out)).await,
                Self::Connections(args) => connections::run(&args, out).await,
                Self::Configure(args) => configure::run(&args, out).await,
                Self::Cost(args) => cost::run(&args, out),
                Self::Graph(args) => graph::run(&args, out),
                Self::Sandbox(args) => sandbox::run(&args, out).await,
                Self::Schema(args) => schema::run(&args, out),
                Self::Completions(args) => Ok(completions::run(&args, out)),
            }
        })
    }
}
