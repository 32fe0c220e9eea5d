//! Where one command's output ends and the next one's begins: a random word, and the exit status.

use super::batch::Outcome;
use super::session::Output;

/// Counts frames in a stream of chunks.
pub(super) struct Counter {
    mark: Vec<u8>,
    tail: Vec<u8>,
    count: usize,
    /// A command was skipped, so that the other steps will be, too.
    pub(super) skips: bool,
}

impl Counter {
    pub(super) fn new(word: &str) -> Self {
        Self {
            mark: format!("\n{word} ").into_bytes(),
            tail: Vec::new(),
            count: 0,
            skips: false,
        }
    }

    /// The number of frames so far, when it grew.
    pub(super) fn count(&mut self, bytes: &[u8]) -> Option<usize> {
        self.tail.extend_from_slice(bytes);
        let mut grew = false;
        while let Some(at) = find(&self.tail, &self.mark) {
            let status = at + self.mark.len();
            let Some(length) = find(&self.tail[status..], b"\n") else {
                self.tail.drain(..at);
                return grew.then_some(self.count);
            };
            self.skips |= self.tail[status..status + length] == *b"skipped";
            self.tail.drain(..status + length);
            self.count += 1;
            grew = true;
        }
        let keep = self.tail.len().min(self.mark.len());
        self.tail.drain(..self.tail.len() - keep);
        grew.then_some(self.count)
    }
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack
        .windows(needle.len())
        .position(|window| window == needle)
}

/// Cuts the two outputs at their marks; `None` when some command has no frame.
pub(super) fn unpack(output: &Output, word: &str, commands: usize) -> Option<Vec<Outcome>> {
    let out_mark = format!("\n{word} ").into_bytes();
    let err_mark = format!("\n{word}\n").into_bytes();
    let (mut out, mut err) = (output.stdout.as_slice(), output.stderr.as_slice());
    let mut outcomes = Vec::with_capacity(commands);
    for _ in 0..commands {
        let at = find(out, &out_mark)?;
        let rest = &out[at + out_mark.len()..];
        let end = rest.iter().position(|byte| *byte == b'\n')?;
        let status = std::str::from_utf8(&rest[..end]).ok()?;
        let err_at = find(err, &err_mark)?;
        outcomes.push(Outcome {
            status: status.parse().ok(),
            stdout: out[..at].to_vec(),
            stderr: err[..err_at].to_vec(),
        });
        out = &rest[end + 1..];
        err = &err[err_at + err_mark.len()..];
    }
    Some(outcomes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_counted_across_chunks() {
        let mut counter = Counter::new("mark");
        assert_eq!(counter.count(b"text\nma"), None);
        assert_eq!(counter.count(b"rk 0\nmore\nmark 1\n"), Some(2));
        assert_eq!(counter.count(b"\nmark skip"), None);
        assert!(!counter.skips);
        assert_eq!(counter.count(b"ped\n"), Some(3));
        assert!(counter.skips);
    }
}
