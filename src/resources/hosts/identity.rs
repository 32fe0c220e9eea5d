//! First contact: the host makes its own key, and the throw-away one goes.
//!
//! A run that is killed anywhere leaves a tag by which the next one connects: the new key is made
//! beside the old one, the tag names both, the keys are swapped, the tag names the new one only.

use aws_sdk_ec2::types::Tag;
use aws_smithy_types::error::display::DisplayErrorContext;

use crate::aws::tags;
use crate::base::{Error, Result, ResultExt};
use crate::contract::Context;
use crate::ssh::batch::Run;
use crate::ssh::{Batch, Command, HostKey, Pins, Transport};

/// Makes the new key in a side file, unless it is there; prints `next KEY`. When the host shows
/// another key than the planted one ($1) already, prints `own KEY`.
const MAKE: &str = r#"
cd /etc/ssh || exit 1
current=$(ssh-keygen -y -f ssh_host_ed25519_key | cut -d' ' -f1,2) || exit 1
if [ "$current" != "$1" ]; then echo "own $current"; exit 0; fi
if [ ! -s tidewalk_next.pub ]; then
  rm -f tidewalk_next tidewalk_next.pub
  ssh-keygen -q -t ed25519 -N '' -C "$(hostname)" -f tidewalk_next || exit 1
fi
echo "next $(ssh-keygen -y -f tidewalk_next | cut -d' ' -f1,2)"
"#;

/// Swaps the keys, removes those of other types, and lets sshd read them.
const SWAP: &str = r#"
cd /etc/ssh || exit 1
if [ -s tidewalk_next ]; then
  cp tidewalk_next.pub ssh_host_ed25519_key.pub && mv -f tidewalk_next ssh_host_ed25519_key || exit 1
fi
rm -f tidewalk_next.pub ssh_host_rsa_key* ssh_host_ecdsa_key* ssh_host_dsa_key*
"$(command -v sshd || echo /usr/sbin/sshd)" -t || exit 1
systemctl reload ssh 2>/dev/null || systemctl reload sshd
"#;

/// Brings the host from a planted key to its own, and writes it into the instance's tag; returns it,
/// if that was to be done.
pub(super) async fn settle(
    cx: &Context,
    session: &dyn Transport,
    sudo: bool,
    pins: &Pins,
    instance: &str,
) -> Result<Option<HostKey>> {
    let Pins::Planted { planted, .. } = pins else {
        return Ok(None);
    };
    let said = run(session, sudo, MAKE, &planted.to_string()).await?;
    let (word, key) = said.trim().split_once(' ').unwrap_or_default();
    let own: HostKey = key.parse()?;
    if word == "next" {
        let both = Pins::Planted {
            planted: planted.clone(),
            next: Some(own.clone()),
        };
        write_tag(cx, instance, &both).await?;
    }
    // Also when the keys are swapped already: sshd may not have read them.
    run(session, sudo, SWAP, "").await?;
    write_tag(cx, instance, &Pins::Own(own.clone())).await?;
    Ok(Some(own))
}

async fn run(session: &dyn Transport, sudo: bool, script: &str, argument: &str) -> Result<String> {
    let batch = Batch {
        prelude: "".into(),
        sudo,
        lock: true,
        commands: vec![(
            Run::Step,
            Command::new(["sh", "-c", script, "sh", argument]),
        )],
    };
    let outcomes = session.batch(&batch, |_| {}).await?;
    match outcomes.first() {
        Some(outcome) if outcome.status == Some(0) => {
            Ok(String::from_utf8_lossy(&outcome.stdout).into_owned())
        }
        Some(outcome) => Err(Error::failed(format!(
            "making the host's own key: {}",
            String::from_utf8_lossy(&outcome.stderr).trim()
        ))),
        None => Err(Error::failed("making the host's own key: no answer")),
    }
}

async fn write_tag(cx: &Context, instance: &str, pins: &Pins) -> Result<()> {
    let tag = Tag::builder()
        .key(tags::HOST_KEY)
        .value(pins.to_string())
        .build();
    cx.aws
        .ec2
        .create_tags()
        .resources(instance)
        .tags(tag)
        .send()
        .await
        .map(|_| ())
        .map_err(|error| DisplayErrorContext(error).to_string())
        .context(format!("writing the host key into the tags of {instance}"))
}
