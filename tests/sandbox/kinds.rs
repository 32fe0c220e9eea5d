//! Each kind's life against the emulator: made, unchanged, changed field by field, deleted, gone.

use std::fs;
use std::process::Command;

use serde_json::{Value as Json, json};

use crate::cloud::Play;
use crate::patience;

mod checks;
mod elastic_ips;
mod instances;
mod key_pairs;
mod launches;
mod networks;
mod ownership;
mod security_groups;

/// An instance with all it stands on.
async fn server(play: &mut Play, spec: &Json) -> crate::stage::Stage {
    for name in ["de3", "db"] {
        let group = play.stage(&format!("security_groups.{name}"), &json!({}), &[]);
        play.bring(&group).await.unwrap();
    }
    let spec_of_key = json!({ "public_key": key(play, "a") });
    let pair = play.stage("key_pairs.de3", &spec_of_key, &[]);
    play.bring(&pair).await.unwrap();
    play.stage("instances.server", spec, &[("Owner", "me")])
}

fn plain() -> Json {
    json!({
        "ami": { "ubuntu": "22.04" },
        "instance_type": "t3a.small",
        "key_pair": "de3",
        "security_groups": ["de3"],
        "root_volume": { "size_gib": 20 },
    })
}

fn with(changes: &Json) -> Json {
    let mut spec = plain();
    for (key, value) in changes.as_object().unwrap() {
        spec[key] = value.clone();
    }
    spec
}

/// A new public key, as text.
fn key(play: &Play, name: &str) -> String {
    let path = play.folder.path().join(name);
    let mut command = Command::new("ssh-keygen");
    command
        .args(["-q", "-t", "ed25519", "-N", "", "-C", "play", "-f"])
        .arg(&path);
    output(&mut command);
    fs::read_to_string(path.with_extension("pub"))
        .unwrap()
        .trim()
        .to_owned()
}

fn output(command: &mut Command) -> String {
    let output = patience::output(command);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{command:?}: {said}");
    String::from_utf8(output.stdout).unwrap()
}
