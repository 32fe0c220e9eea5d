//! `PuTTY`'s private key file, version 3, unencrypted.
//!
//! Format: the `PuTTY` manual, appendix "PPK file format".

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use ssh_key::PrivateKey;
use zeroize::Zeroizing;

use crate::base::hex;
use crate::base::{Error, Result, ResultExt as _};

const ALGORITHM: &str = "ssh-ed25519";
const ENCRYPTION: &str = "none";
const LINE: usize = 64;

/// The text of the file for an ed25519 key.
///
/// # Errors
/// When the key is of another type.
pub fn text(key: &PrivateKey) -> Result<Zeroizing<String>> {
    let pair = key
        .key_data()
        .ed25519()
        .ok_or_else(|| Error::failed("only ed25519 keys are written for PuTTY"))?;
    let public = key
        .public_key()
        .to_bytes()
        .context("encoding the public key")?;
    let mut private = Zeroizing::new(Vec::new());
    put(&mut private, &Zeroizing::new(pair.private.to_bytes())[..]);

    let mut signed = Zeroizing::new(Vec::new());
    for part in [
        ALGORITHM.as_bytes(),
        ENCRYPTION.as_bytes(),
        key.comment().as_bytes(),
        &public,
        &private,
    ] {
        put(&mut signed, part);
    }
    // Without encryption the MAC's key is empty.
    let mut mac = Hmac::<Sha256>::new_from_slice(&[]).context("starting the checksum")?;
    mac.update(&signed);
    let mac = hex(&mac.finalize().into_bytes());

    let mut text = Zeroizing::new(String::new());
    let _ = write!(
        text,
        "PuTTY-User-Key-File-3: {ALGORITHM}\nEncryption: {ENCRYPTION}\nComment: {}\n",
        key.comment()
    );
    lines(&mut text, "Public-Lines", &public);
    lines(&mut text, "Private-Lines", &private);
    let _ = writeln!(text, "Private-MAC: {mac}");
    Ok(text)
}

/// An SSH string: its length in four bytes, then itself.
fn put(to: &mut Vec<u8>, bytes: &[u8]) {
    let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    to.extend_from_slice(&length.to_be_bytes());
    to.extend_from_slice(bytes);
}

fn lines(text: &mut String, label: &str, bytes: &[u8]) {
    let encoded = Zeroizing::new(STANDARD.encode(bytes));
    let _ = writeln!(text, "{label}: {}", encoded.len().div_ceil(LINE));
    let mut rest = encoded.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at(rest.len().min(LINE));
        let _ = writeln!(text, "{line}");
        rest = after;
    }
}
