//! The bundled apps: the tests that each brings with it, against the simulated exchange, and the
//! style of their code.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::patience;

/// Of the tests of one app; the longest takes a minute of CPU.
const PATIENCE: Duration = Duration::from_mins(6);

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("playbooks/apps")
}

/// A simulated exchange of its own.
struct Exchange {
    process: Child,
    url: String,
}

impl Exchange {
    fn start() -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tidewalk"));
        command.args(["sandbox", "exchange"]);
        let mut process = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        let stdout = process.stdout.take().unwrap();
        BufReader::new(stdout).read_line(&mut line).unwrap();
        let url = line
            .trim()
            .strip_prefix("listening on ")
            .unwrap()
            .to_owned();
        Self { process, url }
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[track_caller]
fn passes(command: &mut Command) -> String {
    let done = patience::output_within(PATIENCE, command);
    let done = done.unwrap_or_else(|said| panic!("no end within {PATIENCE:?}: {said}"));
    let said = [done.stdout, done.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    assert!(done.status.success(), "{said}");
    said
}

/// An app's own tests, and its style.
fn app(name: &str) {
    let folder = folder().join(name);
    let exchange = Exchange::start();
    let mut tests = Command::new("Rscript");
    tests.arg("tests/testthat.R").current_dir(&folder);
    tests.env("EXCHANGE_URL", &exchange.url);
    tests.env_remove("OFFLINE_TESTS").env("NO_COLOR", "1");
    passes(&mut tests);

    let style = "found <- lintr::lint_dir(); print(found); quit(status = length(found) > 0)";
    passes(
        Command::new("Rscript")
            .args(["-e", style])
            .current_dir(&folder),
    );
}

#[test]
fn btc_report_api() {
    app("btc-report-api");
}

#[test]
fn price_jobs() {
    app("price-jobs");
}

#[test]
fn trade_counter() {
    app("trade-counter");
}

#[test]
fn treemap() {
    app("treemap");
}

#[test]
fn every_app_in_r_is_tested_and_all_tell_of_themselves() {
    for entry in fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        assert!(path.join("README.md").is_file(), "{}", path.display());
        if path.join("tests/testthat.R").is_file() {
            let name = path
                .file_name()
                .unwrap()
                .to_str()
                .unwrap()
                .replace('-', "_");
            let here = include_str!("apps.rs");
            assert!(
                here.contains(&format!("fn {name}()")),
                "{name} has no test here"
            );
        }
    }
}

#[test]
fn files_of_one_name_that_apps_share_are_the_same() {
    let mut seen = BTreeMap::new();
    for shared in ["exchange.R", "redis.R", "chart.R"] {
        for entry in fs::read_dir(folder()).unwrap() {
            let path = entry.unwrap().path().join("R").join(shared);
            let Ok(content) = fs::read_to_string(&path) else {
                continue;
            };
            let first = seen
                .entry(shared)
                .or_insert((path.clone(), content.clone()));
            assert!(
                first.1 == content,
                "{} and {}",
                first.0.display(),
                path.display()
            );
        }
    }
    assert_eq!(seen.len(), 3);
}
