//! What a program reads and prints, whatever carries it.

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

use super::pace::{Gate, Pace};
use super::transport::Heard;
use crate::base::Blob;

/// Bytes by which there is more room for what a program prints, at least and at most at once.
const LEAST: usize = 256;
const CHUNK: usize = 8 * 1024;
/// Bytes that are written at once.
const PORTION: usize = 16 * 1024;
/// Shorter pieces are copied; longer ones are shared with whoever else sends them.
const SHARED: usize = 4 * 1024;

/// What a program reads: pieces, one after the other, so that a file which many hosts get is in
/// memory once.
#[derive(Clone, Debug, Default)]
pub struct Input {
    pieces: Vec<Blob>,
    /// The end of it.
    open: Vec<u8>,
    /// Its reader tells how far it is.
    pub(super) pace: Option<Pace>,
}

impl Input {
    /// Adds bytes.
    pub fn push(&mut self, bytes: &[u8]) {
        self.open.extend_from_slice(bytes);
    }

    /// Adds bytes that others may hold, too.
    pub fn share(&mut self, bytes: &Blob) {
        if bytes.len() < SHARED {
            return self.push(bytes);
        }
        if !self.open.is_empty() {
            self.open.shrink_to_fit();
            self.pieces.push(std::mem::take(&mut self.open).into());
        }
        self.pieces.push(bytes.clone());
    }

    /// Nothing is added any more.
    pub fn end(&mut self) {
        self.open.shrink_to_fit();
        self.pieces.shrink_to_fit();
    }

    /// The pieces, in their order.
    pub fn pieces(&self) -> impl Iterator<Item = &[u8]> {
        let pieces = self.pieces.iter().map(|piece| &**piece);
        pieces.chain(std::iter::once(self.open.as_slice()))
    }

    /// Bytes in all.
    #[must_use]
    pub fn len(&self) -> usize {
        self.pieces().map(<[u8]>::len).sum()
    }

    /// There is nothing to read.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Lets a program read and hears it until both of its outputs end: what they were.
pub async fn exchange(
    input: &Input,
    mut stdin: impl AsyncWrite + Unpin,
    stdout: impl AsyncRead + Unpin,
    stderr: impl AsyncRead + Unpin,
    heard: Heard<'_>,
) -> (Vec<u8>, Vec<u8>) {
    let pace = input.pace.as_ref();
    let (mut gate, mut passing) = Gate::new(pace);
    let feed = async move {
        for portion in input.pieces().flat_map(|piece| piece.chunks(PORTION)) {
            passing.wait(portion.len()).await;
            // The program may end without reading everything; its status says what that means.
            if stdin.write_all(portion).await.is_err() {
                return;
            }
        }
        let _ = stdin.shutdown().await;
    };
    let errors = async {
        let all = read_all(stderr, &mut |bytes| gate.hear(bytes)).await;
        gate.open();
        all
    };
    let ((), stdout, stderr) = tokio::join!(feed, read_all(stdout, heard), errors);
    match pace {
        Some(pace) => (stdout, pace.without(&stderr)),
        None => (stdout, stderr),
    }
}

async fn read_all(mut stream: impl AsyncRead + Unpin, heard: Heard<'_>) -> Vec<u8> {
    let mut all = Vec::new();
    loop {
        if all.capacity() - all.len() < LEAST {
            // Most programs print little.
            all.reserve(all.len().clamp(2 * LEAST, CHUNK));
        }
        // A read error is the connection's end, which the exit status tells.
        match stream.read_buf(&mut all).await {
            Ok(length @ 1..) => heard(&all[all.len() - length..]),
            _ => return all,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_pieces_are_shared_and_all_come_in_order() {
        let large = Blob::from(vec![b'x'; SHARED]);
        let mut input = Input::default();
        input.push(b"head");
        input.share(&Blob::from("small"));
        input.share(&large);
        input.push(b"tail");
        let pieces: Vec<_> = input.pieces().collect();
        assert_eq!(pieces, [b"headsmall".as_slice(), &large, b"tail"]);
        assert!(std::ptr::eq(pieces[1], &raw const large[..]));
        assert_eq!((input.len(), input.is_empty()), (SHARED + 13, false));
    }
}
