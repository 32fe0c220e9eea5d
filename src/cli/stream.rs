//! `tidewalk stream`

use std::sync::Arc;
use std::time::Duration;

use super::exit::Exit;
use super::flags::CloudFlags;
use crate::base::{Errors, Result, ResultExt};
use crate::report::Output;
use crate::resources::within::Within;
use crate::stream::Say;

mod consume;
mod peek;
mod put;
mod rate;

/// Look at the records of a Kinesis stream, put some, or run a program on them
#[derive(clap::Args, Debug)]
#[command(after_help = "Example:\n  tidewalk stream peek crypto --since 10m --follow")]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(clap::Subcommand, Debug)]
enum Action {
    Peek(peek::Args),
    Rate(rate::Args),
    Put(put::Args),
    Consume(consume::Args),
}

/// Which stream, and where
#[derive(clap::Args, Clone, Debug)]
struct Which {
    /// The stream's name in AWS
    #[arg(value_name = "STREAM")]
    stream: String,

    #[command(flatten)]
    cloud: CloudFlags,
}

/// Runs the command.
///
/// # Errors
/// When there is no such stream, AWS refuses, or a program that works on records fails.
pub async fn run(args: &Args, out: &Output) -> Result<Exit, Errors> {
    match &args.action {
        Action::Peek(args) => Box::pin(until_interrupted(peek::run(args, out))).await,
        Action::Rate(args) => Box::pin(until_interrupted(rate::run(args, out))).await,
        Action::Put(args) => put::run(args, out).await,
        Action::Consume(args) => consume::run(args, out).await,
    }
}

/// Ctrl-C ends what would go on for ever, and is no failure.
async fn until_interrupted(
    shown: impl Future<Output = Result<Exit, Errors>>,
) -> Result<Exit, Errors> {
    tokio::select! {
        shown = shown => shown,
        stopped = tokio::signal::ctrl_c() => {
            stopped.context("watching for Ctrl-C")?;
            Ok(Exit::Done)
        }
    }
}

fn time(text: &str) -> Result<Duration, String> {
    let Within(time) = text.parse()?;
    Ok(time)
}

fn say(out: &Output) -> Say {
    let out = out.clone();
    Arc::new(move |line: &str| out.say(&format!("{line}\n")))
}
