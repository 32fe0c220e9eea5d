//! The front door for R: a folder with an app, and the bundled API, are each brought up by two commands, as
//! containers that really run R behind a load balancer; they are asked, seen in a browser, and gone.

use std::fs::File;
use std::process::Command;

use serde_json::{Value, json};

use crate::browser::Page;
use crate::harness::Beach;
use crate::hosts::node::docker;
use crate::playbooks::documents;
use crate::{patience, r};

/// What a Dockerfile for R begins with. It cannot be had here: a Debian with R stands in for it.
const R2U: &str = "rocker/r2u:jammy";

/// That name, on this machine, until this is dropped; a real one that somebody has here is left as it is.
struct R2u {
    stands_in: bool,
    /// Whoever runs this at the same time waits for the name.
    _lock: File,
}

impl R2u {
    fn begin(image: &str) -> Self {
        let lock = File::create(std::env::temp_dir().join("tidewalk-r2u.lock")).unwrap();
        lock.lock().unwrap();
        let label = "label=tidewalk.sandbox.recipe";
        let ours = docker(&["images", "-q", "--filter", label, R2U]);
        let stands_in = docker(&["images", "-q", R2U]) == ours;
        if stands_in {
            docker(&["tag", image, R2U]);
        }
        Self {
            stands_in,
            _lock: lock,
        }
    }
}

impl Drop for R2u {
    fn drop(&mut self) {
        if self.stands_in {
            patience::output(Command::new("docker").args(["rmi", R2U]));
        }
    }
}

/// One of the packages is in no image that is there: the build installs it.
const TIDE: &str = r#"library(jsonlite)
library(praise)

#* @get /tide
#* @serializer text
function() {
  toJSON(list(tide = "high", praised = nzchar(praise())), auto_unbox = TRUE)
}

#* @get /healthz
function() {
  "well"
}
"#;

/// The status, and what is said.
fn get(url: &str) -> (u16, Vec<u8>) {
    let done = patience::output(Command::new("curl").args(["-sS", "-w", "%{http_code}", url]));
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{said}");
    let mut body = done.stdout;
    let status = body.split_off(body.len() - 3);
    (String::from_utf8(status).unwrap().parse().unwrap(), body)
}

/// What is said in JSON, with this status.
#[track_caller]
fn says(status: u16, url: &str) -> Value {
    let (told, body) = get(url);
    let said = String::from_utf8_lossy(&body);
    assert_eq!(told, status, "{url}: {said}");
    serde_json::from_str(&said).unwrap_or_else(|error| panic!("{url}: {error}: {said}"))
}

/// Applies a playbook; its address, without the slash.
fn apply(beach: &Beach, words: &[&str]) -> String {
    let applied = beach.expect(0, &[&["apply", "--sandbox", "--yes"], words].concat());
    let mut lines = applied.stdout.lines();
    let url = lines.find_map(|line| line.strip_prefix("url")?.trim().strip_prefix("= "));
    let url = url.unwrap_or_else(|| panic!("no address in {}", applied.stdout));
    url.trim_end_matches('/').to_owned()
}

/// Nothing is left of a playbook's stack, nor of its containers.
fn destroy(beach: &Beach, words: &[&str]) {
    let gone = beach.expect(
        0,
        &[&["destroy", "--sandbox", "--yes", "--json"], words].concat(),
    );
    let receipts = documents(&gone.stdout, "receipt");
    assert_eq!(receipts[0]["proven"], true, "{receipts:?}");
    let filter = format!("network={}", beach.network());
    assert_eq!(docker(&["ps", "-aq", "--filter", &filter]), "");
}

#[test]
fn an_app_in_a_folder_and_the_bundled_api_are_up_in_two_commands_each() {
    let beach = Beach::with_hosts();
    let image = r::image();
    let r2u = R2u::begin(&image);
    an_app_in_a_folder(&beach);
    drop(r2u);
    // In the same registry, as the layers with R are there already.
    the_bundled_api(&beach, &image);

    // Nor is anything left of its images on this machine.
    let status = beach.expect(0, &["sandbox", "status", "--json"]);
    let status: Value = serde_json::from_str(&status.stdout).unwrap();
    let registry = &status["sandbox"]["running"]["registry"];
    let registry = registry.as_str().unwrap();
    let ours = || {
        let names = docker(&["images", "--format", "{{.Repository}}/{{.Digest}}"]);
        names.lines().filter(|it| it.starts_with(registry)).count()
    };
    assert!(ours() > 0, "{registry}");
    beach.expect(0, &["sandbox", "down"]);
    assert_eq!(ours(), 0);
}

fn an_app_in_a_folder(beach: &Beach) {
    beach.write("tide-api/plumber.R", TIDE);
    beach.expect(0, &["new", "--app", "tide-api"]);
    let playbook = "tide-api/tidewalk.yml";
    let url = apply(beach, &[playbook]);
    let tide = |tide: &str| json!({ "tide": tide, "praised": true });
    assert_eq!(says(200, &format!("{url}/tide")), tide("high"));

    beach.write("tide-api/plumber.R", &TIDE.replace("high", "low"));
    assert_eq!(apply(beach, &[playbook]), url);
    assert_eq!(says(200, &format!("{url}/tide")), tide("low"));
    let again = beach.expect(0, &["apply", playbook, "--sandbox", "--yes"]);
    let said = again.stdout + &again.stderr;
    assert!(said.contains("Nothing to do"), "{said}");
    destroy(beach, &[playbook]);
}

fn the_bundled_api(beach: &Beach, image: &str) {
    beach.expect(0, &["new", "btc-api"]);
    let from = format!("from={image}");
    let words = ["btc-api.yml", "--var", &from];
    let url = apply(beach, &words);
    let at = |path: &str| format!("{url}{path}");

    assert_eq!(says(200, &at("/healthz")), json!({ "status": "ok" }));
    let stats = says(200, &at("/stats"));
    assert_eq!(stats["symbol"], "BTCUSDT", "{stats}");
    assert_eq!(stats["candles"], 180, "{stats}");
    let number = |key: &str| stats[key].as_f64().unwrap_or(f64::NAN);
    let (min, mean, max) = (number("min"), number("mean"), number("max"));
    assert!(1000.0 < min && min < mean && mean < max, "{stats}");
    let (status, chart) = get(&at("/klines?symbol=ETHUSDT&interval=5m&limit=48"));
    assert_eq!((status, chart.get(..4)), (200, Some(&b"\x89PNG"[..])));

    let mut page = Page::open(&at("/report"));
    let heading = "document.querySelector('h1').textContent";
    page.comes_to(heading, &json!("Bitcoin in the last 3 hours"));
    let texts =
        |of: &str| format!("[...document.querySelectorAll('{of}')].map(it => it.textContent)");
    page.comes_to(&texts("th"), &json!(["Minimum", "Mean", "Maximum"]));
    let prices = texts("td") + ".map(it => /^\\$[0-9,]+[.][0-9]{2}$/.test(it))";
    page.comes_to(&prices, &json!([true, true, true]));
    let plot =
        "document.querySelector('img').complete && document.querySelector('img').naturalWidth > 0";
    page.comes_to(plot, &json!(true));
    assert!(page.picture().starts_with(b"\x89PNG"));
    drop(page);

    without_the_exchange(beach, &url);
    destroy(beach, &words);
}

/// When the exchange is down, the API says so, and is well again with it.
fn without_the_exchange(beach: &Beach, url: &str) {
    let status = beach.expect(0, &["sandbox", "status", "--json"]);
    let status: Value = serde_json::from_str(&status.stdout).unwrap();
    let exchange = &status["sandbox"]["running"]["exchange"]["url"];
    let exchange = exchange.as_str().unwrap();
    let down = |seconds: u64| {
        let body = json!({ "down": seconds }).to_string();
        let at = format!("{exchange}/control");
        let done = patience::output(Command::new("curl").args(["-fsS", "-d", &body, &at]));
        assert!(done.status.success());
    };
    // Not asked for before, so that no copy of the API has it at hand.
    let stats = format!("{url}/stats?symbol=BNBUSDT");
    down(600);
    let said = says(503, &stats);
    let reason = "the exchange does not answer: trouble on its side (HTTP 503)";
    assert!(
        said["error"].as_str().unwrap().starts_with(reason),
        "{said}"
    );
    assert_eq!(get(&format!("{url}/healthz")).0, 200);
    down(0);
    // A copy remembers the failure for some seconds; they are asked in turns.
    beach.wait_for(|| (0..6).all(|_| get(&stats).0 == 200));
}
