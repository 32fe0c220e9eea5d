//! The whole life of every kind, as data: `tests/playbooks/kinds/KIND.yml` is applied with the
//! variables of each step of `KIND.life.yml`, looked at by boto3, destroyed, and lived again under
//! every fault.
//!
//! Keys of a life: `steps` (`vars` for this step and those after it; `plan`, the lines
//! `ACTION ADDRESS: CHANGED FIELDS`; `seen`, what boto3 must read then); `gone`, what it must read
//! after destroy; `unchanged` (field → why no step changes it); `unseen` (verb → action → why no
//! step calls it though the kind declares it); `before`, calls of boto3 that set the stage. A reading is `read: SERVICE.METHOD`, `with` (parameters; `${NAME}` is an output of
//! the playbook), `at` (`JMESPath`) and `is`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Map, Value as Json, json};
use tidewalk::contract::Kind;
use tidewalk::sandbox::{Effect, Fault};

use crate::harness::{Beach, Ended};

mod permitted;
pub(crate) mod reading;

use permitted::{Seen, Used, must_be_allowed};
use reading::Reading;

per_kind! {
    live, every_kind_has_a_life:
    alarms,
    amis,
    buckets,
    clusters,
    elastic_ips,
    fleets,
    iam_users,
    instances,
    inventory,
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
    unseen: BTreeMap<String, BTreeMap<String, String>>,
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

/// One playbook on a sandbox of its own.
struct Living<'a> {
    kind: Arc<dyn Kind>,
    life: &'a Life,
    beach: Beach,
    playbook: String,
    vars: Map<String, Json>,
    outputs: Map<String, Json>,
    seen: Seen,
}

/// Tags of every playbook of a life, and what its last step has in their place.
const TAGS: [&str; 2] = ["\ntags: { Owner: ops }\n", "\ntags: { Team: data }\n"];

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
        seen: Seen::default(),
    };
    reading::read(living.beach.endpoint(), &living.outputs, &life.before);
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
            let documents = self.step(&["apply", "--yes"], &at);
            let plan = &documents["plan"];
            self.note_changes(plan, &mut changed);
            let mut expected = step.plan.clone();
            expected.sort();
            assert_eq!(lines(plan), expected, "{at}");
            self.nothing_to_do(&at);
            self.see(&step.seen, &at);
        }
        self.all_fields_were_changed(&changed);
        self.with_other_tags();
        self.destroy("at the end");
        self.seen.must_be_all(self.kind.as_ref(), &self.life.unseen);
    }

    /// Everything that carries the playbook's tags loses one and gets another.
    fn with_other_tags(&mut self) {
        let path = self.beach.folder().join(&self.playbook);
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, text.replace(TAGS[0], TAGS[1])).unwrap();
        let documents = self.step(&["apply", "--yes"], "other tags");
        for line in lines(&documents["plan"]) {
            let is_retagged = line.ends_with(" tags.Team, tags.Owner");
            assert!(line.starts_with("update ") && is_retagged, "{line}");
        }
        self.nothing_to_do("other tags");
        std::fs::write(&path, text).unwrap();
    }

    /// A step of the life: it succeeds, and what it calls is remembered.
    fn step(&mut self, command: &[&str], at: &str) -> Json {
        let (ended, documents) = self.run(command, at);
        let Ended { stdout, stderr, .. } = &ended;
        assert_eq!(ended.code, Some(0), "{at}: {stderr}{stdout}");
        let used = Used::by(&documents, command[0] != "plan");
        self.seen.note(self.kind.name(), &documents, &used);
        if command[0] == "apply" {
            self.keep_outputs(&documents);
        }
        documents
    }

    fn keep_outputs(&mut self, documents: &Json) {
        let outputs = documents["outcome"]["outputs"].as_object().cloned();
        self.outputs = outputs.unwrap_or_default();
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
        if let Effect::Stale { ms } = effect {
            // What the life before left a moment ago would be seen as still there, as by anybody.
            std::thread::sleep(std::time::Duration::from_millis(*ms));
        }
        arm(&self.beach);
        let (ended, _) = self.run(&["apply", "--yes"], &at);
        self.beach.no_faults();
        if ended.code != Some(0) {
            assert!(may_fail, "{at}: {}{}", ended.stderr, ended.stdout);
            let (again, _) = self.run(&["apply", "--yes"], &at);
            let Ended { stdout, stderr, .. } = &again;
            assert_eq!(again.code, Some(0), "{at}: {stderr}{stdout}");
        }
        self.nothing_to_do(&at);
        let (_, documents) = self.run(&["apply", "--yes"], &at);
        self.keep_outputs(&documents);
        self.see(&self.life.steps[0].seen, &at);
        arm(&self.beach);
        let (ended, _) = self.run(&["destroy", "--yes"], &at);
        self.beach.no_faults();
        if ended.code != Some(0) {
            assert!(may_fail, "{at}: {}{}", ended.stderr, ended.stdout);
        }
        self.destroy(&at);
    }

    /// Runs the program: it calls nothing but what it may.
    fn run(&self, command: &[&str], at: &str) -> (Ended, Json) {
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
        let ended = self.beach.run_with(&args, &env);
        let documents = documents(&ended);
        // A run that ended before its plan does not tell which listings it began.
        if documents.get("plan").is_some() {
            let used = Used::by(&documents, command[0] != "plan");
            must_be_allowed(&documents, &used, at);
        }
        (ended, documents)
    }

    fn nothing_to_do(&self, at: &str) {
        let (ended, documents) = self.run(&["plan"], at);
        let left = lines(&documents["plan"]);
        let said = format!("{}{}", ended.stderr, ended.stdout);
        assert_eq!(ended.code, Some(0), "{at}: {left:?} {said}");
    }

    fn destroy(&mut self, at: &str) {
        let documents = self.step(&["destroy", "--yes"], at);
        let receipt = &documents["receipt"];
        assert_eq!(receipt["proven"], true, "{at}: {receipt}");
        self.see(&self.life.gone, at);
    }

    fn see(&self, readings: &[Reading], at: &str) {
        reading::see(self.beach.endpoint(), &self.outputs, readings, at);
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
            // Another kind has what an expanded field stands for.
            if self.life.unchanged.contains_key(field) || its["x-fixed"].is_object() {
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
