//! What a program reads and prints, whatever carries it.

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

use super::transport::Heard;
use crate::base::Blob;

/// Bytes by which there is more room for what a program prints, at least.
const CHUNK: usize = 8 * 1024;
/// Shorter pieces are copied; longer ones are shared with whoever else sends them.
const SHARED: usize = 4 * 1024;

/// What a program reads: pieces, one after the other, so that a file which many hosts get is in
/// memory once.
#[derive(Clone, Debug, Default)]
pub struct Input {
    pieces: Vec<Blob>,
    /// The end of it.
    open: Vec<u8>,
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
            self.pieces.push(std::mem::take(&mut self.open).into());
        }
        self.pieces.push(bytes.clone());
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
    let feed = async move {
        for piece in input.pieces() {
            // The program may end without reading everything; its status says what that means.
            if stdin.write_all(piece).await.is_err() {
                return;
            }
        }
        let _ = stdin.shutdown().await;
    };
    let unheard: Heard<'_> = &mut |_| {};
    let ((), stdout, stderr) =
        tokio::join!(feed, read_all(stdout, heard), read_all(stderr, unheard));
    (stdout, stderr)
}

async fn read_all(mut stream: impl AsyncRead + Unpin, heard: Heard<'_>) -> Vec<u8> {
    let mut all = Vec::new();
    loop {
        if all.capacity() - all.len() < CHUNK / 4 {
            all.reserve(CHUNK);
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
