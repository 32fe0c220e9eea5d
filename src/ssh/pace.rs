//! How fast a large input goes. An `ssh` client reads whatever it is given and holds what the network
//! has not taken yet, up to 2 MiB each; so the host says how far it has read, and no more is on its
//! way than the hosts together may have.

use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::watch;

/// Bytes that a host reads before it says so again, in records of a tar.
const RECORDS: u64 = 3;
/// Bytes of a record: <https://www.gnu.org/software/tar/manual/html_section/Blocking-Factor.html>.
const RECORD: u64 = 10_240;
/// Bytes that may be on their way to all hosts together; each may have [`LEAST`].
const TOGETHER: u64 = 4 << 20;
/// A host may have so many bytes on their way, however many hosts there are.
const LEAST: u64 = 64 << 10;
/// Smaller inputs go as they are, in bytes.
pub(super) const LARGE: usize = 64 << 10;

/// So many large inputs are on their way now.
static SENDING: AtomicU64 = AtomicU64::new(0);

/// A host that unpacks a tar and tells how far it is, by a word of its own.
#[derive(Clone, Debug)]
pub(super) struct Pace {
    word: String,
}

impl Pace {
    /// With a word that nothing else prints.
    #[must_use]
    pub(super) fn new(word: String) -> Self {
        Self { word }
    }

    /// Unpacks the tar from standard input into `$d`, for a POSIX shell. A `tar` that cannot tell
    /// how far it is takes everything at once.
    pub(super) fn unpacks(&self) -> String {
        let Self { word } = self;
        format!(
            "case $(tar --version 2>/dev/null) in \
             *GNU*) set -- --checkpoint={RECORDS} --checkpoint-action='echo={word} %u' ;; \
             *) set --; echo '{word} 999999999' >&2 ;; esac; \
             tar xf - \"$@\" -C \"$d\" || exit 1; "
        )
    }

    /// What else the host printed on its standard error.
    pub(super) fn without(&self, stderr: &[u8]) -> Vec<u8> {
        let lines = stderr.split_inclusive(|byte| *byte == b'\n');
        let others = lines.filter(|line| self.records(line).is_none());
        others.flatten().copied().collect()
    }

    /// Records that it has read, when a line says so.
    fn records(&self, line: &[u8]) -> Option<u64> {
        let line = std::str::from_utf8(line).ok()?.trim_end();
        let (said, count) = line.rsplit_once(' ')?;
        said.ends_with(&self.word).then(|| count.parse().ok())?
    }
}

/// Opens as far as the host has read.
pub(super) struct Gate {
    pace: Option<Pace>,
    line: Vec<u8>,
    read: Option<watch::Sender<u64>>,
}

/// The other side of it.
pub(super) struct Passing {
    read: watch::Receiver<u64>,
    sent: u64,
}

impl Gate {
    /// Without a pace, it is open.
    pub(super) fn new(pace: Option<&Pace>) -> (Self, Passing) {
        let (read, seen) = watch::channel(0);
        SENDING.fetch_add(u64::from(pace.is_some()), Ordering::Relaxed);
        let gate = Self {
            pace: pace.cloned(),
            line: Vec::new(),
            read: pace.map(|_| read),
        };
        let passing = Passing {
            read: seen,
            sent: 0,
        };
        (gate, passing)
    }

    /// Hears the host's standard error.
    pub(super) fn hear(&mut self, bytes: &[u8]) {
        let (Some(pace), Some(read)) = (&self.pace, &self.read) else {
            return;
        };
        self.line.extend_from_slice(bytes);
        while let Some(end) = self.line.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.line.drain(..=end).collect();
            if let Some(records) = pace.records(&line) {
                let _ = read.send(records.saturating_mul(RECORD));
            }
        }
    }

    /// Nothing more will be heard: lets everything pass.
    pub(super) fn open(&mut self) {
        self.read = None;
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        SENDING.fetch_sub(u64::from(self.pace.is_some()), Ordering::Relaxed);
    }
}

impl Passing {
    /// Waits until so many more bytes may go.
    pub(super) async fn wait(&mut self, bytes: usize) {
        self.sent += bytes as u64;
        let sent = self.sent;
        let may = |read: &u64| {
            let share = TOGETHER / SENDING.load(Ordering::Relaxed).max(1);
            sent <= read.saturating_add(share.max(LEAST))
        };
        // An error: nobody tells how far the host is any more.
        let _ = self.read.wait_for(may).await;
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};

    use super::*;
    use crate::base::Blob;
    use crate::ssh::Input;
    use crate::ssh::streams::exchange;

    const TOTAL: usize = 1 << 20;

    /// Reads until nothing more comes for a while; how much it was.
    async fn taken(host: &mut DuplexStream) -> usize {
        let mut all = 0;
        let mut buffer = vec![0; 64 << 10];
        loop {
            let read = host.read(&mut buffer);
            match tokio::time::timeout(Duration::from_millis(300), read).await {
                Ok(Ok(length @ 1..)) => all += length,
                _ => return all,
            }
        }
    }

    #[tokio::test]
    async fn no_more_is_on_its_way_than_a_host_may_have() {
        let pace = Pace::new("word".to_owned());
        let others: Vec<_> = (0..64).map(|_| Gate::new(Some(&pace))).collect();
        let mut input = Input::default();
        input.share(&Blob::from(vec![b'x'; TOTAL]));
        input.pace = Some(pace);
        let (stdin, mut host) = duplex(1 << 10);
        let (stderr, mut told) = duplex(1 << 10);
        let reads = async {
            let first = taken(&mut host).await;
            told.write_all(b"odd\ntar: wo").await.unwrap();
            told.write_all(b"rd 3\n").await.unwrap();
            let second = taken(&mut host).await;
            // Whoever goes away holds nobody up.
            drop(told);
            (first, second, taken(&mut host).await)
        };
        let unheard: crate::ssh::transport::Heard<'_> = &mut |_| {};
        let ((first, second, rest), (_, said)) = tokio::join!(
            reads,
            exchange(&input, stdin, tokio::io::empty(), stderr, unheard)
        );
        let least = usize::try_from(LEAST).unwrap();
        assert!(first <= least, "{first}");
        assert!(second > 0 && first + second <= least + 30_720, "{second}");
        assert_eq!(first + second + rest, TOTAL);
        assert_eq!(said, b"odd\n", "what it tells of its pace is not its words");
        drop(others);
    }
}
