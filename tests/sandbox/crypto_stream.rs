//! The bundled playbook of the crypto stream, as `new` lays it out: the exchange, a streamer's node, Kinesis, a
//! counter, Redis and the dashboard in a browser, all with the roles that it declares; and its end.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::browser::Page;
use crate::harness::{Beach, Ended};
use crate::patience;

/// Without what only helps to find mistakes: it goes to a host.
fn stripped(from: &Path, to: &Path) {
    let argv = [Path::new("-o"), to, from];
    let done = patience::output(Command::new("strip").args(argv));
    assert!(done.status.success());
}

#[track_caller]
fn run(beach: &Beach, words: &[&str]) -> Ended {
    beach.expect(0, &with_vars(words))
}

fn curl(arguments: &[&str]) -> Value {
    let done = patience::output(Command::new("curl").arg("-fsS").args(arguments));
    assert!(
        done.status.success(),
        "{}",
        String::from_utf8_lossy(&done.stderr)
    );
    serde_json::from_slice(&done.stdout).unwrap_or_default()
}

/// The sum of all symbols, as the exchange counts them.
fn made(exchange: &str) -> i64 {
    let counts = curl(&[&format!("{exchange}/control/counts")]);
    let counts = counts["count"].as_object().unwrap().values();
    counts.map(|count| count.as_i64().unwrap()).sum()
}

#[test]
fn trades_are_on_the_dashboard_as_they_are_made() {
    let beach = Beach::with_hosts();
    let status = beach.expect(0, &["sandbox", "status", "--json"]);
    let status: Value = serde_json::from_str(&status.stdout).unwrap();
    let exchange = &status["sandbox"]["running"]["exchange"]["url"];
    let exchange = exchange.as_str().unwrap();
    let control = |what: Value| {
        let body = what.to_string();
        let json = "content-type: application/json";
        let url = format!("{exchange}/control");
        curl(&["-H", json, "-d", &body, &url]);
    };
    control(json!({ "pause": true }));
    let before = made(exchange);

    beach.expect(0, &["new", "crypto-stream"]);
    let program = Path::new(env!("CARGO_BIN_EXE_tidewalk"));
    stripped(program, &beach.folder().join("program"));
    let streamer = program.with_file_name("trade-streamer");
    stripped(&streamer, &beach.folder().join("streamer"));
    let apply = ["apply", "crypto-stream.yml", "--sandbox", "--yes"];
    let applied = run(&beach, &apply);
    run(&beach, &["plan", "crypto-stream.yml", "--sandbox"]);

    // The streamer follows the exchange by now: what is made from here on is on the page.
    let log = "journalctl -u trade-streamer --no-pager | grep -q following";
    let host = ["exec", "streamer", "-f", "crypto-stream.yml", "--sandbox"];
    let wait = format!("until {log}; do sleep 0.2; done");
    let verb = [
        &host[..],
        &["--", "sudo", "timeout", "60", "sh", "-c", &wait],
    ];
    run(&beach, &verb.concat());
    control(json!({ "pause": false, "rate": 100 }));
    let url = applied
        .stdout
        .lines()
        .find_map(|line| line.strip_prefix("dashboard = "));
    let mut page = Page::open(url.expect("the dashboard's address"));
    let tiles = "document.querySelectorAll('#count .tile').length";
    page.comes_to(tiles, &json!(14));
    control(json!({ "pause": true }));
    let total = made(exchange) - before;
    let shown = "Number(document.querySelector('#total').textContent.replace(/,/g, ''))";
    page.comes_to(shown, &json!(total));
    assert!(page.picture().starts_with(b"\x89PNG"));
    page.value("document.querySelector('a[data-value=value]').click()");
    page.comes_to(
        "document.querySelectorAll('#value .tile').length",
        &json!(14),
    );
    drop(page);

    // The streamer's node is protected until the playbook says otherwise.
    let destroy = [
        "destroy",
        "--stack",
        "crypto-stream",
        "--region",
        "eu-west-1",
    ];
    let destroy = [&destroy[..], &["--sandbox", "--yes"]].concat();
    run(
        &beach,
        &[&apply[..], &["--var", "protected=false"]].concat(),
    );
    let gone = beach.expect(0, &destroy);
    assert!(
        gone.stdout
            .contains("nothing of stack crypto-stream is left")
    );
}

/// The variables before `--`, where the host's own words begin.
fn with_vars<'a>(words: &[&'a str]) -> Vec<&'a str> {
    let end = words
        .iter()
        .position(|word| *word == "--")
        .unwrap_or(words.len());
    let vars = ["admin_cidr=me", "streamer=streamer", "program=program"];
    let here = [
        "streamer_image={debian: \"12\"}",
        "streamer_user=admin",
        "agent=false",
    ];
    let vars = vars.into_iter().chain(here).flat_map(|var| ["--var", var]);
    let (verb, host) = words.split_at(end);
    verb.iter()
        .copied()
        .chain(vars)
        .chain(host.iter().copied())
        .collect()
}
