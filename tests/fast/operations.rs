//! Operations by case files: `tests/cases/operations/OPERATION/NAME.yml`, arguments and what the host
//! said in the first document, what is to be done in the second. A new case is a new file; with
//! `TIDEWALK_ACCEPT=1` the second documents are written anew, to be read before they are committed.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value as Json, json};
use tidewalk::aws::Tags;
use tidewalk::base::node::Value;
use tidewalk::base::{Address, Blob, Error, Location, Node, Result, Shown, World};
use tidewalk::contract::{Fact, Render, Target, Work};
use tidewalk::operations::registry::find;
use tidewalk::operations::seen_file::hash_of;
use tidewalk::operations::{ALL, Planned, declared, round};
use tidewalk::ssh::Command;

/// Cases per operation, at least.
const FEWEST: usize = 3;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/operations")
}

fn names_in(folder: &Path) -> BTreeSet<String> {
    fs::read_dir(folder)
        .expect("a folder of cases")
        .map(|entry| entry.expect("an entry").file_name())
        .map(|name| name.into_string().expect("a UTF-8 name"))
        .collect()
}

/// Files that a case gives, and templates rendered by nothing but their variables.
struct Files(Json);

impl Render for Files {
    fn template(&self, source: &Node, extra: &Json) -> Result<Node> {
        let text = String::from_utf8(self.file(source)?.to_vec()).expect("a text template");
        let rendered = minijinja::Environment::new()
            .render_str(
                &text,
                minijinja::Value::from(minijinja::value::Serde(extra)),
            )
            .map_err(|cause| Error::playbook(cause.to_string(), &source.at))?;
        let value = if text.contains("AFTER APPLY") {
            Value::AfterApply(text)
        } else {
            Value::Text(rendered)
        };
        Ok(Node::new(&source.at, value))
    }

    fn file(&self, source: &Node) -> Result<Blob> {
        let name = source.as_text().unwrap_or_default();
        match self.0[name].as_str() {
            Some(text) => Ok(text.into()),
            None => Err(Error::playbook(format!("no file `{name}`"), &source.at)),
        }
    }
}

/// What the host said: text, a status, or a file or directory as `tw_see_file` tells of it.
fn fact(given: &Json) -> Fact {
    let text =
        |value: &Json, key: &str, usual: &str| value[key].as_str().unwrap_or(usual).to_owned();
    let stat = |kind: &str, what: &Json, size: usize| {
        let owner = text(what, "owner", "root");
        let group = text(what, "group", "root");
        format!(
            "{kind}|{}|{owner}|{group}|{size}\n",
            text(what, "mode", "644")
        )
    };
    let said = |stdout: String| Fact {
        status: 0,
        stdout: stdout.into_bytes(),
    };
    if let Some(stdout) = given.as_str() {
        return said(stdout.to_owned());
    }
    if let Some(status) = given["status"].as_i64() {
        return Fact {
            status: i32::try_from(status).expect("a status"),
            stdout: Vec::new(),
        };
    }
    if given["directory"].is_object() {
        return said(stat("directory", &given["directory"], 4096));
    }
    let file = &given["file"];
    let content = text(file, "content", "");
    let hash = hash_of(content.as_bytes());
    let size = file["size"]
        .as_u64()
        .map_or(content.len(), |size| usize::try_from(size).expect("a size"));
    said(format!(
        "{}{hash}\n{content}",
        stat("regular file", file, size)
    ))
}

fn shown(shown: &Shown) -> Json {
    match shown {
        Shown::Absent => Json::Null,
        other => other.to_string().into(),
    }
}

fn command(command: &Command) -> Json {
    match &command.stdin {
        None => json!(command.argv),
        Some(bytes) => json!({
            "argv": command.argv,
            "stdin": String::from_utf8(bytes.to_vec()).unwrap_or_else(|_| format!("{} bytes", bytes.len())),
        }),
    }
}

fn outcome(work: &Result<Work>) -> Json {
    match work {
        Err(error) => json!({ "error": error.message() }),
        Ok(work) => {
            let changes = work.changes.iter().map(|change| {
                json!({ "field": change.field, "old": shown(&change.old), "new": shown(&change.new) })
            });
            let mut outcome = json!({
                "changes": changes.collect::<Vec<_>>(),
                "commands": work.commands.iter().map(command).collect::<Vec<_>>(),
            });
            if !work.notifies.is_empty() {
                outcome["notifies"] = json!(work.notifies);
            }
            outcome
        }
    }
}

/// What comes of a case's first document.
fn perform(operation: &str, given: &Json) -> Json {
    let at = Location::nowhere("case");
    let mut node = Node::from_json(&at, &given["args"]);
    if let (Some(secrets), Value::Map(map)) = (given["secrets"].as_array(), &mut node.value) {
        for key in secrets.iter().filter_map(Json::as_str) {
            map.get_mut(key).expect("the secret key").node.secret = true;
        }
    }
    let planned: Box<dyn Planned> = match (find(operation).expect("the operation").read)(&node) {
        Ok(planned) => planned,
        Err(error) => return json!({ "error": error.message() }),
    };
    let problems: Vec<_> = planned.check().into_iter().map(|(_, text)| text).collect();
    if !problems.is_empty() {
        return json!({ "problems": problems });
    }
    let (address, world, tags) = (
        Address::new("hosts", "a"),
        World::default(),
        Tags::default(),
    );
    let files = Files(given["files"].clone());
    let target = Target {
        address: &address,
        at: &at,
        node: &node,
        world: &world,
        tags: &tags,
        render: &files,
    };
    let probes = planned.probe(target).expect("probes");
    let mut facts: Vec<_> = match given["facts"].as_array() {
        Some(facts) => facts.iter().map(fact).collect(),
        None => vec![Fact::nothing(); probes.len()],
    };
    assert_eq!(facts.len(), probes.len(), "one fact per probe: {probes:?}");
    let parameters = planned.parameters(&facts);
    let values = given["values"].as_array().into_iter().flatten();
    facts.extend(values.map(fact));
    let mut outcome = outcome(&planned.work(target, &facts));
    outcome["probes"] = probes.iter().map(command).collect();
    if !parameters.is_empty() {
        outcome["parameters"] = json!(parameters);
    }
    outcome
}

#[test]
fn every_case_comes_out_as_written() {
    let accept = std::env::var_os("TIDEWALK_ACCEPT").is_some();
    let mut wrong = String::new();
    for operation in names_in(&folder()) {
        for name in names_in(&folder().join(&operation)) {
            let path = folder().join(&operation).join(&name);
            let text = fs::read_to_string(&path).expect("a case");
            let (first, second) = text
                .split_once("\n---\n")
                .unwrap_or((text.trim_end(), "{}"));
            let read = |text: &str| -> Json {
                serde_saphyr::from_str(text).unwrap_or_else(|cause| panic!("{name}: {cause}"))
            };
            let came = perform(&operation, &read(first));
            if accept {
                let yaml = serde_saphyr::to_string(&came).expect("YAML");
                fs::write(&path, format!("{first}\n---\n{yaml}")).expect("written");
            } else if came != read(second) {
                let came = serde_saphyr::to_string(&came).expect("YAML");
                let _ = writeln!(wrong, "{operation}/{name} came out as:\n{came}");
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn every_operation_has_its_cases() {
    let known: BTreeSet<_> = ALL.iter().map(|entry| entry.name.to_owned()).collect();
    assert_eq!(names_in(&folder()), known);
    for operation in known {
        let cases = names_in(&folder().join(&operation)).len();
        assert!(cases >= FEWEST, "{operation} has {cases} cases");
    }
}

#[test]
fn every_field_of_every_operation_is_described() {
    for entry in ALL {
        let mut generator = schemars::generate::SchemaSettings::draft2020_12()
            .with(|settings| settings.inline_subschemas = true)
            .into_generator();
        let schema = (entry.schema)(&mut generator).to_value();
        let mut silent = Vec::new();
        undescribed(&schema, entry.name, &mut silent);
        assert!(silent.is_empty(), "no description: {silent:?}");
    }
}

fn undescribed(schema: &Json, place: &str, silent: &mut Vec<String>) {
    for (key, property) in schema["properties"].as_object().into_iter().flatten() {
        let place = format!("{place}.{key}");
        if !property["description"].is_string() {
            silent.push(place.clone());
        }
        undescribed(property, &place, silent);
    }
    for choice in schema["anyOf"].as_array().into_iter().flatten() {
        undescribed(choice, place, silent);
    }
}

/// Lines of one file go on from what the one before makes, and are written at once: nobody finds the file
/// half edited. What is validated, and what a command stands between, is written by itself.
#[test]
fn lines_of_one_file_are_edited_at_once() {
    let at = Location::nowhere("site.yml");
    let line = |text: &str| json!({ "line": { "path": "/etc/a", "line": text } });
    let restarts = json!({ "line": { "path": "/etc/a", "line": "two", "restart": "app" } });
    let seed = json!({ "file": { "path": "/etc/b", "content": "seed\n", "if_missing": true } });
    let after = json!({ "line": { "path": "/etc/b", "line": "one" } });
    let valid = json!({ "line": { "path": "/etc/b", "line": "two", "validate": "true" } });
    let list = json!([
        line("one"),
        restarts,
        line("two"),
        line("three"),
        { "command": { "argv": ["true"], "creates": "/c" } },
        line("four"),
        seed,
        after,
        valid,
    ]);
    let declared = declared::read(Some(&Node::from_json(&at, &list))).expect("operations");
    let host = Target {
        address: &Address::new("hosts", "web"),
        at: &at,
        node: &Node::from_json(&at, &json!({})),
        world: &World::default(),
        tags: &Tags::default(),
        render: &Files(json!({})),
    };
    let works = round::plan(host, &declared, None).expect("planned");
    let puts = works.iter().flat_map(|work| &work.commands);
    let puts: Vec<_> = puts
        .filter(|it| it.argv[0].starts_with("tw_put"))
        .map(|it| {
            let text = it.stdin.as_ref().expect("a text");
            (it.argv[2..].join(" "), String::from_utf8_lossy(text))
        })
        .collect();
    let three = "one\ntwo\nthree\n";
    let wanted = [
        ("absent - - -  restart:app.service".to_owned(), three),
        (
            format!("{} - - - ", hash_of(three.as_bytes())),
            "one\ntwo\nthree\nfour\n",
        ),
        ("- - - ".to_owned(), "seed\none\n"),
        (
            format!("{} - - - true", hash_of(b"seed\none\n")),
            "seed\none\ntwo\n",
        ),
    ];
    let wanted = wanted.map(|(words, text)| (words, text.into()));
    assert_eq!(puts, wanted);
    let shown = works.iter().filter(|work| !work.changes.is_empty());
    assert_eq!(shown.count(), 8, "each is shown, as what it is");
}
