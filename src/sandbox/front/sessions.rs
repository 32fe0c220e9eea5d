//! Temporary credentials of instances and ECS tasks: what they are given, and whose they are.

use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::{SignedDuration, Timestamp, Unit};

use crate::base::{Error, Result, ResultExt};

/// Credentials are good for about six hours.
const LIFE: SignedDuration = SignedDuration::from_hours(6);
/// New ones are there before the old ones end.
const OVERLAP: SignedDuration = SignedDuration::from_mins(15);

/// Credentials of an instance, or of an ECS task, in its role.
pub(super) struct Session {
    /// Access key id.
    pub(super) key: String,
    /// Secret access key.
    pub(super) secret: String,
    /// Session token.
    pub(super) token: String,
    /// The instance or task, whose id is the session's name.
    pub(super) instance: String,
    /// The name of the role.
    pub(super) role: String,
    /// When they were made.
    pub(super) began: Timestamp,
    /// When they end.
    pub(super) ends: Timestamp,
}

impl Session {
    /// As the metadata service tells it:
    /// <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instance-metadata-security-credentials.html>.
    pub(super) fn document(&self) -> String {
        let told = serde_json::json!({
            "Code": "Success",
            "LastUpdated": self.began.to_string(),
            "Type": "AWS-HMAC",
            "AccessKeyId": self.key,
            "SecretAccessKey": self.secret,
            "Token": self.token,
            "Expiration": self.ends.to_string(),
        });
        format!("{told:#}")
    }
}

/// All credentials that were given.
#[derive(Default)]
pub(crate) struct Sessions(Mutex<Vec<Arc<Session>>>);

impl Sessions {
    /// The credentials of an instance in a role: the same until they are about to end.
    ///
    /// # Errors
    /// Without random numbers.
    pub(super) fn of(&self, instance: &str, role: &str) -> Result<Arc<Session>> {
        let now = Timestamp::now().round(Unit::Second);
        let now = now.context("reading the clock")?;
        let mut sessions = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = sessions.iter().rfind(|it| {
            it.instance == instance && it.role == role && it.ends.duration_since(now) > OVERLAP
        });
        if let Some(known) = known {
            return Ok(Arc::clone(known));
        }
        let session = Arc::new(Session {
            key: format!("ASIA{}", letters()?),
            secret: text::<30>()?,
            token: format!("IQoJb3JpZ2luX2Vj{}", text::<180>()?),
            instance: instance.to_owned(),
            role: role.to_owned(),
            began: now,
            ends: now + LIFE,
        });
        sessions.push(Arc::clone(&session));
        Ok(session)
    }

    /// The credentials with that access key id.
    pub(super) fn by_key(&self, key: &str) -> Option<Arc<Session>> {
        let sessions = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        sessions.iter().find(|it| it.key == key).cloned()
    }
}

fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)
        .map_err(|cause| Error::failed(format!("no random numbers: {cause}")))?;
    Ok(bytes)
}

/// Random bytes as text.
pub(super) fn text<const N: usize>() -> Result<String> {
    Ok(STANDARD.encode(random::<N>()?))
}

/// The sixteen letters and digits that end an access key id.
fn letters() -> Result<String> {
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let bytes = random::<16>()?.into_iter();
    let letters = bytes.map(|byte| char::from(alphabet[usize::from(byte % 32)]));
    Ok(letters.collect())
}
