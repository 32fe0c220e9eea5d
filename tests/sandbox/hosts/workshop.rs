//! The image of hosts that have package sources of their own: made once, and kept by what it is
//! made from.

use std::io::Write;
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use tidewalk::operations::seen_file::hash_of;

use super::node::{IMAGE, docker};

const RECIPE: &str = include_str!("workshop.sh");

/// Its name; it is made if it is not there.
pub(crate) fn image() -> &'static str {
    static NAME: OnceLock<String> = OnceLock::new();
    NAME.get_or_init(|| {
        let base = docker(&["image", "inspect", "-f", "{{.Id}}", IMAGE]);
        let hash = hash_of(format!("{base}{RECIPE}").as_bytes());
        let name = format!("tidewalk-node:workshop-{}", &hash[..16]);
        if docker(&["images", "-q", &name]).is_empty() {
            make(&name);
        }
        name
    })
}

fn make(name: &str) {
    let container = name.replace(':', "-");
    let mut shell = Command::new("docker")
        .args(["run", "--rm=false", "-i", "--name", &container, IMAGE])
        .args(["sh", "-s"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("docker");
    let mut input = shell.stdin.take().expect("its input");
    input.write_all(RECIPE.as_bytes()).expect("a listener");
    drop(input);
    let done = shell.wait_with_output().expect("its end");
    if done.status.success() {
        docker(&["commit", "-c", "CMD [\"/sbin/init\"]", &container, name]);
    }
    docker(&["rm", "-f", &container]);
    assert!(
        done.status.success(),
        "{}",
        String::from_utf8_lossy(&done.stderr)
    );
}
