//! What an independent reader sees: boto3, through `reader.py`.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde::Deserialize;
use serde_json::{Map, Value as Json, json};
use tidewalk::sandbox;

/// One question and its answer, as a life writes them.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Reading {
    pub(super) read: String,
    #[serde(default)]
    pub(super) with: Map<String, Json>,
    at: Option<String>,
    is: Option<Json>,
}

/// Reads, and wants what the readings say. `outputs` are the playbook's.
pub(super) fn see(endpoint: &str, outputs: &Map<String, Json>, readings: &[Reading], at: &str) {
    for (reading, told) in readings.iter().zip(read(endpoint, outputs, readings)) {
        let Reading { read, with, .. } = reading;
        let wanted = filled(outputs, reading.is.as_ref().unwrap());
        assert_eq!(told, wanted, "{at}: {read} {}", json!(with));
    }
}

/// What one call (`dynamodb.scan`) gives, at a `JMESPath`.
pub(crate) fn look(endpoint: &str, call: &str, with: &Json, at: &str) -> Json {
    let reading = Reading {
        read: call.to_owned(),
        with: with.as_object().unwrap().clone(),
        at: Some(at.to_owned()),
        is: None,
    };
    let told = read(endpoint, &Map::new(), &[reading]);
    told.into_iter().next().unwrap()
}

/// What each reading gives.
pub(super) fn read(endpoint: &str, outputs: &Map<String, Json>, readings: &[Reading]) -> Vec<Json> {
    if readings.is_empty() {
        return Vec::new();
    }
    let reads = readings.iter().map(|reading| {
        let with = filled(outputs, &Json::Object(reading.with.clone()));
        json!({ "read": reading.read, "with": with, "at": reading.at })
    });
    let asked = json!({
        "endpoint": endpoint,
        "region": sandbox::REGION,
        "reads": reads.collect::<Vec<_>>(),
    });
    let mut python = Command::new(python())
        .arg("tests/sandbox/reader.py")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = python.stdin.take().unwrap();
    input.write_all(asked.to_string().as_bytes()).unwrap();
    drop(input);
    let told = python.wait_with_output().unwrap();
    serde_json::from_slice(&told.stdout).unwrap()
}

/// With the playbook's outputs in place of `${NAME}`.
fn filled(outputs: &Map<String, Json>, value: &Json) -> Json {
    match value {
        Json::String(text) => {
            let mut text = text.clone();
            for (name, output) in outputs {
                let mark = format!("${{{name}}}");
                if text == mark {
                    return output.clone();
                }
                let output = output.as_str().map_or(output.to_string(), str::to_owned);
                text = text.replace(&mark, &output);
            }
            Json::String(text)
        }
        Json::Array(list) => list.iter().map(|item| filled(outputs, item)).collect(),
        Json::Object(map) => map
            .iter()
            .map(|(key, value)| (key.clone(), filled(outputs, value)))
            .collect(),
        other => other.clone(),
    }
}

/// The interpreter of the emulator's environment: it has boto3.
fn python() -> PathBuf {
    let home = || PathBuf::from(std::env::var_os("HOME").unwrap()).join(".local/share");
    let data = std::env::var_os("XDG_DATA_HOME").map_or_else(home, PathBuf::from);
    data.join("tidewalk/venv/bin/python")
}
