//! A real browser, without a screen: Chromium, as `scripts/setup.sh` installs it.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::patience;

const NAMES: [&str; 3] = ["chromium-headless-shell", "chromium", "google-chrome"];
/// What a page's scripts do is there by then.
const PATIENCE: Duration = Duration::from_mins(2);
/// The browser is begun again when a page takes it longer.
const PAGE: Duration = Duration::from_secs(30);

fn run(arguments: &[&str]) -> String {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders: Vec<_> = std::env::split_paths(&path).collect();
    let installed = |name: &&&str| folders.iter().any(|folder| folder.join(name).is_file());
    let name = NAMES.iter().find(installed);
    let name = name.expect("a browser: run `make setup`");
    let profile = TempDir::new().unwrap();
    let mut browser = Command::new(name);
    browser.args(["--headless", "--no-sandbox", "--disable-gpu"]);
    browser.args(["--virtual-time-budget=5000", "--hide-scrollbars"]);
    // The budget stands still while the page fetches something: that ends, too.
    browser.arg("--timeout=10000");
    // Nothing but the page: no updates, no word home.
    browser.args([
        "--disable-background-networking",
        "--disable-component-update",
    ]);
    browser.args(["--disable-sync", "--no-first-run", "--disable-quic"]);
    browser.arg(format!("--user-data-dir={}", profile.path().display()));
    let done = patience::output_within(PAGE, browser.args(arguments));
    match done {
        Ok(done) if done.status.success() => String::from_utf8(done.stdout).unwrap(),
        Ok(done) => panic!("{}", String::from_utf8_lossy(&done.stderr)),
        Err(said) => format!("nothing within {PAGE:?}: {said}"),
    }
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
