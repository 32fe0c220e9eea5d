//! The sink that writes JSON lines on standard output.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, ErrorKind, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::fd::AsFd as _;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::mpsc::UnboundedReceiver;
use tokio::task::spawn_blocking;
use tokio::time::sleep;

use crate::outlet::Trade;
use crate::say::{Stop, say};
use crate::state::Ledger;

/// How long lines are gathered before they are written: few writes, little delay
const LINGER: Duration = Duration::from_millis(5);

/// With this many waiting, there is nothing to gather
const MANY: usize = 1000;

/// Writes until the queue ends and is empty
pub(crate) async fn run(
    mut queue: UnboundedReceiver<Arc<Trade>>,
    ledger: Arc<Ledger>,
    sink: usize,
    give_up: Duration,
) -> Result<(), Stop> {
    // A file of its own: the standard one is buffered by the line
    let out = io::stdout().as_fd().try_clone_to_owned().map(File::from);
    let out =
        Arc::new(out.map_err(|error| Stop::Failed(format!("opening standard output: {error}")))?);
    let mut lines = Vec::with_capacity(64 * 1024);
    if torn_line() {
        lines.push(b'\n');
    }
    let mut trades = Vec::new();
    loop {
        if queue.len() < MANY {
            sleep(LINGER).await;
        }
        if queue.recv_many(&mut trades, MANY).await == 0 {
            return Ok(());
        }
        for trade in &trades {
            lines.extend_from_slice(trade.line.as_bytes());
            lines.push(b'\n');
        }
        // A pipe whose reader pauses blocks only this
        let out = out.clone();
        let written = spawn_blocking(move || write(&out, &lines, give_up).map(|()| lines)).await;
        lines = written
            .map_err(|error| Stop::Failed(format!("writing to standard output: {error}")))??;
        lines.clear();
        let marks: BTreeMap<_, _> = trades
            .drain(..)
            .map(|trade| (trade.pair, trade.mark))
            .collect();
        ledger.delivered(sink, marks);
    }
}

/// Whether standard output is a file that ends within a line, as a run that was killed may have left it
fn torn_line() -> bool {
    let end = || -> io::Result<u8> {
        let mut file = File::open("/proc/self/fd/1")?;
        if !file.metadata()?.is_file() {
            return Ok(b'\n');
        }
        let mut last = [0];
        file.seek(SeekFrom::End(-1))?;
        file.read_exact(&mut last)?;
        Ok(last[0])
    };
    // A file that is empty or cannot be read tells nothing
    end().is_ok_and(|last| last != b'\n')
}

/// Writes all, and tries again for some time what fails for want of space
fn write(mut out: &File, mut bytes: &[u8], give_up: Duration) -> Result<(), Stop> {
    let mut failing = None;
    while !bytes.is_empty() {
        let error = match out.write(bytes) {
            Ok(0) => io::Error::from(ErrorKind::WriteZero),
            Ok(n) => {
                bytes = &bytes[n..];
                failing = None;
                continue;
            }
            Err(error) => error,
        };
        match error.kind() {
            ErrorKind::Interrupted => {}
            ErrorKind::BrokenPipe => return Err(Stop::ClosedPipe),
            ErrorKind::WouldBlock => thread::sleep(LINGER),
            _ => {
                let since = *failing.get_or_insert_with(|| {
                    say(format_args!(
                        "writing to standard output: {error}; trying again each second"
                    ));
                    Instant::now()
                });
                if since.elapsed() >= give_up {
                    return Err(Stop::Failed(format!("writing to standard output: {error}")));
                }
                thread::sleep(Duration::from_secs(1));
            }
        }
    }
    Ok(())
}
