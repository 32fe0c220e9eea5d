//! Nothing is waited for without end: what is stuck fails its test, and says what it was.

use std::fs::File;
use std::io::{Read as _, Seek as _, Write as _};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

/// A program that a test runs ends within this; the longest makes an image of a host.
const PROGRAM: Duration = Duration::from_mins(8);
/// A test ends within this; the longest takes a tenth of it.
const TEST: Duration = Duration::from_mins(15);

/// What a program says, and how it ends. A child of it that outlives it is not waited for, even if
/// that holds its output open.
#[track_caller]
pub(crate) fn output(command: &mut Command) -> Output {
    output_within(PROGRAM, command).unwrap_or_else(|said| panic!("{command:?} is stuck: {said}"))
}

/// The same within a time of its own; what it said by then, when it takes longer.
pub(crate) fn output_within(within: Duration, command: &mut Command) -> Result<Output, String> {
    let [stdout, stderr] = [(), ()].map(|()| tempfile::tempfile().unwrap());
    let streams = [&stdout, &stderr].map(|file| file.try_clone().unwrap());
    let [to_stdout, to_stderr] = streams;
    command.stdin(Stdio::null()).stdout(to_stdout);
    let mut child = command.stderr(to_stderr).spawn().unwrap();
    let status = wait_within(within, &mut child);
    let [stdout, stderr] = [stdout, stderr].map(content);
    match status {
        Some(status) => Ok(Output {
            status,
            stdout,
            stderr,
        }),
        None => Err(String::from_utf8_lossy(&[stdout, stderr].concat()).into_owned()),
    }
}

/// How a program ends that was started before.
#[track_caller]
pub(crate) fn wait(child: &mut Child) -> ExitStatus {
    wait_within(PROGRAM, child).expect("it is stuck")
}

fn wait_within(within: Duration, child: &mut Child) -> Option<ExitStatus> {
    let deadline = Instant::now() + within;
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return Some(status);
        }
        if Instant::now() > deadline {
            child.kill().unwrap();
            child.wait().unwrap();
            return None;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn content(mut file: File) -> Vec<u8> {
    let mut bytes = Vec::new();
    file.rewind().unwrap();
    file.read_to_end(&mut bytes).unwrap();
    bytes
}

/// Ends all tests, with the name of the one that has it, if it is held for too long.
pub(crate) struct Watch {
    _held: Sender<()>,
}

impl Watch {
    pub(crate) fn begin() -> Self {
        let (held, end) = channel();
        let thread = std::thread::current();
        let test = thread.name().unwrap_or("a test").to_owned();
        std::thread::spawn(move || {
            if end.recv_timeout(TEST) == Err(RecvTimeoutError::Timeout) {
                let minutes = TEST.as_secs() / 60;
                let _ = writeln!(std::io::stderr(), "{test} is stuck for {minutes} minutes");
                std::process::exit(1);
            }
        });
        Self { _held: held }
    }
}
