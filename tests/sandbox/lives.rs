//! The whole life of every kind, as data: `tests/playbooks/kinds/KIND.yml` is applied with the
//! variables of each step of `KIND.life.yml`, looked at by boto3, destroyed, and lived again under
//! every fault.
//!
//! Keys of a life: `steps` (`vars` for this step and those after it; `plan`, the lines
//! `ACTION ADDRESS: CHANGED FIELDS`; `seen`, what boto3 must read then); `gone`, what it must read
//! after destroy; `unchanged` (field → why no step changes it); `before`, calls of boto3 that set
//! the stage. A reading is `read: SERVICE.METHOD`, `with` (parameters; `${NAME}` is an output of
//! the playbook), `at` (`JMESPath`) and `is`.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Map, Value as Json, json};
use tidewalk::contract::{Iam, Kind, Stage};
use tidewalk::resources::registry;
use tidewalk::sandbox::{self, Effect, Fault};

use crate::harness::{Beach, Ended};

/// One test per kind.
macro_rules! lives {
    ($($kind:ident,)*) => {
        $(#[test]
        fn $kind() {
            live(stringify!($kind));
        })*

        #[test]
        fn every_kind_has_a_life() {
            let lived = [$(stringify!($kind)),*];
            let kinds = registry().into_iter();
            let kinds = kinds.filter(|kind| kind.stage() == Stage::Account);
            let missing: Vec<_> = kinds
                .map(|kind| kind.name())
                .filter(|name| !lived.contains(name))
                .collect();
            assert!(missing.is_empty(), "without a life: {missing:?}");
        }
    };
}

lives! {
    alarms,
    amis,
    buckets,
    clusters,
    elastic_ips,
    fleets,
    iam_users,
    instances,
    key_pairs,
    keys,
    launch_templates,
    load_balancers,
    log_groups,
    networks,
    parameters,
    policies,
    records,
    repositories,
    roles,
    security_groups,
    secrets,
    schedules,
    services,
    streams,
    tables,
    target_groups,
    task_definitions,
    topics,
    volumes,
    zones,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Life {
    steps: Vec<Step>,
    gone: Vec<Reading>,
    #[serde(default)]
    unchanged: BTreeMap<String, String>,
    #[serde(default)]
    before: Vec<Reading>,
    /// Environment variables of the program.
    #[serde(default)]
    env: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Step {
    #[serde(default)]
    vars: Map<String, Json>,
    plan: Vec<String>,
    #[serde(default)]
    seen: Vec<Reading>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Reading {
    read: String,
    #[serde(default)]
    with: Map<String, Json>,
    at: Option<String>,
    is: Option<Json>,
}

/// One playbook on a sandbox of its own.
struct Living<'a> {
    kind: Arc<dyn Kind>,
    life: &'a Life,
    beach: Beach,
    playbook: String,
    vars: Map<String, Json>,
    outputs: Map<String, Json>,
}

fn live(kind: &str) {
    let folder = Path::new("tests/playbooks/kinds");
    let text = std::fs::read_to_string(folder.join(format!("{kind}.life.yml"))).unwrap();
    let life: Life = serde_saphyr::from_str(&text).unwrap();
    let playbook = std::fs::canonicalize(folder.join(format!("{kind}.yml"))).unwrap();
    let beach = Beach::without_hosts();
    let playbook = std::fs::copy(&playbook, beach.folder().join(format!("{kind}.yml")))
        .map(|_| format!("{kind}.yml"))
        .unwrap();
    let mut living = Living {
        kind: crate::cloud::kind(kind),
        life: &life,
        beach,
        playbook,
        vars: Map::new(),
        outputs: Map::new(),
    };
    living.read(&life.before);
    living.through_all_steps();
    let calls: BTreeSet<String> = living.beach.calls().into_iter().collect();
    for (way, effect, times) in ways() {
        living.under(way, &effect, times, &calls);
    }
}

/// The ways of going wrong, and how many calls of each action go wrong.
fn ways() -> [(&'static str, Effect, u32); 5] {
    let server_error = Effect::Error {
        status: 500,
        code: "InternalFailure".to_owned(),
    };
    [
        ("throttled", Effect::Throttle, 3),
        ("500", server_error, 1),
        ("reset", Effect::Reset, 1),
        ("lost", Effect::Lost, 1),
        ("stale", Effect::Stale { ms: 1500 }, 1000),
    ]
}

impl Living<'_> {
    fn through_all_steps(&mut self) {
        let mut changed: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for (number, step) in self.life.steps.iter().enumerate() {
            let at = format!("{} step {number}", self.kind.name());
            self.vars.extend(step.vars.clone());
            let ended = self.run(&["apply", "--yes"]);
            assert_eq!(
                ended.code,
                Some(0),
                "{at}: {}{}",
                ended.stderr,
                ended.stdout
            );
            let documents = documents(&ended);
            let plan = &documents["plan"];
            self.note_changes(plan, &mut changed);
            let mut expected = step.plan.clone();
            expected.sort();
            assert_eq!(lines(plan), expected, "{at}");
            self.outputs = documents["outcome"]["outputs"]
                .as_object()
                .cloned()
                .unwrap_or_default();
            Self::must_be_allowed(&documents, |iam| [iam.discover, iam.apply, iam.delete]);
            self.nothing_to_do(&at);
            self.see(&step.seen, &at);
        }
        self.all_fields_were_changed(&changed);
        self.destroy("at the end");
    }

    /// The same under faults of every call in `calls`: made and destroyed once.
    fn under(&mut self, way: &str, effect: &Effect, times: u32, calls: &BTreeSet<String>) {
        let at = format!("{} {way}", self.kind.name());
        let is_read = |action: &str| {
            let reads = ["Describe", "Get", "List"];
            reads.iter().any(|read| action.starts_with(read))
        };
        self.vars.clear();
        self.vars.extend(self.life.steps[0].vars.clone());
        let arm = |beach: &Beach| {
            for call in calls {
                let (service, action) = call.split_once(':').unwrap();
                if service != "sts" && (way != "stale" || is_read(action)) {
                    beach.fault(Fault {
                        service: Some(service.to_owned()),
                        action: Some(action.to_owned()),
                        region: None,
                        after: 0,
                        times,
                        effect: effect.clone(),
                    });
                }
            }
        };
        // A refusal that only the caller can judge may end a run; the next one goes on.
        let may_fail = ["lost", "stale"].contains(&way);
        arm(&self.beach);
        let ended = self.run(&["apply", "--yes"]);
        self.beach.no_faults();
        if ended.code != Some(0) {
            assert!(may_fail, "{at}: {}{}", ended.stderr, ended.stdout);
            let again = self.run(&["apply", "--yes"]);
            assert_eq!(
                again.code,
                Some(0),
                "{at}: {}{}",
                again.stderr,
                again.stdout
            );
        }
        self.nothing_to_do(&at);
        self.outputs = documents(&self.run(&["apply", "--yes"]))["outcome"]["outputs"]
            .as_object()
            .cloned()
            .unwrap_or_default();
        self.see(&self.life.steps[0].seen, &at);
        arm(&self.beach);
        let ended = self.run(&["destroy", "--yes"]);
        self.beach.no_faults();
        if ended.code != Some(0) {
            assert!(may_fail, "{at}: {}{}", ended.stderr, ended.stdout);
        }
        self.destroy(&at);
    }

    fn run(&self, command: &[&str]) -> Ended {
        let mut args = vec![command[0], &self.playbook, "--sandbox", "--json"];
        args.extend(&command[1..]);
        let vars: Vec<String> = self
            .vars
            .iter()
            .map(|(name, value)| match value {
                Json::String(text) => format!("{name}={text}"),
                other => format!("{name}={other}"),
            })
            .collect();
        for var in &vars {
            args.extend(["--var", var]);
        }
        let env = self.life.env.iter();
        let env: Vec<_> = env
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        self.beach.run_with(&args, &env)
    }

    fn nothing_to_do(&self, at: &str) {
        let ended = self.run(&["plan"]);
        let documents = documents(&ended);
        let left = lines(&documents["plan"]);
        let said = format!("{}{}", ended.stderr, ended.stdout);
        assert_eq!(ended.code, Some(0), "{at}: {left:?} {said}");
        Self::must_be_allowed(&documents, |iam| [iam.discover, &[], &[]]);
    }

    fn destroy(&self, at: &str) {
        let ended = self.run(&["destroy", "--yes"]);
        assert_eq!(
            ended.code,
            Some(0),
            "{at}: {}{}",
            ended.stderr,
            ended.stdout
        );
        let documents = documents(&ended);
        assert_eq!(
            documents["receipt"]["proven"], true,
            "{at}: {}",
            ended.stdout
        );
        Self::must_be_allowed(&documents, |iam| [iam.discover, iam.delete, &[]]);
        self.see(&self.life.gone, at);
    }

    /// Nothing was called but what the kinds declare for these verbs.
    fn must_be_allowed(documents: &Json, verbs: impl Fn(Iam) -> [&'static [&'static str]; 3]) {
        let kinds = documents["discovered"].as_array().unwrap().iter();
        let listed: BTreeSet<&str> = kinds.filter_map(Json::as_str).collect();
        let mut allowed = BTreeSet::from([
            "sts:GetCallerIdentity",
            "tag:GetResources",
            "ec2:DescribeTags",
        ]);
        for kind in registry()
            .iter()
            .filter(|kind| kind.stage() == Stage::Account)
        {
            if listed.contains(kind.name()) {
                allowed.extend(verbs(kind.iam()).concat());
            }
        }
        if documents.get("receipt").is_some() {
            // The second look asks every kind whose tags are still listed.
            allowed.extend(registry().iter().flat_map(|kind| kind.iam().discover));
        }
        let upon = registry();
        let upon = upon.iter().filter(|kind| kind.stage() == Stage::Upon);
        allowed.extend(upon.flat_map(|kind| kind.iam().discover));
        for action in documents["calls"].as_object().unwrap().keys() {
            assert!(allowed.contains(action.as_str()), "undeclared: {action}");
        }
    }

    fn see(&self, readings: &[Reading], at: &str) {
        for (reading, told) in readings.iter().zip(self.read(readings)) {
            let Reading { read, with, .. } = reading;
            let wanted = self.filled(reading.is.as_ref().unwrap());
            assert_eq!(told, wanted, "{at}: {read} {}", json!(with));
        }
    }

    fn read(&self, readings: &[Reading]) -> Vec<Json> {
        if readings.is_empty() {
            return Vec::new();
        }
        let reads = readings.iter().map(|reading| {
            let with = self.filled(&Json::Object(reading.with.clone()));
            json!({ "read": reading.read, "with": with, "at": reading.at })
        });
        let asked = json!({
            "endpoint": self.beach.endpoint(),
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
    fn filled(&self, value: &Json) -> Json {
        match value {
            Json::String(text) => {
                let mut text = text.clone();
                for (name, output) in &self.outputs {
                    let mark = format!("${{{name}}}");
                    if text == mark {
                        return output.clone();
                    }
                    let output = output.as_str().map_or(output.to_string(), str::to_owned);
                    text = text.replace(&mark, &output);
                }
                Json::String(text)
            }
            Json::Array(list) => list.iter().map(|item| self.filled(item)).collect(),
            Json::Object(map) => map
                .iter()
                .map(|(key, value)| (key.clone(), self.filled(value)))
                .collect(),
            other => other.clone(),
        }
    }

    /// Remembers which fields of this kind changed, and how.
    fn note_changes(&self, plan: &Json, changed: &mut BTreeMap<String, BTreeSet<String>>) {
        for step in plan["steps"].as_array().unwrap() {
            let address = step["address"].as_str().unwrap();
            let ours = address.starts_with(&format!("{}.", self.kind.name()));
            let changes = step["changes"].as_array().unwrap();
            let in_place = ["update", "replace"].contains(&step["action"].as_str().unwrap());
            for change in changes.iter().filter(|_| ours && in_place) {
                let field = change["field"].as_str().unwrap();
                let field = field.split(['.', '[']).next().unwrap();
                let effect = change["effect"].as_str().unwrap();
                let effects = changed.entry(field.to_owned()).or_default();
                effects.insert(effect.to_owned());
            }
        }
    }

    /// Every field of the kind was changed by some step, and replaced it exactly when its schema
    /// says so.
    fn all_fields_were_changed(&self, changed: &BTreeMap<String, BTreeSet<String>>) {
        let schema = self.kind.schema().to_value();
        for (field, its) in schema["properties"].as_object().unwrap() {
            if self.life.unchanged.contains_key(field) {
                continue;
            }
            let kind = self.kind.name();
            let Some(effects) = changed.get(field) else {
                panic!("no step changes `{field}` of {kind}");
            };
            // A text says when; fields of a mapping have marks of their own.
            let replaced = effects.contains("replace");
            let may = its.to_string().contains(r#""x-fixed":"#);
            let must = its["x-fixed"] == true;
            assert!(may || !replaced, "`{field}` of {kind} was replaced");
            assert!(replaced || !must, "`{field}` of {kind} was not replaced");
        }
    }
}

/// The documents that the program printed, by name; of a run that ended early, some are missing.
fn documents(ended: &Ended) -> Json {
    let mut documents = Map::new();
    for line in ended.stdout.lines() {
        let line: Json = serde_json::from_str(line).unwrap();
        let name = line["event"].as_str().unwrap().to_owned();
        if name == "discovered" {
            let kinds = documents.entry(name.clone()).or_insert_with(|| json!([]));
            kinds.as_array_mut().unwrap().push(line["kind"].clone());
        }
        if let Some(document) = line.get(&name) {
            documents.insert(name, document.clone());
        }
    }
    Json::Object(documents)
}

/// What the plan changes, in lines, sorted.
fn lines(plan: &Json) -> Vec<String> {
    let steps = plan["steps"].as_array().into_iter().flatten();
    let mut lines: Vec<String> = steps
        .filter(|step| !["nothing", "keep", "read"].contains(&step["action"].as_str().unwrap()))
        .map(|step| {
            let action = step["action"].as_str().unwrap();
            let address = step["address"].as_str().unwrap();
            let changes = step["changes"].as_array().unwrap();
            let fields = changes
                .iter()
                .map(|change| change["field"].as_str().unwrap());
            let fields: Vec<_> = fields.collect();
            match action {
                "update" | "replace" => format!("{action} {address}: {}", fields.join(", ")),
                _ => format!("{action} {address}"),
            }
        })
        .collect();
    lines.sort();
    lines
}

/// The interpreter of the emulator's environment: it has boto3.
fn python() -> PathBuf {
    let home = || PathBuf::from(std::env::var_os("HOME").unwrap()).join(".local/share");
    let data = std::env::var_os("XDG_DATA_HOME").map_or_else(home, PathBuf::from);
    data.join("tidewalk/venv/bin/python")
}
