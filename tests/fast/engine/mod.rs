//! The engine with a toy kind: every promise, and every node failing in turn.

mod money;
mod toys;

use std::path::Path;
use std::sync::Arc;

use tempfile::TempDir;
use tidewalk::aws::clients::{ConnectOptions, connect};
use tidewalk::base::{Address, ErrorKind, Errors};
use tidewalk::contract::{Context, Kind, Progress};
use tidewalk::engine::{
    Action, Engine, Event, Observer, Options, Outcome, Prepared, Receipt, Stop, Verdict,
};
use tidewalk::playbook::{LoadOptions, Playbook, Section};

use toys::{Stickers, Toys, foreign};

struct Silent;

impl Observer for Silent {
    fn event(&self, _: &Event) {}
}

impl Progress for Silent {
    fn doing(&self, _: &Address, _: &str) {}
}

/// A shelf of toys, and a folder that holds the playbook and the journal.
struct Playroom {
    toys: Toys,
    stickers: Stickers,
    folder: TempDir,
}

impl Playroom {
    fn new() -> Self {
        Self {
            toys: Toys::default(),
            stickers: Stickers::default(),
            folder: TempDir::new().unwrap(),
        }
    }

    fn kinds(&self) -> Vec<Arc<dyn Kind>> {
        vec![Arc::new(self.toys.clone()), Arc::new(self.stickers.clone())]
    }

    async fn context(&self) -> Context {
        let options = ConnectOptions {
            region: Some("eu-west-1".to_owned()),
            endpoint: Some("http://127.0.0.1:9".to_owned()),
            ..ConnectOptions::default()
        };
        Context {
            stack: "play".to_owned(),
            region: "eu-west-1".to_owned(),
            account: "123456789012".to_owned(),
            tags: std::collections::BTreeMap::new(),
            lease_until: None,
            folder: self.folder.path().to_owned(),
            local: self.folder.path().join(".tidewalk"),
            aws: connect(&options).await.unwrap(),
            keep: None,
            progress: Arc::new(Silent),
        }
    }

    async fn engine(&self, toys: Option<&str>) -> Engine {
        let playbook = toys.map(|toys| {
            let path = self.folder.path().join("play.yml");
            let text = format!("stack: play\nregion: eu-west-1\n{toys}");
            std::fs::write(&path, text).unwrap();
            self.load(&path)
        });
        let options = Options {
            parallelism: 4,
            max_failures: None,
            only: Vec::new(),
            sandbox: false,
            kill_after: None,
        };
        Engine::new(
            self.kinds(),
            playbook,
            self.context().await,
            options,
            Arc::new(Silent),
            Stop::default(),
        )
    }

    fn load(&self, path: &Path) -> Playbook {
        let kinds = self.kinds();
        let sections: Vec<Section> = kinds
            .into_iter()
            .map(|kind| Section {
                name: kind.name(),
                outputs: kind.outputs(),
                borrows: kind.borrows(),
                asks: kind.asks(),
                expand: Box::new(|_, _, _| Ok(None)),
                schema: Box::new(move || kind.schema()),
            })
            .collect();
        Playbook::load(path, &LoadOptions::default(), &sections).unwrap()
    }

    async fn plan(&self, toys: &str) -> Result<Prepared, Errors> {
        self.engine(Some(toys)).await.plan().await
    }

    /// What a plan would do, as words.
    async fn planned(&self, toys: &str) -> Vec<String> {
        let prepared = self.plan(toys).await.unwrap();
        let steps = prepared
            .plan
            .steps
            .iter()
            .filter(|step| step.action != Action::Nothing);
        steps
            .map(|step| format!("{} {}", step.action.word(), step.address.name))
            .collect()
    }

    async fn apply(&self, toys: &str) -> Outcome {
        let engine = self.engine(Some(toys)).await;
        let prepared = engine.plan().await.unwrap();
        engine.apply(&prepared).await.unwrap()
    }

    async fn destroy(&self, toys: Option<&str>) -> (Outcome, Receipt) {
        let engine = self.engine(toys).await;
        let prepared = engine.plan_destroy().await.unwrap();
        engine.destroy(&prepared).await.unwrap()
    }

    fn names(&self) -> Vec<String> {
        let shelf = self.toys.shelf();
        let mut names: Vec<_> = shelf
            .items
            .values()
            .map(|item| item.tags.owner().unwrap().address.name)
            .collect();
        names.sort();
        names
    }
}

const TOWER: &str = "toys:
  base: { color: red, shape: cube }
  middle: { color: \"{{ toys.base.color }}\", on: base }
  top: { on: middle }
  alone: { color: blue }
";

#[tokio::test]
async fn applied_twice_changes_nothing_the_second_time() {
    let room = Playroom::new();
    assert_eq!(
        room.planned(TOWER).await,
        ["create alone", "create base", "create middle", "create top"]
    );
    let outcome = room.apply(TOWER).await;
    assert!(outcome.failed.is_empty(), "{:?}", outcome.failed);
    assert_eq!(room.planned(TOWER).await, [""; 0]);
    let before = room.toys.shelf().log.len();
    room.apply(TOWER).await;
    assert_eq!(room.toys.shelf().log.len(), before, "nothing was touched");
}

#[tokio::test]
async fn whatever_fails_the_next_run_finishes_without_a_duplicate() {
    for name in ["base", "middle", "top", "alone"] {
        for lost in [false, true] {
            let room = Playroom::new();
            {
                let mut shelf = room.toys.shelf();
                let failing = if lost {
                    &mut shelf.lose
                } else {
                    &mut shelf.refuse
                };
                failing.insert(name.to_owned());
            }
            let outcome = room.apply(TOWER).await;
            assert_eq!(outcome.failed.len(), 1, "{name}");
            assert_eq!(
                outcome.failed[0].address(),
                Some(&Address::new("toys", name))
            );
            assert_eq!(outcome.unfinished, [Address::new("toys", name)]);
            let skipped: Vec<_> = outcome
                .skipped
                .iter()
                .map(|(it, _)| it.name.as_str())
                .collect();
            let expected: &[&str] = match name {
                "base" => &["middle", "top"],
                "middle" => &["top"],
                _ => &[],
            };
            assert_eq!(skipped, expected);
            {
                let mut shelf = room.toys.shelf();
                shelf.lose.clear();
                shelf.refuse.clear();
            }
            let outcome = room.apply(TOWER).await;
            assert!(outcome.failed.is_empty());
            assert_eq!(
                room.names(),
                ["alone", "base", "middle", "top"],
                "{name} lost: {lost}"
            );
        }
    }
}

#[tokio::test]
async fn a_series_goes_batch_by_batch_and_no_further_after_a_failure() {
    let series = "toys:
  web: { for_each: [a, b, c, d], serial: 50%, color: red }
  alone: { color: blue }
";
    let room = Playroom::new();
    room.toys.shelf().refuse.insert("web[a]".to_owned());
    let outcome = room.apply(series).await;
    assert_eq!(room.names(), ["alone", "web[b]"]);
    let skipped: Vec<_> = outcome.skipped.iter().map(|(it, _)| &it.name).collect();
    assert_eq!(skipped, ["web[c]", "web[d]"]);
    room.toys.shelf().refuse.clear();
    room.apply(series).await;
    assert_eq!(room.names().len(), 5);
    assert_eq!(room.planned(series).await, [""; 0]);

    let knot = "toys:
  web:
    for_each: [a, b]
    serial: 1
    color: red
    depends_on: \"{{ ['toys.first'] if each.key == 'a' else [] }}\"
  first: { color: red, depends_on: 'toys.web[b]' }
";
    let errors = room.plan(knot).await.err().unwrap();
    let said = errors.0[0].message();
    assert_eq!(said, "`serial` contradicts what these resources need");
}

#[tokio::test]
async fn a_change_travels_along_the_references() {
    let room = Playroom::new();
    room.apply(TOWER).await;
    let green = TOWER.replace("color: red", "color: green");
    assert_eq!(room.planned(&green).await, ["update base", "update middle"]);
    let blocky = TOWER.replace("shape: cube", "shape: block");
    assert_eq!(
        room.planned(&blocky).await,
        ["replace base", "update middle"]
    );
    let outcome = room.apply(&blocky).await;
    assert!(outcome.failed.is_empty(), "{:?}", outcome.failed);
    assert_eq!(room.planned(&blocky).await, [""; 0]);
    assert_eq!(room.names(), ["alone", "base", "middle", "top"]);
}

#[tokio::test]
async fn nothing_is_deleted_for_a_new_one_that_cannot_be_made() {
    let room = Playroom::new();
    room.apply(TOWER).await;
    room.toys.shelf().sold_out.insert("base".to_owned());
    let blocky = TOWER.replace("shape: cube", "shape: block");
    let outcome = room.apply(&blocky).await;
    assert_eq!(outcome.failed[0].message(), "sold out");
    assert!(outcome.unfinished.is_empty(), "nothing was begun");
    assert_eq!(room.names(), ["alone", "base", "middle", "top"]);
    room.toys.shelf().sold_out.clear();
    let outcome = room.apply(&blocky).await;
    assert!(outcome.failed.is_empty(), "{:?}", outcome.failed);
}

#[tokio::test]
async fn orphans_go_last_and_protected_ones_stay() {
    let room = Playroom::new();
    let with_safe = format!("{TOWER}  safe: {{ protect: true }}\n");
    room.apply(&with_safe).await;
    let smaller = "toys:\n  base: { color: red, shape: cube }\n  new: {}\n";
    assert_eq!(
        room.planned(smaller).await,
        [
            "create new",
            "delete alone",
            "delete middle",
            "keep safe",
            "delete top"
        ]
    );
    let outcome = room.apply(smaller).await;
    assert!(outcome.failed.is_empty(), "{:?}", outcome.failed);
    assert_eq!(room.names(), ["base", "new", "safe"]);
    let log = room.toys.shelf().log.clone();
    let place = |what: &str| log.iter().rposition(|entry| entry == what).unwrap();
    assert!(place("apply new") < place("delete alone"), "{log:?}");
}

#[tokio::test]
async fn a_protected_resource_is_not_replaced() {
    let room = Playroom::new();
    let safe = "toys:\n  safe: { shape: cube, protect: true }\n";
    room.apply(safe).await;
    let refused = room
        .plan(&safe.replace("cube", "ball"))
        .await
        .map(|_| ())
        .unwrap_err();
    assert_eq!(refused.0[0].kind(), ErrorKind::Kept);
    assert_eq!(
        refused.0[0].message(),
        "`toys.safe` is protected and would have to be replaced"
    );
}

#[tokio::test]
async fn destroy_needs_no_playbook_and_leaves_nothing() {
    let room = Playroom::new();
    room.apply(TOWER).await;
    let (outcome, receipt) = room.destroy(None).await;
    assert!(outcome.failed.is_empty());
    assert!(receipt.is_proven(), "{receipt:?}");
    assert_eq!(receipt.lines.len(), 4);
    assert_eq!(room.names(), [""; 0]);
    let (_, again) = room.destroy(None).await;
    assert!(again.is_proven());
}

#[tokio::test]
async fn another_stacks_toys_are_never_touched() {
    let room = Playroom::new();
    room.toys
        .shelf()
        .items
        .insert("toy-x".to_owned(), foreign("other", "base"));
    room.apply(TOWER).await;
    room.destroy(Some(TOWER)).await;
    let shelf = room.toys.shelf();
    assert_eq!(shelf.items.len(), 1);
    assert_eq!(shelf.items["toy-x"].toy.color, "grey");
}

#[tokio::test]
async fn a_dark_shelf_is_unknown_never_empty() {
    let room = Playroom::new();
    room.apply(TOWER).await;
    room.toys.shelf().listings = Some(0);
    let plan = room.plan(TOWER).await.map(|_| ()).unwrap_err();
    assert_eq!(plan.0[0].kind(), ErrorKind::Unknown);
    let refused = room
        .engine(None)
        .await
        .plan_destroy()
        .await
        .map(|_| ())
        .unwrap_err();
    assert_eq!(refused.0[0].kind(), ErrorKind::Unknown);
    assert_eq!(room.names().len(), 4, "nothing was deleted");

    room.toys.shelf().listings = Some(1);
    let (_, receipt) = room.destroy(None).await;
    assert!(!receipt.is_proven());
    assert!(
        matches!(receipt.listings[0].verdict, Verdict::Unknown(_)),
        "{receipt:?}"
    );
}

#[tokio::test]
async fn what_is_stuck_is_present_in_the_receipt() {
    let room = Playroom::new();
    room.apply(TOWER).await;
    room.toys.shelf().stuck.insert("base".to_owned());
    let (outcome, receipt) = room.destroy(None).await;
    assert_eq!(outcome.failed.len(), 1);
    let stuck: Vec<_> = receipt
        .lines
        .iter()
        .filter(|line| line.verdict != Verdict::Absent)
        .collect();
    assert_eq!(stuck.len(), 1);
    assert_eq!(stuck[0].verdict, Verdict::Present("stuck".to_owned()));
}

/// A listing lags behind what was made a moment ago: the journal knows of it.
#[tokio::test]
async fn what_shows_only_when_the_rest_is_gone_goes_too() {
    let room = Playroom::new();
    room.apply(TOWER).await;
    room.toys.shelf().late = Some(("base".to_owned(), 1));
    let (outcome, receipt) = room.destroy(None).await;
    assert!(outcome.failed.is_empty());
    assert_eq!(room.names(), [""; 0]);
    assert!(receipt.is_proven(), "{receipt:?}");
    assert_eq!(receipt.lines.len(), 4);
}

/// "Deleted" is what a service says first; it is believed when the thing is seen no more.
#[tokio::test]
async fn what_lingers_after_its_deletion_is_asked_for_until_it_is_gone() {
    let room = Playroom::new();
    room.apply(TOWER).await;
    room.toys.shelf().lingering = Some(("base".to_owned(), 2));
    let (outcome, receipt) = room.destroy(None).await;
    assert!(outcome.failed.is_empty());
    assert_eq!(room.names(), [""; 0], "the receipt waited for it");
    assert!(receipt.is_proven(), "{receipt:?}");
}

#[tokio::test]
async fn what_a_kept_toy_stands_on_is_kept_with_it() {
    let room = Playroom::new();
    let kept = TOWER.replace("middle: {", "middle: { keep: true,");
    room.apply(&kept).await;
    let (_, receipt) = room.destroy(Some(&kept)).await;
    assert_eq!(room.names(), ["base", "middle"]);
    let verdict = |name: &str| {
        let lines = receipt.lines.iter();
        let mut lines = lines.filter(|it| it.address == Some(Address::new("toys", name)));
        lines.next().unwrap().verdict.clone()
    };
    assert_eq!(verdict("middle"), Verdict::Kept("keep: true".to_owned()));
    assert_eq!(
        verdict("base"),
        Verdict::Kept("needed by toys.middle".to_owned())
    );
}

#[tokio::test]
async fn an_existing_toy_is_looked_up_and_a_missing_one_is_an_error_at_its_place() {
    let room = Playroom::new();
    room.toys
        .shelf()
        .items
        .insert("shared".to_owned(), foreign("other", "base"));
    assert_eq!(
        room.planned("toys:\n  a: { on: shared }\n").await,
        ["create a", "read shared"]
    );
    let missing = room
        .plan("toys:\n  a: { on: shraed }\n")
        .await
        .map(|_| ())
        .unwrap_err();
    let error = &missing.0[0];
    assert_eq!(
        error.message(),
        "`shraed` is neither declared under `toys` nor in the account"
    );
    assert_eq!(
        error.location().map(|at| (at.line, at.column)),
        Some((4, 12))
    );
}

#[tokio::test]
async fn a_plan_looks_at_things_where_they_are_now() {
    let room = Playroom::new();
    let labelled = "toys:\n  car: { color: red }\nstickers:\n  car: { toy: car, text: \"{{ toys.car.color }}\" }\n";
    let outcome = room.apply(labelled).await;
    assert!(outcome.failed.is_empty(), "{:?}", outcome.failed);
    room.stickers.0.lock().unwrap().clear();
    let blue = labelled.replace("red", "blue");
    assert_eq!(room.planned(&blue).await, ["update car", "update car"]);
    assert_eq!(
        *room.stickers.0.lock().unwrap(),
        ["red"],
        "it is not blue yet"
    );
    let prepared = room.plan(&blue).await.unwrap();
    let sticker = prepared
        .plan
        .steps
        .iter()
        .find(|step| step.address.kind == "stickers");
    let change = &sticker.unwrap().diff.changes[0];
    assert_eq!(change.new, tidewalk::base::Shown::AfterApply);
}
