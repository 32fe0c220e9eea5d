//! Follows an exchange's live trades and passes each on as one JSON object.
//!
//! The way of a trade: [`feed`] keeps the websocket open and reads messages; [`sequence`] decides, trade by trade,
//! whether it comes next, was there already, or shows that some are missing; [`history`] fetches those; [`relay`]
//! joins the two and hands trades to the sinks ([`stdout`], [`kinesis`]), which tell the ledger in [`state`] how
//! far they are.

mod backoff;
mod event;
mod feed;
mod history;
mod kinesis;
mod metrics;
mod options;
mod outlet;
mod pairs;
mod relay;
mod say;
mod sequence;
mod socket;
mod state;
mod stdout;
mod streamer;

use std::process::ExitCode;

use clap::Parser as _;

use crate::options::Options;
use crate::say::{Stop, say};

fn main() -> ExitCode {
    let options = Options::parse();
    // Only fails if there is one already
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let runtime = match tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => {
            say(format_args!("starting: {error}"));
            return ExitCode::FAILURE;
        }
    };
    let ended = runtime.block_on(streamer::run(options));
    // A write to a pipe that nobody reads must not keep us
    runtime.shutdown_background();
    match ended {
        Ok(()) | Err(Stop::ClosedPipe) => ExitCode::SUCCESS,
        Err(Stop::Failed(why)) => {
            say(why);
            ExitCode::FAILURE
        }
    }
}
