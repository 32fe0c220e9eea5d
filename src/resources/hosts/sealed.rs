//! What goes through Run Command is kept in AWS's command history for 30 days, for all who may read
//! it: so nobody but the host and this run can read what stands there.
//!
//! The host and this run agree on a key by X25519; then all that passes is packed by gzip and
//! encrypted as `openssl enc` does it (AES-256-CBC, PBKDF2 of the key). The shell scripts here are all
//! that stands in the history in plain words.

use std::io::Read as _;
use std::num::NonZeroU32;

use aws_lc_rs::agreement::{self, PrivateKey, UnparsedPublicKey, X25519};
use aws_lc_rs::cipher::{
    AES_256, DecryptionContext, EncryptionContext, PaddedBlockDecryptingKey,
    PaddedBlockEncryptingKey, UnboundCipherKey,
};
use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::iv::FixedLength;
use aws_lc_rs::pbkdf2::{PBKDF2_HMAC_SHA256, derive};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use zeroize::Zeroizing;

use crate::base::{Error, Result, ResultExt, hex};
use crate::ssh::{Input, Output};

/// Characters of one piece to the host: `SendCommand`'s document may have 64 KB with its parameters.
/// <https://docs.aws.amazon.com/general/latest/gr/ssm.html>
const PIECE: usize = 40_000;
/// Characters of one piece of an answer: `GetCommandInvocation` gives the first 24,000.
/// <https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetCommandInvocation.html>
const ANSWER: usize = 20_000;
/// The status by which a script says that the host has forgotten the key: it was restarted, and
/// nothing of the script has run.
pub(super) const FORGOTTEN: i32 = 97;
/// The same, but what was to run has run, and its answer is lost.
pub(super) const LOST: i32 = 98;

const CIPHER: &str = "-aes-256-cbc -pbkdf2 -iter 1 -md sha256 -pass file:key";
/// What stands before the salt of what `openssl enc` writes.
const SALTED: &[u8] = b"Salted__";

/// The first word to a host.
pub(super) struct Greeting {
    private: PrivateKey,
    folder: String,
}

/// A key that a host and this run have.
pub(super) struct Sealed {
    folder: String,
    key: Zeroizing<String>,
}

/// What is to be run on a host, as scripts.
pub(super) struct Message {
    /// Its name on the host.
    pub(super) name: String,
    /// Scripts that bring pieces, in any order.
    pub(super) pieces: Vec<String>,
    /// The script after them, which runs it and prints the answer's length and beginning.
    pub(super) last: String,
}

fn random_name() -> Result<String> {
    let mut name = [0; 8];
    getrandom::fill(&mut name).context("random numbers")?;
    Ok(hex(&name))
}

impl Greeting {
    /// A new key of ours, and a name for the folder on the host.
    pub(super) fn new() -> Result<Self> {
        Ok(Self {
            private: PrivateKey::generate(&X25519).context("making a key")?,
            folder: format!("/run/tidewalk-ssm.{}", random_name()?),
        })
    }

    /// Makes the host's half of the key; prints its public part. What other runs have left for a day
    /// goes.
    pub(super) fn script(&self) -> Result<String> {
        let public = self.private.compute_public_key().context("making a key")?;
        let public = public.as_der().context("making a key")?;
        Ok(format!(
            "umask 077\n\
             command -v openssl >/dev/null || {{ echo 'openssl is not installed there' >&2; exit 1; }}\n\
             find /run -maxdepth 1 -name 'tidewalk-ssm.*' -mmin +1440 -exec rm -rf {{}} +\n\
             mkdir -p {folder} && cd {folder} || exit 1\n\
             printf '%s\\n' '-----BEGIN PUBLIC KEY-----' '{public}' '-----END PUBLIC KEY-----' >theirs\n\
             openssl genpkey -algorithm X25519 -out ours &&\n\
             openssl pkeyutl -derive -inkey ours -peerkey theirs -out shared &&\n\
             base64 -w 0 shared >key &&\n\
             openssl pkey -in ours -pubout -outform DER | base64 -w 0\n\
             rm -f ours theirs shared\n\
             [ -s key ]\n",
            folder = self.folder,
            public = STANDARD.encode(public.as_ref()),
        ))
    }

    /// The key, from what the host printed.
    pub(super) fn answered(self, said: &str) -> Result<Sealed> {
        let theirs = STANDARD.decode(said.trim()).context("the host's key")?;
        let theirs = UnparsedPublicKey::new(&X25519, theirs);
        let wrong = || Error::failed("the host's key cannot be used");
        let key = agreement::agree(&self.private, theirs, wrong(), |secret| {
            Ok(Zeroizing::new(STANDARD.encode(secret)))
        })?;
        Ok(Sealed {
            folder: self.folder,
            key,
        })
    }
}

impl Sealed {
    /// The scripts that run `line` with `stdin`.
    pub(super) fn message(&self, line: &str, stdin: &Input) -> Result<Message> {
        let mut tar = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::best()));
        let stdin = stdin.pieces().collect::<Vec<_>>().concat();
        for (name, bytes) in [("line", line.as_bytes()), ("stdin", &stdin)] {
            let mut header = tar::Header::new_ustar();
            header.set_size(bytes.len() as u64);
            header.set_mode(0o600);
            tar.append_data(&mut header, name, bytes)
                .context("packing for the host")?;
        }
        let packed = tar.into_inner().and_then(GzEncoder::finish);
        let text = STANDARD.encode(self.seal(packed.context("packing for the host")?)?);
        let name = random_name()?;
        let mut pieces = Vec::new();
        let mut rest = text.as_str();
        while pieces.is_empty() || !rest.is_empty() {
            let (piece, after) = rest.split_at(rest.len().min(PIECE));
            rest = after;
            pieces.push(format!(
                "umask 077\n\
                 cd {folder} 2>/dev/null || exit {FORGOTTEN}\n\
                 cat >in.{name}.{number:04} <<'END'\n{piece}\nEND\n",
                folder = self.folder,
                number = pieces.len(),
            ));
        }
        let mut last = pieces.pop().unwrap_or_default();
        last.push_str(&self.run(&name));
        Ok(Message { name, pieces, last })
    }

    /// Runs what came. AWS may deliver a script twice: the second waits for the answer of the first.
    fn run(&self, name: &str) -> String {
        format!(
            "touch .\n\
             if mkdir m.{name} 2>/dev/null; then\n\
             find . -maxdepth 1 -name 'm.*' ! -name m.{name} -exec rm -rf {{}} +\n\
             d={folder}/m.{name}\n\
             cat in.{name}.* | base64 -d | openssl enc -d {CIPHER} | gzip -dc | tar xf - -C $d || \
             {{ echo 'what was sent did not arrive whole' >&2; exit 1; }}\n\
             rm -f in.*\n\
             export HOME=/root USER=root LOGNAME=root\n\
             ( cd /root && exec sh \"$d/line\" <\"$d/stdin\" >\"$d/out\" 2>\"$d/err\" )\n\
             status=$?\n\
             cd {folder} 2>/dev/null || exit {LOST}\n\
             {{ echo $status $(wc -c <$d/out); cat $d/out $d/err; }} | gzip -c | \
             openssl enc {CIPHER} -salt | base64 -w 0 >$d/begun\n\
             rm -f $d/line $d/stdin $d/out $d/err\n\
             mv $d/begun $d/answer\n\
             fi\n\
             while [ -d m.{name} ] && [ ! -f m.{name}/answer ]; do sleep 1; done\n\
             cd m.{name} 2>/dev/null || exit {LOST}\n\
             wc -c <answer\n\
             head -c {ANSWER} answer\n",
            folder = self.folder,
        )
    }

    /// The scripts that print what is still missing of an answer: what the last script printed.
    pub(super) fn rest(&self, name: &str, said: &str) -> Result<(String, Vec<String>)> {
        let strange = || Error::failed("the host's answer is no answer of ours");
        let (length, begun) = said.split_once('\n').ok_or_else(strange)?;
        let length: usize = length.trim().parse().map_err(|_| strange())?;
        let begun = begun.trim_end();
        if begun.len() != length.min(ANSWER) {
            return Err(strange());
        }
        let folder = &self.folder;
        let from = (begun.len()..length).step_by(ANSWER).map(|from| {
            format!(
                "cd {folder}/m.{name} 2>/dev/null || exit {LOST}\n\
                 tail -c +{} answer | head -c {ANSWER}\n",
                from + 1
            )
        });
        Ok((begun.to_owned(), from.collect()))
    }

    /// What the line left, from the whole answer.
    pub(super) fn output(&self, answer: &str) -> Result<Output> {
        let strange = || Error::failed("the host's answer is no answer of ours");
        let sealed = STANDARD
            .decode(answer.trim())
            .context("the host's answer")?;
        let mut all = Vec::new();
        GzDecoder::new(self.open(&sealed)?.as_slice())
            .read_to_end(&mut all)
            .context("the host's answer")?;
        let end = all.iter().position(|byte| *byte == b'\n');
        let end = end.ok_or_else(strange)?;
        let head = String::from_utf8_lossy(&all[..end]).into_owned();
        let (status, length) = head.split_once(' ').ok_or_else(strange)?;
        let length: usize = length.trim().parse().map_err(|_| strange())?;
        let mut stdout = all.split_off(end + 1);
        if stdout.len() < length {
            return Err(strange());
        }
        let stderr = stdout.split_off(length);
        Ok(Output {
            status: status.parse().ok(),
            stdout,
            stderr,
        })
    }

    fn seal(&self, mut text: Vec<u8>) -> Result<Vec<u8>> {
        let mut salt = [0; 8];
        getrandom::fill(&mut salt).context("random numbers")?;
        let (key, iv) = self.derive(&salt)?;
        let key = PaddedBlockEncryptingKey::cbc_pkcs7(key).context("encrypting")?;
        key.less_safe_encrypt(&mut text, EncryptionContext::Iv128(iv))
            .context("encrypting")?;
        Ok([SALTED, &salt, &text].concat())
    }

    fn open(&self, sealed: &[u8]) -> Result<Vec<u8>> {
        let strange = || Error::failed("the host's answer is not encrypted by the key agreed on");
        let rest = sealed.strip_prefix(SALTED).ok_or_else(strange)?;
        let (salt, text) = rest.split_at_checked(8).ok_or_else(strange)?;
        let (key, iv) = self.derive(salt)?;
        let key = PaddedBlockDecryptingKey::cbc_pkcs7(key).map_err(|_| strange())?;
        let mut text = text.to_vec();
        let plain = key.decrypt(&mut text, DecryptionContext::Iv128(iv));
        plain.map(|plain| plain.to_vec()).map_err(|_| strange())
    }

    /// As `openssl enc -pbkdf2` does. One round: the key is random, no word that could be guessed.
    fn derive(&self, salt: &[u8]) -> Result<(UnboundCipherKey, FixedLength<16>)> {
        let mut bytes = Zeroizing::new([0; 48]);
        let secret = self.key.as_bytes();
        derive(
            PBKDF2_HMAC_SHA256,
            NonZeroU32::MIN,
            salt,
            secret,
            &mut *bytes,
        );
        let (key, iv) = bytes.split_at(32);
        let key = UnboundCipherKey::new(&AES_256, key).context("a key")?;
        Ok((key, FixedLength::try_from(iv).context("a key")?))
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::process::Command;

    use super::*;

    /// Runs a script as AWS's agent does, with `folder` for `/run` and for root's home.
    fn here(folder: &Path, script: &str) -> String {
        let at = folder.display().to_string();
        let script = script.replace("/root", &at).replace("/run", &at);
        let ran = Command::new("sh").args(["-c", &script]).output().unwrap();
        assert_eq!(
            ran.status.code(),
            Some(0),
            "{}",
            String::from_utf8_lossy(&ran.stderr)
        );
        String::from_utf8(ran.stdout).unwrap()
    }

    fn input(bytes: &[u8]) -> Input {
        let mut input = Input::default();
        input.push(bytes);
        input
    }

    fn greeted(folder: &Path) -> Sealed {
        let greeting = Greeting::new().unwrap();
        let said = here(folder, &greeting.script().unwrap());
        greeting.answered(&said).unwrap()
    }

    #[test]
    fn bytes_come_through_in_pieces_and_nothing_is_readable_on_the_way() {
        let folder = tempfile::tempdir().unwrap();
        let sealed = greeted(folder.path());
        let mut noise = vec![0; 100_000];
        getrandom::fill(&mut noise).unwrap();
        let stdin = [b"hush, a secret".as_slice(), &noise].concat();
        let line = "cat; echo hush, an error >&2; exit 7";
        let Message { name, pieces, last } = sealed.message(line, &input(&stdin)).unwrap();
        assert!(pieces.len() >= 3);
        let mut heard = String::new();
        for piece in pieces.iter().rev() {
            heard.push_str(&here(folder.path(), piece));
        }
        let said = here(folder.path(), &last);
        let (mut answer, rest) = sealed.rest(&name, &said).unwrap();
        assert!(rest.len() >= 6);
        for script in &rest {
            answer.push_str(&here(folder.path(), script));
        }
        let output = sealed.output(&answer).unwrap();
        assert_eq!(output.status, Some(7));
        assert_eq!(output.stdout, stdin);
        assert_eq!(output.stderr, b"hush, an error\n");
        for text in pieces.iter().chain([&last, &heard, &answer]) {
            assert!(!text.contains("hush"), "{text}");
        }
        for text in pieces.iter().chain([&last]) {
            assert!(text.len() < 48_000);
        }
    }

    #[test]
    fn what_is_delivered_twice_runs_once() {
        let folder = tempfile::tempdir().unwrap();
        let sealed = greeted(folder.path());
        let message = sealed
            .message("echo run | tee -a ran", &input(b""))
            .unwrap();
        let first = here(folder.path(), &message.last);
        assert_eq!(here(folder.path(), &message.last), first);
        let (answer, _) = sealed.rest(&message.name, &first).unwrap();
        assert_eq!(sealed.output(&answer).unwrap().stdout, b"run\n");
        let ran = std::fs::read_to_string(folder.path().join("ran")).unwrap();
        assert_eq!(ran, "run\n");
    }

    #[test]
    fn what_arrives_broken_does_not_run() {
        let folder = tempfile::tempdir().unwrap();
        let sealed = greeted(folder.path());
        let other = greeted(folder.path());
        let last = other.message("touch ran", &input(b"")).unwrap().last;
        let last = last.replace(&other.folder, &sealed.folder);
        let at = folder.path().display().to_string();
        let last = last.replace("/root", &at).replace("/run", &at);
        let ran = Command::new("sh").args(["-c", &last]).output().unwrap();
        assert_eq!(ran.status.code(), Some(1));
        assert!(String::from_utf8_lossy(&ran.stderr).contains("did not arrive whole"));
        assert!(!folder.path().join("ran").exists());
    }

    #[test]
    fn a_host_that_was_restarted_says_whether_anything_has_run() {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path().display().to_string();
        let sealed = greeted(folder.path());
        let there = folder.path().join(&sealed.folder["/run/".len()..]);
        for (line, status) in [("rm -rf tidewalk-ssm.*", LOST), ("touch ran", FORGOTTEN)] {
            let last = sealed.message(line, &input(b"")).unwrap().last;
            let script = last.replace("/root", &at).replace("/run", &at);
            let ran = Command::new("sh").args(["-c", &script]).output().unwrap();
            assert_eq!(ran.status.code(), Some(status), "{line}");
            assert!(!there.exists());
        }
        assert!(!folder.path().join("ran").exists());
    }
}
