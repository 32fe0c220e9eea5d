//! A real browser, without a screen: Chromium, as `scripts/setup.sh` installs it.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use tempfile::TempDir;

const NAMES: [&str; 3] = ["chromium-headless-shell", "chromium", "google-chrome"];
/// What a page's scripts do is there by then.
const PATIENCE: Duration = Duration::from_secs(30);

fn run(arguments: &[&str]) -> String {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders: Vec<_> = std::env::split_paths(&path).collect();
    let installed = |name: &&&str| folders.iter().any(|folder| folder.join(name).is_file());
    let name = NAMES.iter().find(installed);
    let name = name.expect("a browser: run `make setup`");
    let profile = TempDir::new().unwrap();
    let done = Command::new(name)
        .args(["--headless", "--no-sandbox", "--disable-gpu"])
        .args(["--virtual-time-budget=5000", "--hide-scrollbars"])
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .args(arguments)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{said}");
    String::from_utf8(done.stdout).unwrap()
}

/// The document of a page as its scripts have left it, once it has all of these parts.
#[track_caller]
pub(crate) fn sees(url: &str, parts: &[&str]) {
    let begun = Instant::now();
    loop {
        let document = run(&["--dump-dom", url]);
        let missing = parts.iter().find(|part| !document.contains(**part));
        let Some(missing) = missing else { return };
        assert!(
            begun.elapsed() < PATIENCE,
            "no `{missing}` on {url}: {document}"
        );
    }
}

/// A picture of a page, PNG.
pub(crate) fn picture(url: &str, path: &Path) {
    let to = format!("--screenshot={}", path.display());
    run(&[&to, "--window-size=900,700", url]);
}
