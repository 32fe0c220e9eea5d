//! A program that works on the records of one shard: started, told, listened to.

use std::process::Stdio;

use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::timeout;

use super::Say;
use super::held::{Held, Noted};
use super::position::{Position, Sequence};
use super::properties::Job;
use super::protocol::{Said, Told};
use crate::aws::is_code;
use crate::base::{Error, Result, ResultExt};

/// Of a line that is no message, in characters: what is shown of it.
const SHOWN: usize = 200;

/// A program that works on the records of one shard. It ends with this.
pub(super) struct Processor<'a> {
    job: &'a Job,
    held: &'a Held,
    say: &'a Say,
    child: Child,
    stdin: ChildStdin,
    lines: Lines<BufReader<ChildStdout>>,
    /// The last record that it was given, or where it began.
    given: Position,
}

impl<'a> Processor<'a> {
    /// Starts it; what it writes to stderr goes to this process's own.
    pub(super) fn start(job: &'a Job, held: &'a Held, say: &'a Say) -> Result<Self> {
        let (program, arguments) = job.executable.split_first().unwrap_or((&job.stream, &[]));
        let mut command = Command::new(program);
        command.args(arguments).current_dir(&job.folder);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        // Ctrl-C in a terminal is for this process: programs are told when to stop.
        let started = command.process_group(0).kill_on_drop(true).spawn();
        let mut child = started.map_err(|cause| {
            let folder = job.folder.display();
            Error::failed(format!("starting `{program}` in `{folder}`: {cause}"))
                .hint("`executableName` is a program with the right to be run (`chmod +x`)")
        })?;
        let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
        let (Some(stdin), Some(stdout)) = (stdin, stdout) else {
            return Err(Error::failed(format!("`{program}` has no stdin or stdout")));
        };
        Ok(Self {
            job,
            held,
            say,
            child,
            stdin,
            lines: BufReader::new(stdout).lines(),
            given: held.position(),
        })
    }

    /// The last record of what it is told next.
    pub(super) fn given(&mut self, last: &Sequence) {
        self.given = Position::After(last.clone());
    }

    /// Tells it something and waits until it is done with that, checkpoints included.
    pub(super) async fn tell(&mut self, told: &Told<'_>) -> Result<()> {
        let Some(most) = self.job.timeout else {
            return self.answered(told).await;
        };
        let answered = self.answered(told);
        let what = told.name();
        timeout(most, answered).await.unwrap_or_else(|_| {
            let text = format!("no answer to `{what}` within {} s", most.as_secs());
            Err(Error::failed(text).hint("`timeoutInSeconds` gives it longer"))
        })
    }

    async fn answered(&mut self, told: &Told<'_>) -> Result<()> {
        self.write(told).await?;
        loop {
            match self.read().await? {
                Said::Status { response_for } if response_for == told.name() => return Ok(()),
                Said::Status { response_for } => {
                    let text = format!(
                        "it answered `{response_for}` when it was told `{}`",
                        told.name()
                    );
                    return Err(Error::failed(text));
                }
                Said::Checkpoint { sequence_number } => {
                    let ended = matches!(told, Told::ShardEnded {});
                    self.checkpoint(sequence_number.as_deref(), ended).await?;
                }
            }
        }
    }

    async fn checkpoint(&mut self, at: Option<&str>, ended: bool) -> Result<()> {
        let wanted = match at {
            None if ended => Ok(Position::ShardEnd),
            None => Ok(self.given.clone()),
            Some(at) => at.parse(),
        };
        let error = match wanted {
            Err(_) => Some("IllegalArgumentException"),
            Ok(wanted) => match self.held.checkpoint(&wanted, &self.given).await {
                Ok(Noted::Yes) => None,
                Ok(Noted::Lost) => Some("ShutdownException"),
                Ok(Noted::Wrong) => Some("IllegalArgumentException"),
                Err(error) if is_code(&error, "ProvisionedThroughputExceededException") => {
                    Some("ThrottlingException")
                }
                Err(error) => {
                    (self.say)(&format!("{}: no checkpoint: {error}", self.held.shard));
                    Some("KinesisClientLibDependencyException")
                }
            },
        };
        let told = Told::Checkpoint {
            sequence_number: at,
            sub_sequence_number: 0,
            error,
        };
        self.write(&told).await
    }

    async fn write(&mut self, told: &Told<'_>) -> Result<()> {
        let mut line = serde_json::to_vec(told).context("writing a message")?;
        line.push(b'\n');
        let written = async {
            self.stdin.write_all(&line).await?;
            self.stdin.flush().await
        };
        match written.await {
            Ok(()) => Ok(()),
            Err(cause) => Err(self.ended(&cause.to_string()).await),
        }
    }

    async fn read(&mut self) -> Result<Said> {
        loop {
            let line = match self.lines.next_line().await {
                Ok(Some(line)) => line,
                Ok(None) => return Err(self.ended("it closed its stdout").await),
                Err(cause) => return Err(self.ended(&cause.to_string()).await),
            };
            if let Ok(said) = serde_json::from_str(&line) {
                return Ok(said);
            }
            if !line.trim().is_empty() {
                let shown: String = line.chars().take(SHOWN).collect();
                (self.say)(&format!("{}: no message: {shown}", self.held.shard));
            }
        }
    }

    /// What to say of a program that no longer listens or speaks.
    async fn ended(&mut self, cause: &str) -> Error {
        let program = self.job.executable.join(" ");
        let waited = timeout(std::time::Duration::from_secs(2), self.child.wait()).await;
        match waited {
            Ok(Ok(status)) => Error::failed(format!("`{program}` ended with {status}")),
            Ok(Err(_)) | Err(_) => Error::failed(format!("`{program}` no longer answers: {cause}")),
        }
    }

    /// Lets it end by itself, for a while.
    pub(super) async fn end(self) {
        let Self {
            stdin, mut child, ..
        } = self;
        drop(stdin);
        if timeout(std::time::Duration::from_secs(5), child.wait())
            .await
            .is_err()
        {
            let _ = child.kill().await;
        }
    }
}
