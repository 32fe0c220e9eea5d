//! `tidewalk sandbox`

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;

use serde_json::json;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use super::exit::Exit;
use crate::base::{Errors, Result, ResultExt};
use crate::report::Output;
use crate::sandbox::{self, ExchangePlace, Running, Status};

/// Start, stop or look at the local sandbox
///
/// The sandbox is a small cloud on this machine: the AWS APIs come from an emulator, and every
/// instance is a real Linux host (a container with systemd and sshd). Other commands use it with
/// `--sandbox`.
#[derive(clap::Args, Debug)]
#[command(after_help = "Example:\n  tidewalk sandbox up")]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(clap::Subcommand, Debug)]
enum Action {
    /// Start the sandbox, and install and build what it needs first
    Up(Start),
    /// Stop the sandbox and remove its hosts and their network
    Down(Place),
    /// Show whether it runs, where, and what it runs
    Status(Place),
    /// Serve the sandbox in the foreground (`up` starts this)
    Serve(Start),
    /// Serve the simulated exchange alone, in the foreground, for an app that is being written
    ///
    /// The REST API and the websocket are Binance's: give apps the address as `EXCHANGE_URL`, and with
    /// `ws://` as `EXCHANGE_STREAM_URL`. A stand-in for Slack is at `/slack/api` and `/slack/webhook`.
    /// A sandbox that is up has an exchange of its own.
    Exchange(Exchange),
}

#[derive(clap::Args, Debug)]
struct Exchange {
    /// Where it listens
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:0")]
    listen: SocketAddr,

    /// Prices, quantities and the order of trades belong to it: the same in every run
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    seed: u64,

    /// Trades in a second, over all pairs
    #[arg(long, value_name = "TRADES", default_value_t = 20)]
    rate: u64,
}

#[derive(clap::Args, Debug)]
struct Start {
    #[command(flatten)]
    place: Place,

    /// Run no hosts: instances are states only, and Docker Engine is not needed
    #[arg(long)]
    no_hosts: bool,

    /// Load each AWS service when it is first called: up two seconds sooner, slower first calls
    #[arg(long)]
    lazy: bool,
}

impl Start {
    fn options(&self) -> sandbox::Options {
        sandbox::Options {
            hosts: !self.no_hosts,
            lazy: self.lazy,
        }
    }
}

#[derive(clap::Args, Debug)]
struct Place {
    /// Folder for the sandbox's state [default: `tidewalk/sandbox` in the user's state folder]
    #[arg(long, value_name = "DIR", env = sandbox::DIR_VARIABLE)]
    dir: Option<PathBuf>,
}

impl Place {
    fn dir(&self) -> Result<PathBuf> {
        self.dir.clone().map_or_else(sandbox::default_dir, Ok)
    }
}

/// Runs the command.
///
/// # Errors
/// What this machine refused.
pub async fn run(args: &Args, out: &Output) -> Result<Exit, Errors> {
    match &args.action {
        Action::Up(start) => up(start, out).await?,
        Action::Down(place) => down(place, out).await?,
        Action::Status(place) => status(place, out).await?,
        Action::Serve(start) => {
            sandbox::serve(&start.place.dir()?, start.options()).await?;
        }
        Action::Exchange(args) => exchange(args, out).await?,
    }
    Ok(Exit::Done)
}

async fn up(start: &Start, out: &Output) -> Result<()> {
    let say = |line: &str| out.say(&format!("{line}\n"));
    let program = std::env::current_exe().context("finding this program")?;
    let dir = start.place.dir()?;
    let (running, was_up) = sandbox::up(&dir, start.options(), &program, &say).await?;
    if was_up {
        say("the sandbox is up already");
        if running.hosts == start.no_hosts {
            let has = if running.hosts { "with" } else { "without" };
            say(&format!(
                "it runs {has} hosts: `tidewalk sandbox down` first to change that"
            ));
        }
    }
    out.data(&shown(&running));
    out.document("sandbox", json!({ "was_up": was_up, "running": running }));
    Ok(())
}

async fn exchange(args: &Exchange, out: &Output) -> Result<()> {
    let listener = TcpListener::bind(args.listen).await;
    let listener = listener.context(format!("listening on {}", args.listen))?;
    let address = listener.local_addr().context("listening")?;
    out.data(&format!("listening on http://{address}\n"));
    out.document(
        "sandbox",
        json!({ "exchange": { "url": format!("http://{address}") } }),
    );
    let Exchange { seed, rate, .. } = *args;
    let mut terminate = signal(SignalKind::terminate()).context("watching for SIGTERM")?;
    let stop = async move {
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = terminate.recv() => {}
        }
    };
    let options = sandbox::exchange::Options { seed, rate };
    sandbox::exchange::serve(vec![listener], options, stop).await
}

async fn down(place: &Place, out: &Output) -> Result<()> {
    let say = |line: &str| out.say(&format!("{line}\n"));
    let was_up = sandbox::down(&place.dir()?, &say).await?;
    say(if was_up {
        "the sandbox is down"
    } else {
        "the sandbox was not up"
    });
    out.document("sandbox", json!({ "was_up": was_up, "running": null }));
    Ok(())
}

async fn status(place: &Place, out: &Output) -> Result<()> {
    let status = sandbox::status(&place.dir()?).await?;
    out.data(&described(&status));
    out.document(
        "sandbox",
        json!({ "dir": status.dir, "running": status.running, "health": status.health }),
    );
    Ok(())
}

fn shown(running: &Running) -> String {
    let network = running.network.as_ref().map_or_else(
        || "not run here: instances are states only".to_owned(),
        |network| format!("in {} (Docker network `{}`)", network.subnet, network.name),
    );
    let ExchangePlace { url, inside } = &running.exchange;
    let exchange = match inside {
        Some(inside) => format!("{url} (simulated; for hosts and containers {inside})"),
        None => format!("{url} (simulated)"),
    };
    let inside = running.network.as_ref().and_then(|it| it.endpoint.as_ref());
    let endpoint = match inside {
        Some(inside) => format!("{} (for hosts and containers {inside})", running.endpoint),
        None => running.endpoint.clone(),
    };
    format!(
        "endpoint  {endpoint}\nexchange  {exchange}\nhosts     {network}\nstarted   {}\n",
        running.started
    )
}

fn described(status: &Status) -> String {
    let Some(running) = &status.running else {
        return format!(
            "the sandbox in {} is not up; `tidewalk sandbox up` starts it\n",
            status.dir.display()
        );
    };
    let mut text = format!("folder    {}\n{}", status.dir.display(), shown(running));
    let Some(health) = &status.health else {
        return text + "front     does not answer\n";
    };
    let emulator = if health.emulator {
        "answers"
    } else {
        "has died, and everything in it is lost: `tidewalk sandbox down`, then `up`"
    };
    let _ = writeln!(text, "emulator  {emulator}");
    if health.hosts {
        let _ = writeln!(text, "running   {} hosts", health.host_count);
    }
    for problem in &health.problems {
        let _ = writeln!(text, "problem   {problem}");
    }
    text
}
