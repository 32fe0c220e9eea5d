//! Walks `tests/cases/KIND/*.yml`: a spec, what is there, and what the diff must say.
//!
//! Keys of a case: `spec`; `live` (fields of the kind's live view, without it the resource is new);
//! `name` of the resource; `tags` of the user; `world` (address → outputs); `files` (path → text);
//! and what is expected: `changes` (`FIELD: OLD -> NEW`, with `[replace]` or `[HOW]` behind),
//! `unsettled`, `problems` (of the offline check), or `error` (of the diff); where they are given,
//! also `cost` and `now`: what is wanted and what is there costs a month in eu-west-1, where
//! `attached` attach themselves to it, the playbook has `others` (address → spec), and the stack owns
//! `owned` (address → fields of its live view).

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value as Json, json};
use tidewalk::base::{Address, Cost, Diff, Effect, Location, Node, Outputs, Result};
use tidewalk::contract::{Beside, Found, Kind, Live as _, Resource};
use tidewalk::resources as all;

use crate::stage::Stage;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Case {
    spec: Json,
    pub(crate) live: Option<Json>,
    #[serde(default = "default_name")]
    name: String,
    #[serde(default)]
    tags: BTreeMap<String, String>,
    #[serde(default)]
    world: BTreeMap<String, Json>,
    #[serde(default)]
    files: BTreeMap<String, String>,
    #[serde(default)]
    pub(crate) changes: Vec<String>,
    #[serde(default)]
    unsettled: Vec<String>,
    #[serde(default)]
    problems: Vec<String>,
    error: Option<String>,
    #[serde(default)]
    attached: Vec<Address>,
    #[serde(default)]
    others: BTreeMap<String, Json>,
    #[serde(default)]
    owned: BTreeMap<String, Json>,
    cost: Option<String>,
    now: Option<String>,
}

fn default_name() -> String {
    "web".to_owned()
}

#[test]
fn every_case_gives_the_expected_diff() {
    let mut wrong = Vec::new();
    let mut seen = 0;
    let observed = |kind: &Arc<dyn Kind>| kind.stage() == tidewalk::contract::Stage::Upon;
    for kind in all::registry().into_iter().filter(|kind| !observed(kind)) {
        for path in files_in(&Path::new("tests/cases").join(kind.name())) {
            seen += 1;
            if let Err(text) = run(kind.as_ref(), &path) {
                wrong.push(format!("{}:\n{text}", path.display()));
            }
        }
    }
    assert!(seen > 0, "no cases were found");
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

pub(crate) fn files_in(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

pub(crate) fn read(path: &Path) -> Result<Case, String> {
    let text = fs::read_to_string(path).unwrap();
    serde_saphyr::from_str(&text).map_err(|error| error.to_string())
}

fn run(kind: &dyn Kind, path: &Path) -> Result<(), String> {
    let case = read(path)?;
    let address = Address::new(kind.name(), &case.name);
    let mut stage = Stage::new("demo", &address, &case.spec, &case.tags);
    for (address, outputs) in &case.world {
        let outputs = outputs.as_object().cloned().unwrap_or_default();
        stage.world.know(address.parse().unwrap(), Outputs(outputs));
    }
    stage.files.0.clone_from(&case.files);
    let problems: Vec<_> = match kind.check(&stage.node) {
        Ok(()) => Vec::new(),
        Err(errors) => errors
            .0
            .iter()
            .map(|error| error.message().to_owned())
            .collect(),
    };
    same("problems", &problems, &case.problems)?;
    if !problems.is_empty() {
        return Ok(());
    }
    let live = case
        .live
        .as_ref()
        .map(|live| found(kind.name(), live, &stage))
        .transpose()?;
    let region = "eu-west-1";
    if case.cost.is_some() {
        let at = Location::nowhere("others");
        let spec = |address: &Address| {
            let spec = case.others.get(&address.to_string())?;
            Some(Node::from_json(&at, spec))
        };
        let beside = Beside {
            attached: &case.attached,
            spec: &spec,
        };
        let cost = kind.cost(&stage.node, region, &beside);
        same("cost", &Some(priced(&cost)), &case.cost)?;
    }
    if case.now.is_some() {
        let live = live.as_ref().expect("`now` is of what is there");
        let mut owned = BTreeMap::new();
        for (address, live) in &case.owned {
            let address: Address = address.parse().unwrap();
            let found = found(&address.kind, live, &stage)?;
            owned.insert(address, found);
        }
        let cost = kind.cost_now(live, region, &owned);
        same("now", &cost.as_ref().map(priced), &case.now)?;
    }
    match kind.diff(stage.target(), live.as_ref()) {
        Err(error) => same("error", &Some(error.message().to_owned()), &case.error),
        Ok(diff) => {
            same("error", &None, &case.error)?;
            same("changes", &shown(&diff), &case.changes)?;
            same("unsettled", &diff.unsettled, &case.unsettled)
        }
    }
}

fn same<T: PartialEq + std::fmt::Debug>(what: &str, got: &T, expected: &T) -> Result<(), String> {
    if got == expected {
        Ok(())
    } else {
        Err(format!("  {what}: expected {expected:#?}\n  got {got:#?}"))
    }
}

fn shown(diff: &Diff) -> Vec<String> {
    let words = |effect: &Effect| match effect {
        Effect::Update => String::new(),
        Effect::Interrupt(how) => format!(" [{how}]"),
        Effect::Replace => " [replace]".to_owned(),
    };
    let changes = diff.changes.iter();
    changes
        .map(|c| format!("{}: {} -> {}{}", c.field, c.old, c.new, words(&c.effect)))
        .collect()
}

/// `17.53; unknown: detailed monitoring; by use: traffic`
fn priced(cost: &Cost) -> String {
    let mut text = format!("{:.2}", cost.usd);
    for (what, list) in [("unknown", &cost.unknown), ("by use", &cost.by_use)] {
        if !list.is_empty() {
            let _ = write!(text, "; {what}: {}", list.join(", "));
        }
    }
    text
}

/// What discovery would have found: the case's live fields, and the tags the resource should have
/// with the case's own laid over them.
fn found(kind: &str, live: &Json, stage: &Stage) -> Result<Found, String> {
    let mut live = live.clone();
    let mut tags = json!(stage.tags.0);
    if let Some(own) = live.get("tags").and_then(Json::as_object) {
        for (key, value) in own {
            tags[key] = value.clone();
        }
    }
    live["tags"] = tags;
    match kind {
        "key_pairs" => typed::<all::key_pairs::KeyPair>(live),
        "security_groups" => typed::<all::security_groups::SecurityGroup>(live),
        "instances" => typed::<all::instances::Instance>(live),
        "elastic_ips" => typed::<all::elastic_ips::ElasticIp>(live),
        "buckets" => typed::<all::buckets::Bucket>(live),
        "networks" => typed::<all::networks::Network>(live),
        "repositories" => typed::<all::repositories::Repository>(live),
        "task_definitions" => typed::<all::task_definitions::TaskDefinition>(live),
        "services" => typed::<all::services::Service>(live),
        "schedules" => typed::<all::schedules::Schedule>(live),
        "clusters" => typed::<all::clusters::Cluster>(live),
        "keys" => typed::<all::keys::Key>(live),
        "parameters" => typed::<all::parameters::Parameter>(live),
        "policies" => typed::<all::policies::Policy>(live),
        "secrets" => typed::<all::secrets::StoredSecret>(live),
        "roles" => typed::<all::roles::Role>(live),
        "amis" => typed::<all::amis::Image>(live),
        "fleets" => typed::<all::fleets::Fleet>(live),
        "launch_templates" => typed::<all::launch_templates::LaunchTemplate>(live),
        "volumes" => typed::<all::volumes::Volume>(live),
        "tables" => typed::<all::tables::Table>(live),
        "zones" => typed::<all::zones::Zone>(live),
        "records" => typed::<all::records::Record>(live),
        "streams" => typed::<all::streams::Stream>(live),
        "load_balancers" => typed::<all::load_balancers::LoadBalancer>(live),
        "log_groups" => typed::<all::log_groups::LogGroup>(live),
        "topics" => typed::<all::topics::Topic>(live),
        "alarms" => typed::<all::alarms::Alarm>(live),
        "target_groups" => typed::<all::target_groups::TargetGroup>(live),
        _ => Err(format!("no live view of {kind} is known to this test")),
    }
}

fn typed<R: Resource>(live: Json) -> Result<Found, String>
where
    R::Live: for<'de> Deserialize<'de>,
{
    let live: R::Live = serde_json::from_value(live).map_err(|error| error.to_string())?;
    Ok(Found {
        id: live.id().to_owned(),
        name: live.name().map(str::to_owned),
        tags: live.tags().clone(),
        outputs: live.outputs(),
        parts: live.parts(),
        live: Arc::new(live),
    })
}
