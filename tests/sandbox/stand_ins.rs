//! The source of stand-ins that the demo has, too.

use std::path::Path;
use std::process::Command;

use crate::hosts::node;
use crate::patience;

/// The name of the host image that has the source in `/srv`.
pub(crate) fn image() -> String {
    script(&["image"]).trim().to_owned()
}

/// Serves the source in a sandbox's network; variables for the bundled data server.
pub(crate) fn serve(network: &str) -> String {
    script(&["serve", network])
}

/// Serves the source in a sandbox's network; the source alone, as an apt source in a playbook.
pub(crate) fn source(network: &str) -> String {
    let served = serve(network);
    let source = served.lines().find_map(|line| line.strip_prefix("cran: "));
    source.expect("where R comes from").to_owned()
}

fn script(arguments: &[&str]) -> String {
    node::image();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/stand-ins.sh");
    let done = patience::output(Command::new(script).args(arguments));
    assert!(
        done.status.success(),
        "{}",
        String::from_utf8_lossy(&done.stderr)
    );
    String::from_utf8(done.stdout).unwrap()
}
