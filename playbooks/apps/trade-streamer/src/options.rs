//! What the command line and the environment say.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, ValueEnum};

/// The pairs that are followed when none are named
const PAIRS: &str = "BTCUSDT,ETHUSDT,LTCUSDT,NEOUSDT,BNBUSDT,ETHBTC,LTCBTC,NEOBTC,BNBBTC,LTCETH,NEOETH,BNBETH,LTCBNB,NEOBNB";

/// Follow an exchange's live trades and pass each on as one JSON object: as lines on standard output, as records
/// of a Kinesis stream, or both
///
/// No trade is left out, and each pair keeps its order: trade ids are consecutive, so what a lost connection or a
/// broken message cost is seen and fetched from the exchange's REST interface before newer trades go on. With
/// --state, a restart goes on where the last run was, even after a crash: at least once, so the last few trades
/// may come twice.
#[derive(Debug, Parser)]
#[command(version, after_long_help = AFTER)]
pub(crate) struct Options {
    /// Pairs to follow, separated by commas
    #[arg(long, env = "PAIRS", value_delimiter = ',', value_parser = pair, default_value = PAIRS)]
    pub(crate) pairs: Vec<String>,

    /// Where the exchange streams trades (websocket); `/ws` is appended
    #[arg(
        long,
        env = "EXCHANGE_STREAM_URL",
        value_name = "URL",
        default_value = "wss://stream.binance.com:9443"
    )]
    pub(crate) exchange_stream_url: String,

    /// Where the exchange answers requests (REST), to fetch trades that were missed
    #[arg(
        long,
        env = "EXCHANGE_URL",
        value_name = "URL",
        default_value = "https://api.binance.com"
    )]
    pub(crate) exchange_url: String,

    /// Key for those requests, where the exchange wants one; no secret is needed, as they only read
    #[arg(
        long,
        env = "EXCHANGE_API_KEY",
        value_name = "KEY",
        hide_env_values = true
    )]
    pub(crate) exchange_api_key: Option<String>,

    /// Where trades go
    #[arg(long, env = "TO", value_enum, default_value_t = To::Stdout)]
    pub(crate) to: To,

    /// Kinesis stream to put records to; region, endpoint and credentials are found as by every AWS tool
    #[arg(
        long,
        env = "KINESIS_STREAM",
        value_name = "NAME",
        required_if_eq_any = [("to", "kinesis"), ("to", "both")]
    )]
    pub(crate) stream: Option<String>,

    /// Put at most one record of a pair into each request
    ///
    /// Kinesis may refuse one record of a request and take a later one of the same pair, so that the refused one
    /// comes after it. With this, it cannot; a stream is then as fast as its answers: about a hundred
    /// trades a second for each pair within a region.
    #[arg(long, env = "STRICT_ORDER")]
    pub(crate) strict_order: bool,

    /// File that remembers the last trade delivered of each pair, so that a restart leaves none out
    #[arg(long, env = "STATE_FILE", value_name = "FILE")]
    pub(crate) state: Option<PathBuf>,

    /// Connect again when the exchange has sent nothing at all for this long (it pings every 20 s)
    ///
    /// A pair without a trade for this long is asked for, as its last ones may have been lost on the way.
    #[arg(long, env = "SILENCE", value_name = "SECONDS", value_parser = seconds, default_value = "60")]
    pub(crate) silence: Duration,

    /// Exit with 1 when the exchange or the stream could not be used for this long
    #[arg(long, env = "GIVE_UP", value_name = "SECONDS", value_parser = seconds, default_value = "300")]
    pub(crate) give_up: Duration,

    /// Tell figures on standard error this often
    #[arg(long, env = "METRICS", value_name = "SECONDS", value_parser = seconds, default_value = "60")]
    pub(crate) metrics: Duration,
}

const AFTER: &str = "\
Examples:
  trade-streamer --pairs BTCUSDT,ETHUSDT | head
  trade-streamer --state last.json >> transactions.json
  AWS_REGION=eu-west-1 trade-streamer --to kinesis --stream crypto --state last.json

Exit codes: 0 after SIGTERM or SIGINT (everything taken is delivered first) or when the reader of standard output \
has gone; 1 when it cannot go on, with the reason on standard error; 2 for wrong options.";

/// Where trades go
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum To {
    /// JSON lines on standard output
    Stdout,
    /// Records of a Kinesis stream
    Kinesis,
    /// Both
    Both,
}

impl To {
    pub(crate) fn stdout(self) -> bool {
        self != Self::Kinesis
    }

    pub(crate) fn kinesis(self) -> bool {
        self != Self::Stdout
    }
}

fn pair(text: &str) -> Result<String, String> {
    let name = text.trim().to_ascii_uppercase();
    if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Err("a pair is letters and digits, such as BTCUSDT".into());
    }
    Ok(name)
}

fn seconds(text: &str) -> Result<Duration, String> {
    text.parse()
        .ok()
        .filter(|seconds| *seconds > 0.0)
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        .ok_or_else(|| "seconds are a number above zero".into())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn options_are_sound_and_the_default_pairs_are_fourteen() {
        Options::command().debug_assert();
        let options = Options::try_parse_from(["trade-streamer"]).unwrap();
        assert_eq!(options.pairs.len(), 14);
    }

    #[test]
    fn wrong_values_are_refused() {
        for arguments in [
            ["--pairs", "BTC/USDT"],
            ["--pairs", "BTCUSDT,"],
            ["--silence", "0"],
            ["--silence", "-1"],
            ["--to", "kinesis"],
        ] {
            let all = std::iter::once("trade-streamer").chain(arguments);
            assert!(Options::try_parse_from(all).is_err(), "{arguments:?}");
        }
    }
}
