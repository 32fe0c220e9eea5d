//! The files that a new host finds at its first boot: cloud-init's seed, its user, its addresses.
//!
//! <https://cloudinit.readthedocs.io/en/latest/reference/datasources/nocloud.html>

use std::fmt::Write as _;
use std::net::Ipv4Addr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use tar::{Builder, EntryType, Header};

use super::fleet::NODE_IMAGE;
use super::worker::Launch;
use crate::base::{Result, ResultExt};

/// The program in the node image that gives the host the addresses of the list.
pub(super) const SET_ADDRESSES: &str = "/usr/local/sbin/tidewalk-sandbox-addresses";

/// The agent of Systems Manager, as a unit that can be stopped; the sandbox does its work.
const AGENT: &str = "[Unit]\nDescription=amazon-ssm-agent (of the sandbox)\n\
    [Service]\nExecStart=/bin/sleep infinity\nRestart=always\n\
    [Install]\nWantedBy=multi-user.target\n";
const UNITS: &str = "etc/systemd/system";

/// The unit of the agent of Systems Manager.
pub(super) const AGENT_UNIT: &str = "amazon-ssm-agent.service";

/// Where AWS's command line and SDKs look for AWS:
/// <https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html>
pub(super) const ENDPOINT_VARIABLE: &str = "AWS_ENDPOINT_URL";

const SEED: &str = "var/lib/cloud/seed";
const OURS: &str = "etc/tidewalk-sandbox";

/// All files for a first boot.
pub(super) fn archive(
    id: &str,
    hostname: &str,
    launch: &Launch,
    endpoint: Option<&str>,
) -> Result<Vec<u8>> {
    let user_data = STANDARD
        .decode(&launch.user_data)
        .context("reading user data")?;
    // JSON is YAML.
    let meta = json!({
        "instance-id": id,
        "local-hostname": hostname,
        "public-keys": launch.public_key.iter().map(|key| key.trim()).collect::<Vec<_>>(),
    });
    let user = json!({ "system_info": { "default_user": {
        "name": launch.user,
        "gecos": "the image's default user",
        "lock_passwd": true,
        "groups": ["adm", "sudo"],
        "sudo": ["ALL=(ALL) NOPASSWD:ALL"],
        "shell": "/bin/bash",
    } } });
    let nocloud = format!("{SEED}/nocloud");
    let mut tar = Builder::new(Vec::new());
    for folder in [SEED, &nocloud, OURS] {
        put(&mut tar, &format!("{folder}/"), EntryType::Directory, b"")?;
    }
    let list = listed(&launch.public);
    let files: [(String, &[u8]); 4] = [
        (
            format!("{nocloud}/meta-data"),
            &meta.to_string().into_bytes(),
        ),
        (format!("{nocloud}/user-data"), &user_data),
        (
            "etc/cloud/cloud.cfg.d/96-user.cfg".to_owned(),
            &user.to_string().into_bytes(),
        ),
        (format!("{OURS}/addresses"), list.as_bytes()),
    ];
    for (path, content) in files {
        put(&mut tar, &path, EntryType::Regular, content)?;
    }
    if let Some(endpoint) = endpoint {
        let variable = format!("{ENDPOINT_VARIABLE}={endpoint}\n");
        let units = format!("[Manager]\nDefaultEnvironment={variable}");
        let folder = "etc/systemd/system.conf.d";
        put(&mut tar, &format!("{folder}/"), EntryType::Directory, b"")?;
        let path = format!("{folder}/tidewalk-sandbox.conf");
        put_readable(&mut tar, &path, units.as_bytes())?;
        let kept = format!("Defaults env_keep += \"{ENDPOINT_VARIABLE}\"\n");
        let path = "etc/sudoers.d/tidewalk-sandbox";
        put_as(&mut tar, path, EntryType::Regular, 0o440, kept.as_bytes())?;
        // An image that was baked here has it already, and perhaps more.
        if launch.image == NODE_IMAGE {
            put_readable(&mut tar, "etc/environment", variable.as_bytes())?;
        }
    }
    // Debian's images come without the agent: https://docs.aws.amazon.com/systems-manager/latest/userguide/ami-preinstalled-agent.html
    if launch.user != "admin" {
        let unit = format!("{UNITS}/{AGENT_UNIT}");
        put(&mut tar, &unit, EntryType::Regular, AGENT.as_bytes())?;
        link(
            &mut tar,
            &format!("{UNITS}/multi-user.target.wants/{AGENT_UNIT}"),
            &format!("/{unit}"),
        )?;
    }
    tar.into_inner().context("packing the seed")
}

/// A file alone.
pub(super) fn file(path: &str, content: &[u8]) -> Result<Vec<u8>> {
    let mut tar = Builder::new(Vec::new());
    put(&mut tar, path, EntryType::Regular, content)?;
    tar.into_inner().context("packing a file")
}

/// The list of public addresses alone.
pub(super) fn addresses(addresses: &[Ipv4Addr]) -> Result<Vec<u8>> {
    let mut tar = Builder::new(Vec::new());
    let list = listed(addresses);
    put(
        &mut tar,
        &format!("{OURS}/addresses"),
        EntryType::Regular,
        list.as_bytes(),
    )?;
    tar.into_inner().context("packing addresses")
}

fn link(tar: &mut Builder<Vec<u8>>, path: &str, to: &str) -> Result<()> {
    let mut header = Header::new_gnu();
    header.set_entry_type(EntryType::Symlink);
    header.set_size(0);
    header.set_mode(0o777);
    tar.append_link(&mut header, path, to)
        .context(format!("packing `{path}`"))
}

fn listed(addresses: &[Ipv4Addr]) -> String {
    addresses.iter().fold(String::new(), |mut lines, address| {
        // Writing to a `String` cannot fail.
        let _ = writeln!(lines, "{address}");
        lines
    })
}

fn put(tar: &mut Builder<Vec<u8>>, path: &str, kind: EntryType, content: &[u8]) -> Result<()> {
    // User data may hold secrets; the rest is nobody's business either.
    let mode = if kind.is_dir() { 0o755 } else { 0o600 };
    put_as(tar, path, kind, mode, content)
}

/// A file that everybody may read.
fn put_readable(tar: &mut Builder<Vec<u8>>, path: &str, content: &[u8]) -> Result<()> {
    put_as(tar, path, EntryType::Regular, 0o644, content)
}

fn put_as(
    tar: &mut Builder<Vec<u8>>,
    path: &str,
    kind: EntryType,
    mode: u32,
    content: &[u8],
) -> Result<()> {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_size(content.len() as u64);
    header.set_mode(mode);
    header.set_uid(0);
    header.set_gid(0);
    tar.append_data(&mut header, path, content)
        .context(format!("packing `{path}`"))
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[test]
    fn the_seed_holds_user_data_byte_for_byte_and_the_key() {
        let gzip = [0x1f, 0x8b, 0, 255, 10];
        let launch = Launch {
            region: "eu-west-1".to_owned(),
            image: NODE_IMAGE.to_owned(),
            user: "ubuntu",
            private: Ipv4Addr::LOCALHOST,
            public: vec![Ipv4Addr::new(198, 18, 8, 1)],
            public_key: Some("ssh-ed25519 AAAA me\n".to_owned()),
            user_data: STANDARD.encode(gzip),
        };
        let bytes = archive("i-1", "ip-1", &launch, Some("http://198.18.0.1:1")).unwrap();
        let mut found = std::collections::BTreeMap::new();
        for entry in tar::Archive::new(bytes.as_slice()).entries().unwrap() {
            let mut entry = entry.unwrap();
            let mut content = Vec::new();
            entry.read_to_end(&mut content).unwrap();
            found.insert(entry.path().unwrap().display().to_string(), content);
        }
        assert_eq!(found["var/lib/cloud/seed/nocloud/user-data"], gzip);
        let meta =
            String::from_utf8(found["var/lib/cloud/seed/nocloud/meta-data"].clone()).unwrap();
        assert!(meta.contains("\"public-keys\":[\"ssh-ed25519 AAAA me\"]"));
        assert_eq!(found["etc/tidewalk-sandbox/addresses"], b"198.18.8.1\n");
        let wanted = b"AWS_ENDPOINT_URL=http://198.18.0.1:1\n";
        assert_eq!(found["etc/environment"], wanted);
        assert!(found["etc/systemd/system.conf.d/tidewalk-sandbox.conf"].ends_with(wanted));
    }
}
