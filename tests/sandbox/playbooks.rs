//! The README's playbook on the sandbox with a real host; and what is read of a run. The bundled
//! playbook is in `data_server.rs`.

use std::path::Path;

use serde_json::Value;

use crate::harness::Beach;

/// The documents of one name that a run printed with `--json`.
pub(crate) fn documents(stdout: &str, name: &str) -> Vec<Value> {
    let lines = stdout
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines
        .filter(|line| line["event"] == name)
        .map(|line| line[name].clone())
        .collect()
}

/// `address field`, for everything that a plan would change.
pub(crate) fn changes(stdout: &str) -> Vec<String> {
    let plans = documents(stdout, "plan");
    let steps = plans
        .iter()
        .flat_map(|plan| plan["steps"].as_array().unwrap());
    steps
        .flat_map(|step| {
            let address = step["address"].as_str().unwrap();
            let changes = step["changes"].as_array().unwrap().iter();
            changes.map(move |change| format!("{address}: {}", change["field"].as_str().unwrap()))
        })
        .collect()
}

/// Where a bundled playbook is.
pub(crate) fn bundled(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("playbooks")
        .join(name)
}

#[test]
fn the_readmes_playbook_comes_up_and_goes() {
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let readme = std::fs::read_to_string(readme).unwrap();
    let (_, block) = readme.split_once("```yaml\n").unwrap();
    let beach = Beach::with_hosts();
    beach.write("my-server.yml", block.split("```").next().unwrap());
    let run = |verb: &'static str| {
        let args = [verb, "my-server.yml", "--sandbox", "--yes", "--json"];
        beach.expect(0, &args).stdout
    };
    let cost = |said: &str| documents(said, "plan")[0]["summary"]["monthly_usd_change"].as_f64();
    let price = cost(&run("apply")).expect("all of it has a price");
    assert!(price > 0.0, "{price}");
    beach.expect(0, &["plan", "my-server.yml", "--sandbox"]);
    let gone = run("destroy");
    assert_eq!(cost(&gone), Some(-price), "what it cost is saved");
    assert_eq!(documents(&gone, "receipt")[0]["proven"], true, "{gone}");
}
