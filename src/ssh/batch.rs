//! Many commands in one round trip: a tar on the standard input, framed answers on the outputs.
//!
//! The tar holds a script and what the commands read, so its size is not bounded and nothing of it
//! is seen in the host's process list. Nothing runs unless the tar arrived whole. After each
//! command the script prints a random word and the exit status, on both outputs.

use super::frames::{Counter, unpack};
use super::pace::{LARGE, Pace};
use super::session::Output;
use super::{Command, Input, Transport};
use crate::base::{Blob, Error, Result, ResultExt, hex};
use std::fmt::Write as _;

/// Bytes of a block of a tar.
const TAR_BLOCK: usize = 512;

/// Makes a folder that goes away again.
const FOLDER: &str = "umask 077; \
    d=$(mktemp -d /run/tidewalk.XXXXXX 2>/dev/null || mktemp -d /tmp/tidewalk.XXXXXX) || exit 1; \
    trap 'rm -rf \"$d\"' EXIT; trap 'exit 1' HUP INT TERM PIPE; ";
/// Unpacks the tar from standard input there.
const UNPACK: &str = "tar xf - -C \"$d\" || exit 1; ";
/// Runs what was in it.
const RUN: &str = ". \"$d/main\"";

/// Runs the script from standard input, which only asks: it needs no folder and no files.
const ASK: &str = "s=$(cat); case $s in *'#whole') eval \"$s\" ;; *) exit 1 ;; esac";

/// How commands are run and framed, after the variables `word`, `lock`, `d`.
const RUNNER: &str = r#"
export LC_ALL=C PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
umask 022
stop=
if [ -n "$lock" ] && command -v flock >/dev/null; then
  exec 9>"$lock" && flock -w 900 9 || { echo "another run has been changing this host for 15 minutes" >&2; exit 1; }
fi
frame() { printf '\n%s %s\n' "$word" "$1"; printf '\n%s\n' "$word" >&2; }
probe() { in=$1; shift; "$@" <"$in" 2>/dev/null 9>&-; frame $?; }
step() {
  in=$1; shift
  if [ -n "$stop" ]; then frame skipped; return; fi
  "$@" <"$in" 9>&-
  s=$?; [ $s = 0 ] || stop=1
  frame $s
}
always() { in=$1; shift; "$@" <"$in" 9>&-; frame $?; }
"#;

/// Commands for one round trip.
#[derive(Debug)]
pub struct Batch {
    /// Shell functions that the commands may name as programs; `$d` is a private folder there.
    pub prelude: Blob,
    /// Become root first, by `sudo` where the login is not root already.
    pub sudo: bool,
    /// Wait for other runs that change the host, and keep them waiting.
    pub lock: bool,
    /// The commands, in order.
    pub commands: Vec<(Run, Command)>,
}

/// When a command of a batch runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Run {
    /// Always; its failure is an answer like any other.
    Probe,
    /// Unless a step before it failed.
    Step,
    /// Always, after steps that may have failed.
    Always,
}

/// What became of one command.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Exit status; `None` when it was skipped.
    pub status: Option<i32>,
    /// Standard output.
    pub stdout: Vec<u8>,
    /// Standard error.
    pub stderr: Vec<u8>,
}

impl dyn Transport + '_ {
    /// Runs a batch; `done` hears how many commands are through, when the next one is at work.
    ///
    /// # Errors
    /// When the connection, `sudo` or the host's shell fails; a command that fails is an outcome.
    pub async fn batch(
        &self,
        batch: &Batch,
        mut done: impl FnMut(usize) + Send,
    ) -> Result<Vec<Outcome>> {
        let word = random_word()?;
        let (line, stdin) = packed(batch, &word, self.login(), self.is_paced())?;
        let mut frames = Counter::new(&word);
        let output = self
            .run(&line, &stdin, &mut |bytes| {
                let Some(count) = frames.count(bytes) else {
                    return;
                };
                let next = batch.commands.get(count);
                let skipped = frames.skips && next.is_some_and(|(run, _)| *run == Run::Step);
                if !skipped {
                    done(count);
                }
            })
            .await?;
        unpack(&output, &word, batch.commands.len()).ok_or_else(|| self.unfinished(batch, &output))
    }

    fn unfinished(&self, batch: &Batch, output: &Output) -> Error {
        let said = String::from_utf8_lossy(&output.stderr);
        let said = said
            .lines()
            .map(str::trim)
            .rfind(|line| !line.is_empty())
            .unwrap_or("nothing");
        let name = self.host();
        if batch.sudo && said.starts_with("sudo:") {
            return Error::failed(format!("becoming root on {name}: {said}"))
                .hint("let the user run `sudo` without a password, or set `sudo: false`");
        }
        let how = match output.status {
            Some(status) => format!("its shell ended with status {status}"),
            None => "the connection was lost".to_owned(),
        };
        Error::failed(format!("{name} did not finish: {how}"))
            .note(format!("it said: {said}"))
            .hint("run the same command again: it continues where it stopped")
    }
}

fn random_word() -> Result<String> {
    let mut bytes = [0_u8; 16];
    getrandom::fill(&mut bytes).context("random numbers")?;
    Ok(hex(&bytes))
}

/// The line for the host's shell, and what it reads.
fn packed(batch: &Batch, word: &str, user: Option<&str>, paced: bool) -> Result<(String, Input)> {
    let become_root = batch.sudo && user != Some("root");
    let mut commands = batch.commands.iter();
    if commands.all(|(run, command)| *run == Run::Probe && command.stdin.is_none()) {
        let mut asked = Input::default();
        asked.push(head(batch, word).as_bytes());
        asked.share(&batch.prelude);
        asked.push(b"\n");
        asked.push(calls(batch)?.as_bytes());
        asked.push(b"#whole");
        return Ok((boot_line(ASK, become_root)?, asked));
    }
    let mut tar = pack(batch, word)?;
    if paced && tar.len() > LARGE {
        tar.pace = Some(Pace::new(random_word()?));
    }
    let unpacks = tar.pace.as_ref().map(Pace::unpacks);
    let boot = FOLDER.to_owned() + unpacks.as_deref().unwrap_or(UNPACK) + RUN;
    Ok((boot_line(&boot, become_root)?, tar))
}

fn boot_line(boot: &str, sudo: bool) -> Result<String> {
    let line = if sudo {
        let boot = quote(boot)?;
        format!(
            "if [ \"$(id -u)\" = 0 ]; then exec sh -c {boot}; else exec sudo -n -- sh -c {boot}; fi"
        )
    } else {
        boot.to_owned()
    };
    // The login shell may be any; the rest is for a POSIX one.
    Ok(format!("exec sh -c {}", quote(&line)?))
}

/// A program with its arguments as a line for the host's shell.
///
/// # Errors
/// When a word cannot stand in one.
pub fn line_of(argv: &[String]) -> Result<String> {
    let words: Vec<_> = argv.iter().map(|word| quote(word)).collect::<Result<_>>()?;
    Ok(words.join(" "))
}

/// One word for the host's shell.
fn quote(word: &str) -> Result<String> {
    shlex::try_quote(word)
        .map(std::borrow::Cow::into_owned)
        .context("a word for the host's shell")
}

fn pack(batch: &Batch, word: &str) -> Result<Input> {
    let mut tar = Input::default();
    for (index, (_, command)) in batch.commands.iter().enumerate() {
        if let Some(bytes) = &command.stdin {
            append(&mut tar, &format!("in.{index}"), bytes)?;
        }
    }
    append(&mut tar, "prelude", &batch.prelude)?;
    let script = head(batch, word) + ". \"$d/prelude\"\n" + &calls(batch)?;
    append(&mut tar, "main", &script.into())?;
    // Two empty blocks are its end.
    tar.push(&[0; 2 * TAR_BLOCK]);
    tar.end();
    Ok(tar)
}

/// What the functions and the commands need.
fn head(batch: &Batch, word: &str) -> String {
    let root = if batch.sudo { "1" } else { "" };
    let mut script = format!("word={word}\nroot={root}\nlock=");
    if batch.lock {
        script.push_str("$HOME/.tidewalk.lock; [ ! -w /run ] || lock=/run/tidewalk.lock");
    }
    script.push_str(RUNNER);
    script
}

/// The commands, a line each.
fn calls(batch: &Batch) -> Result<String> {
    let mut script = String::new();
    for (index, (run, command)) in batch.commands.iter().enumerate() {
        script.push_str(match run {
            Run::Probe => "probe ",
            Run::Step => "step ",
            Run::Always => "always ",
        });
        match &command.stdin {
            None => script.push_str("/dev/null"),
            Some(_) => {
                let _ = write!(script, "\"$d/in.{index}\"");
            }
        }
        for argument in &command.argv {
            script.push(' ');
            script.push_str(&quote(argument)?);
        }
        script.push('\n');
    }
    Ok(script)
}

fn append(tar: &mut Input, name: &str, bytes: &Blob) -> Result<()> {
    let mut header = tar::Header::new_ustar();
    header.set_size(bytes.len() as u64);
    header.set_mode(0o600);
    header.set_path(name).context("packing for the host")?;
    header.set_cksum();
    tar.push(header.as_bytes());
    tar.share(bytes);
    tar.push(&[0; TAR_BLOCK][..bytes.len().next_multiple_of(TAR_BLOCK) - bytes.len()]);
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::process::{Command as Process, Stdio};

    use super::*;
    use crate::ssh::streams::exchange;

    /// What this machine's shell makes of a line and what it reads.
    fn feed(line: &str, bytes: &[u8]) -> Output {
        let mut child = Process::new("sh")
            .args(["-c", line])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(bytes).unwrap();
        let done = child.wait_with_output().unwrap();
        Output {
            status: done.status.code(),
            stdout: done.stdout,
            stderr: done.stderr,
        }
    }

    fn whole(input: &Input) -> Vec<u8> {
        input.pieces().collect::<Vec<_>>().concat()
    }

    fn run_here(batch: &Batch) -> Vec<Outcome> {
        let word = random_word().unwrap();
        let (line, bytes) = packed(batch, &word, None, false).unwrap();
        unpack(&feed(&line, &whole(&bytes)), &word, batch.commands.len()).unwrap()
    }

    fn batch(commands: Vec<(Run, Command)>) -> Batch {
        Batch {
            prelude: "greet() { echo \"hello $1\"; }".into(),
            sudo: false,
            lock: false,
            commands,
        }
    }

    #[test]
    fn bytes_and_odd_words_come_through_unchanged() {
        let bytes: Vec<u8> = (0..=255).cycle().take(300_000).collect();
        let odd = "it's \"$HOME\" `x` \\ * \n ü";
        let outcomes = run_here(&batch(vec![
            (Run::Probe, Command::new(["cat"]).reading(bytes.clone())),
            (Run::Probe, Command::new(["printf", "%s", odd])),
            (Run::Probe, Command::new(["greet", "you"])),
            (Run::Probe, Command::new(["false"])),
        ]));
        assert_eq!(outcomes[0].stdout, bytes);
        assert_eq!(outcomes[1].stdout, odd.as_bytes());
        assert_eq!(outcomes[2].stdout, b"hello you\n");
        assert_eq!(outcomes[3].status, Some(1));
    }

    #[tokio::test]
    async fn a_large_input_goes_as_fast_as_it_is_read() {
        let bytes: Vec<u8> = (0..=255).cycle().take(20 << 20).collect();
        let check = Command::new(["sh", "-c", "wc -c; echo noise >&2"]).reading(bytes);
        let mut batch = batch(vec![(Run::Step, check)]);
        batch.prelude = "echo before >&2".into();
        let (line, input) = packed(&batch, "word", None, true).unwrap();
        assert!(input.pace.is_some());
        let mut host = tokio::process::Command::new("sh");
        let host = host.args(["-c", &line]).stdin(Stdio::piped());
        let mut host = host.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let host = host.as_mut().unwrap();
        let (stdin, stdout) = (host.stdin.take().unwrap(), host.stdout.take().unwrap());
        let unheard: crate::ssh::transport::Heard<'_> = &mut |_| {};
        let done = exchange(&input, stdin, stdout, host.stderr.take().unwrap(), unheard);
        let done = tokio::time::timeout(std::time::Duration::from_mins(1), done);
        let (stdout, stderr) = done.await.expect("the host tells how far it is");
        let status = host.wait().await.unwrap().code();
        let output = Output {
            status,
            stdout,
            stderr,
        };
        let outcomes = unpack(&output, "word", 1).unwrap();
        assert_eq!(outcomes[0].stdout, b"20971520\n");
        assert_eq!(outcomes[0].stderr, b"before\nnoise\n");
    }

    #[test]
    fn a_failed_step_stops_the_steps_after_it_only() {
        let outcomes = run_here(&batch(vec![
            (Run::Step, Command::new(["sh", "-c", "echo no >&2; exit 7"])),
            (Run::Step, Command::new(["echo", "never"])),
            (Run::Always, Command::new(["echo", "still"])),
        ]));
        assert_eq!(outcomes[0].status, Some(7));
        assert_eq!(outcomes[0].stderr, b"no\n");
        assert_eq!(outcomes[1].status, None);
        assert_eq!(outcomes[1].stdout, b"");
        assert_eq!(outcomes[2].stdout, b"still\n");
    }

    #[test]
    fn nothing_runs_when_the_tar_is_cut_short() {
        let folder = tempfile::tempdir().unwrap();
        let touched = folder.path().join("touched");
        let touch = Command::new(["touch", touched.to_str().unwrap()]).reading(vec![0; 100_000]);
        let (line, tar) = packed(&batch(vec![(Run::Step, touch)]), "word", None, false).unwrap();
        assert_ne!(feed(&line, &whole(&tar)[..60_000]).status, Some(0));
        assert!(!touched.exists());
    }

    #[test]
    fn questions_alone_need_no_files_and_come_whole_or_not_at_all() {
        let ask = batch(vec![
            (Run::Probe, Command::new(["printf", "%s\\n", "it's `x` $y"])),
            (Run::Probe, Command::new(["greet", "you"])),
            (Run::Probe, Command::new(["cat"])),
        ]);
        let outcomes = run_here(&ask);
        assert_eq!(outcomes[0].stdout, b"it's `x` $y\n");
        assert_eq!(outcomes[1].stdout, b"hello you\n");
        assert_eq!(outcomes[2].stdout, b"", "it does not read the script");

        let (line, script) = packed(&ask, "word", None, false).unwrap();
        let script = whole(&script);
        let cut = feed(&line, &script[..script.len() - 3]);
        assert_eq!((cut.status, cut.stdout.as_slice()), (Some(1), &b""[..]));
    }
}
