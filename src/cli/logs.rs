//! `tidewalk logs`

use std::collections::HashMap;
use std::path::PathBuf;
use std::time::Duration;

use futures::future::try_join_all;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::exit::Exit;
use super::flags::{CloudFlags, PlaybookFlags, RunFlags, USUAL_PLAYBOOK, VarFlags};
use super::session::Session;
use crate::aws::log_events::{self, LogEvent};
use crate::base::suggestion::hint;
use crate::base::{Error, Errors, Result, ResultExt};
use crate::contract::Context;
use crate::report::{self, Output};
use crate::resources::services::logs::{self, Source};
use crate::resources::within::Within;

/// Between two looks with `--follow`.
const PAUSE: Duration = Duration::from_secs(2);
/// A line may arrive so much later than it was written.
const LATE: SignedDuration = SignedDuration::from_secs(60);

/// Show what the containers of a service have written
///
/// Reads the log groups that its containers write to: of the tasks that run, and of those that ran
/// before, which is where to look when a rollout failed.
#[derive(clap::Args, Debug)]
#[command(after_help = "Example:\n  tidewalk logs services.api -f site.yml --since 1h --follow")]
pub struct Args {
    /// The service: its name under `services:`, or its address
    #[arg(value_name = "SERVICE")]
    service: String,

    /// The playbook
    #[arg(long, short = 'f', value_name = "PLAYBOOK", default_value = USUAL_PLAYBOOK)]
    playbook: PathBuf,

    #[command(flatten)]
    vars: VarFlags,

    /// Lines of the last so many minutes or hours: `10m`, `2h`, `1d`
    #[arg(long, value_name = "TIME", default_value = "10m", value_parser = time)]
    since: Duration,

    /// Go on with new lines as they come, until Ctrl-C
    #[arg(long)]
    follow: bool,

    /// Lines of this container alone
    #[arg(long, value_name = "NAME")]
    container: Option<String>,

    #[command(flatten)]
    cloud: CloudFlags,
}

fn time(text: &str) -> Result<Duration, String> {
    let Within(time) = text.parse()?;
    Ok(time)
}

/// Runs the command.
///
/// # Errors
/// When there is no such service, it writes no logs, or they cannot be read.
pub async fn run(args: &Args, out: &Output) -> Result<Exit, Errors> {
    let playbook = PlaybookFlags {
        playbook: args.playbook.clone(),
        vars: args.vars.clone(),
    };
    let run = RunFlags::default();
    let session = Session::of_playbook(out, &playbook, &args.cloud, &run).await?;
    let service = session.service(&args.service).await?;
    let (cx, address) = (session.engine.context(), &service.address);
    let mut sources = logs::sources(cx, &service.cluster, &service.name).await?;
    if let Some(container) = &args.container {
        let names: Vec<String> = sources.iter().map(|it| it.container.clone()).collect();
        sources.retain(|it| it.container == *container);
        if sources.is_empty() {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            let text = format!("`{address}` has no container `{container}` that writes logs");
            return Err(Error::usage(text).hint(hint(container, &names)).into());
        }
    }
    tokio::select! {
        shown = show(args, cx, &sources, out) => Ok(shown.map(|()| Exit::Done)?),
        stopped = tokio::signal::ctrl_c() => {
            stopped.context("watching for Ctrl-C")?;
            Ok(Exit::Done)
        }
    }
}

async fn show(args: &Args, cx: &Context, sources: &[Source], out: &Output) -> Result<()> {
    let begun = SignedDuration::try_from(args.since).unwrap_or(SignedDuration::MAX);
    let from = Timestamp::now().saturating_sub(begun);
    let mut from = from.unwrap_or(Timestamp::MIN);
    let mut shown = HashMap::new();
    loop {
        let mut lines = written(cx, sources, from).await?;
        lines.retain(|(_, line)| shown.insert(line.id.clone(), line.at).is_none());
        if !args.follow || !lines.is_empty() {
            for (source, line) in &lines {
                let (container, stream) = (&source.container, &line.stream);
                out.data(&report::logs::line(line.at, container, stream, &line.text));
            }
            out.document("logs", document(&lines));
        }
        if !args.follow {
            return Ok(());
        }
        if let Some((_, last)) = lines.last() {
            let last = Timestamp::from_millisecond(last.at).unwrap_or(from);
            from = from.max(last.saturating_sub(LATE).unwrap_or(from));
            // What is older is not asked for again.
            shown.retain(|_, at| *at >= from.as_millisecond());
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Lines of all the sources, in the order of their times.
async fn written<'a>(
    cx: &Context,
    sources: &'a [Source],
    from: Timestamp,
) -> Result<Vec<(&'a Source, LogEvent)>> {
    let since = from.as_millisecond();
    let asked = sources.iter().map(|source| async move {
        let events = log_events::since(&cx.aws, &source.group, &source.begin, since).await?;
        let events = events.into_iter().map(|event| (source, event));
        Ok::<_, Error>(events.collect::<Vec<_>>())
    });
    let mut lines: Vec<_> = try_join_all(asked).await?.into_iter().flatten().collect();
    lines.sort_by_key(|(_, line)| line.at);
    Ok(lines)
}

fn document(lines: &[(&Source, LogEvent)]) -> serde_json::Value {
    let lines = lines.iter().map(|(source, line)| {
        json!({
            "at": report::logs::time(line.at),
            "container": source.container,
            "stream": line.stream,
            "text": line.text,
        })
    });
    json!({ "version": 1, "lines": lines.collect::<Vec<_>>() })
}
