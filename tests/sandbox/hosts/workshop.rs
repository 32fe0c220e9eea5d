//! Images of hosts that have package sources of their own: made once, and kept by what they are
//! made from.

use std::process::Command;
use std::sync::{Mutex, OnceLock, PoisonError};

use tidewalk::operations::seen_file::hash_of;

use super::node::{docker, image as host_image};
use crate::patience;

const RECIPE: &str = include_str!("workshop.sh");

/// The image with sources of everything odd.
pub(crate) fn image() -> &'static str {
    static NAME: OnceLock<String> = OnceLock::new();
    NAME.get_or_init(|| image_of("workshop", RECIPE))
}

/// The name of the image that a recipe for the shell makes of a host; it is made if it is not there.
pub(crate) fn image_of(name: &str, recipe: &str) -> String {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _one = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let base = docker(&["image", "inspect", "-f", "{{.Id}}", host_image()]);
    let hash = hash_of(format!("{base}{recipe}").as_bytes());
    let name = format!("tidewalk-node:{name}-{}", &hash[..16]);
    if docker(&["images", "-q", &name]).is_empty() {
        make(&name, recipe);
    }
    name
}

fn make(name: &str, recipe: &str) {
    let container = name.replace(':', "-");
    let mut shell = Command::new("docker");
    // Not on standard input: a command of the recipe might read the rest of it.
    shell.args([
        "run",
        "--name",
        &container,
        host_image(),
        "sh",
        "-c",
        recipe,
    ]);
    let done = patience::output(&mut shell);
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
