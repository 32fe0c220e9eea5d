//! The calls of a run against the IAM actions that kinds declare, verb by verb.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;
use tidewalk::contract::{Iam, Kind, Stage};
use tidewalk::resources::registry;

/// What every run may call, whatever it is about.
const ALWAYS: [&str; 3] = [
    "sts:GetCallerIdentity",
    "tag:GetResources",
    "ec2:DescribeTags",
];

/// Something that a kind does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Verb {
    Discover,
    Apply,
    Delete,
}

impl Verb {
    const ALL: [Self; 3] = [Self::Discover, Self::Apply, Self::Delete];

    /// As a life writes it.
    fn word(self) -> &'static str {
        match self {
            Self::Discover => "discover",
            Self::Apply => "apply",
            Self::Delete => "delete",
        }
    }

    fn actions(self, iam: Iam) -> &'static [&'static str] {
        match self {
            Self::Discover => iam.discover,
            Self::Apply => iam.apply,
            Self::Delete => iam.delete,
        }
    }
}

/// Which verbs of which kinds a run uses.
pub(super) struct Used(BTreeSet<(String, Verb)>);

impl Used {
    /// By the documents of a run: what it listed, what its plan does if it is `carried_out`, and
    /// what its receipt proves gone.
    pub(super) fn by(documents: &Json, carried_out: bool) -> Self {
        let listed = documents["discovered"].as_array().into_iter().flatten();
        let listed = listed.filter_map(Json::as_str);
        let mut used: BTreeSet<_> = listed
            .map(|kind| (kind.to_owned(), Verb::Discover))
            .collect();
        let kinds = registry();
        let is = |name: &str, so: fn(&dyn Kind) -> bool| {
            let kind = kinds.iter().find(|kind| kind.name() == name);
            so(kind.unwrap().as_ref())
        };
        for step in documents["plan"]["steps"].as_array().into_iter().flatten() {
            let kind = step["address"].as_str().unwrap().split('.').next().unwrap();
            let verbs: &[Verb] = match step["action"].as_str().unwrap() {
                "create" | "update" => &[Verb::Apply],
                "replace" => &[Verb::Apply, Verb::Delete],
                "delete" => &[Verb::Delete],
                _ => &[],
            };
            let verbs = verbs.iter().filter(|_| carried_out);
            used.extend(verbs.map(|verb| (kind.to_owned(), *verb)));
            if is(kind, |kind| kind.stage() == Stage::Upon) {
                used.insert((kind.to_owned(), Verb::Discover));
            }
        }
        // The Tagging API tells of a fleet by its instances: the second look asks for those.
        let in_part = used
            .iter()
            .any(|(kind, _)| is(kind, |kind| kind.tagged_in_part()));
        if in_part && documents.get("receipt").is_some() {
            used.insert(("instances".to_owned(), Verb::Discover));
        }
        for line in documents["receipt"]["lines"]
            .as_array()
            .into_iter()
            .flatten()
        {
            let kind = line["address"].as_str().unwrap().split('.').next().unwrap();
            used.insert((kind.to_owned(), Verb::Delete));
        }
        Self(used)
    }

    fn actions(&self) -> BTreeSet<&'static str> {
        let kinds = registry();
        let used = self.0.iter().flat_map(|(name, verb)| {
            let kind = kinds.iter().find(|kind| kind.name() == name);
            verb.actions(kind.unwrap().iam())
        });
        used.copied().chain(ALWAYS).collect()
    }
}

/// The calls of a run, by action.
fn calls(documents: &Json) -> impl Iterator<Item = &str> {
    let calls = documents["calls"].as_object().into_iter();
    calls.flat_map(|calls| calls.keys().map(String::as_str))
}

/// Nothing was called but what the kinds declare for what was done with them.
pub(super) fn must_be_allowed(documents: &Json, used: &Used, at: &str) {
    let allowed = used.actions();
    let undeclared: Vec<_> = calls(documents)
        .filter(|action| !allowed.contains(action))
        .collect();
    assert!(
        undeclared.is_empty(),
        "{at}: {undeclared:?} is not declared for {:?}",
        used.0
    );
}

/// The actions of one kind that its life has seen, by verb.
#[derive(Default)]
pub(super) struct Seen(BTreeMap<Verb, BTreeSet<String>>);

impl Seen {
    /// Remembers the calls of a run for the verbs of `kind` that it used.
    pub(super) fn note(&mut self, kind: &str, documents: &Json, used: &Used) {
        let its = used.0.iter().filter(|(name, _)| name == kind);
        for (_, verb) in its {
            let seen = self.0.entry(*verb).or_default();
            seen.extend(calls(documents).map(str::to_owned));
        }
    }

    /// Everything that `kind` declares was called, but what the life names as `unseen`; and that
    /// was not.
    pub(super) fn must_be_all(
        &self,
        kind: &dyn Kind,
        unseen: &BTreeMap<String, BTreeMap<String, String>>,
    ) {
        let mut wrong = Vec::new();
        for verb in Verb::ALL {
            let none = BTreeMap::new();
            let excused = unseen.get(verb.word()).unwrap_or(&none);
            let seen = |action: &str| self.0.get(&verb).is_some_and(|seen| seen.contains(action));
            let declared = verb.actions(kind.iam());
            for action in declared {
                let what = match (seen(action), excused.contains_key(*action)) {
                    (false, false) => "declared, and no step calls it",
                    (true, true) => "among the unseen, and a step calls it",
                    _ => continue,
                };
                wrong.push(format!("{} {action}: {what}", verb.word()));
            }
            let unknown = excused
                .keys()
                .filter(|action| !declared.contains(&action.as_str()));
            wrong.extend(unknown.map(|action| format!("{} {action}: not declared", verb.word())));
        }
        let words: Vec<_> = Verb::ALL.iter().map(|verb| verb.word()).collect();
        let verbs = unseen.keys().filter(|verb| !words.contains(&verb.as_str()));
        wrong.extend(verbs.map(|verb| format!("`{verb}` is no verb")));
        assert!(wrong.is_empty(), "{}:\n{}", kind.name(), wrong.join("\n"));
    }
}
