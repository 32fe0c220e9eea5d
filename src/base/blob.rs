//! Bytes that many share, and their hash, worked out once.

use std::fmt;
use std::ops::Deref;
use std::sync::{Arc, OnceLock};

use sha2::{Digest as _, Sha256};

use super::hex;

/// Bytes; a clone shares them.
#[derive(Clone)]
pub struct Blob(Arc<Inner>);

struct Inner {
    bytes: Vec<u8>,
    sha256: OnceLock<String>,
}

impl Blob {
    /// SHA-256 in hex.
    #[must_use]
    pub fn sha256(&self) -> &str {
        let Inner { bytes, sha256 } = self.0.as_ref();
        sha256.get_or_init(|| hex(&Sha256::digest(bytes)))
    }
}

impl Deref for Blob {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0.bytes
    }
}

impl<T: Into<Vec<u8>>> From<T> for Blob {
    fn from(bytes: T) -> Self {
        Self(Arc::new(Inner {
            bytes: bytes.into(),
            sha256: OnceLock::new(),
        }))
    }
}

impl PartialEq for Blob {
    fn eq(&self, other: &Self) -> bool {
        self[..] == other[..]
    }
}

impl Eq for Blob {}

/// Not the bytes: they may be secret.
impl fmt::Debug for Blob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clone_shares_bytes_and_hash() {
        let blob = Blob::from("hello\n");
        let clone = blob.clone();
        let hash = "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03";
        assert_eq!(blob.sha256(), hash);
        assert!(std::ptr::eq(blob.sha256(), clone.sha256()));
        assert_eq!(format!("{clone:?}"), "6 bytes");
    }
}
