//! `tidewalk stream consume`

use std::path::PathBuf;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use super::say;
use crate::base::{Errors, Result, ResultExt};
use crate::cli::exit::Exit;
use crate::cli::flags::CloudFlags;
use crate::cli::session;
use crate::report::Output;
use crate::stream::consume::consume;
use crate::stream::properties::Job;

/// Run a program on the records of a stream
///
/// PROPERTIES is the file that a `MultiLangDaemon` of Amazon's Kinesis Client Library is configured
/// by, and the program speaks the same protocol: `executableName`, `streamName` and
/// `applicationName` must be there, `regionName`, `initialPositionInStream` (`LATEST`),
/// `failoverTimeMillis` (10000), `idleTimeBetweenReadsInMillis` (1000), `maxRecords` (10000),
/// `timeoutInSeconds` and `workerId` may be. The program is started once for each shard, in the
/// file's folder.
///
/// Who works on which shard, and how far, is kept in the `DynamoDB` table `applicationName`, as the
/// library keeps it: one can go on where the other stopped. Several runs share the shards evenly,
/// and take over those of a run that is gone; what came from a split or merged shard waits until
/// that one is done. A program that ends is started again from its last checkpoint, so that some
/// records come twice; after five times without a checkpoint the run fails. SIGTERM and Ctrl-C let
/// programs make a last checkpoint.
/// Records that the Kinesis Producer Library has packed together are not unpacked.
#[derive(clap::Args, Debug)]
#[command(after_help = "Example:\n  tidewalk stream consume /opt/trade-counter/app.properties")]
pub(super) struct Args {
    /// The program, the stream and the application
    #[arg(value_name = "PROPERTIES")]
    properties: PathBuf,

    /// Make the table, if there is none; `destroy` does not know of it
    #[arg(long)]
    create_table: bool,

    #[command(flatten)]
    cloud: CloudFlags,
}

pub(super) async fn run(args: &Args, out: &Output) -> Result<Exit, Errors> {
    let job = Job::read(&args.properties)?;
    let aws = session::account(&args.cloud, job.region.clone()).await;
    let aws = aws?;
    let (stop, stopped) = watch::channel(false);
    let mut interrupt = signal(SignalKind::interrupt()).context("watching for Ctrl-C")?;
    let mut terminate = signal(SignalKind::terminate()).context("watching for SIGTERM")?;
    tokio::spawn(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        stop.send_replace(true);
    });
    consume(&aws, job, args.create_table, stopped, say(out)).await?;
    Ok(Exit::Done)
}
