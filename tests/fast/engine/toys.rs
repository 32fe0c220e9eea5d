//! A kind with nothing behind it but a map: what the engine is tested with.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use schemars::{JsonSchema, Schema};
use serde::Deserialize;
use tidewalk::base::deserialize::from_node;
use tidewalk::base::{
    Address, Cost, Diff, Error, Errors, Node, OutputMeaning, Outputs, Result, Shown,
};
use tidewalk::contract::{
    Beside, Context, Found, Iam, Kind, Patience, Presence, Quota, Scope, Stage, Tags, Target,
    Wanted,
};

/// One toy as the playbook wants it.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq)]
#[serde(deny_unknown_fields)]
pub(crate) struct Toy {
    /// Can be changed.
    #[serde(default)]
    pub(crate) color: String,
    /// Cannot be changed.
    #[serde(default)]
    pub(crate) shape: String,
    /// Another toy that it stands on.
    #[schemars(extend("x-kind" = "toys"))]
    pub(crate) on: Option<String>,
}

/// A toy that exists.
#[derive(Clone, Debug)]
pub(crate) struct Item {
    pub(crate) toy: Toy,
    pub(crate) tags: Tags,
}

/// The account that toys live in.
#[derive(Default)]
pub(crate) struct Shelf {
    pub(crate) items: BTreeMap<String, Item>,
    pub(crate) made: usize,
    /// Toys whose apply fails before anything is made.
    pub(crate) refuse: BTreeSet<String>,
    /// Toys whose apply makes the toy, and fails then.
    pub(crate) lose: BTreeSet<String>,
    /// Toys of which no new one can be made.
    pub(crate) sold_out: BTreeSet<String>,
    /// Toys that do not go away.
    pub(crate) stuck: BTreeSet<String>,
    /// A toy that is seen so many times more after its deletion was answered.
    pub(crate) lingering: Option<(String, usize)>,
    /// A toy that so many more listings do not show yet.
    pub(crate) late: Option<(String, usize)>,
    /// How many more listings work.
    pub(crate) listings: Option<usize>,
    /// In which order things happened.
    pub(crate) log: Vec<String>,
}

impl Shelf {
    /// What a listing does not show: it lags behind.
    fn hidden(&mut self) -> Option<String> {
        let (name, listings) = self.late.as_mut()?;
        *listings = listings.checked_sub(1)?;
        Some(name.clone())
    }

    /// One more look at what lingers after its deletion.
    fn linger(&mut self) {
        let Some((name, looks)) = self.lingering.clone() else {
            return;
        };
        let delete = format!("delete {name}");
        if !self.log.contains(&delete) {
            return;
        }
        self.lingering = Some((name.clone(), looks.saturating_sub(1)));
        if looks == 0 {
            let is_it = |item: &Item| item.tags.owner().is_some_and(|it| it.address.name == name);
            self.items.retain(|_, item| !is_it(item));
        }
    }
}

#[derive(Clone, Default)]
pub(crate) struct Toys(pub(crate) Arc<Mutex<Shelf>>);

impl Toys {
    pub(crate) fn shelf(&self) -> std::sync::MutexGuard<'_, Shelf> {
        self.0.lock().unwrap()
    }
}

fn found(id: &str, item: &Item) -> Found {
    Found {
        id: id.to_owned(),
        name: None,
        tags: item.tags.clone(),
        outputs: Outputs::default()
            .with("id", id)
            .with("color", item.toy.color.as_str()),
        parts: Vec::new(),
        live: Arc::new(item.clone()),
    }
}

#[async_trait]
impl Kind for Toys {
    fn name(&self) -> &'static str {
        "toys"
    }

    fn schema(&self) -> Schema {
        schemars::schema_for!(Toy)
    }

    fn iam(&self) -> Iam {
        Iam::default()
    }

    fn outputs(&self) -> &'static [OutputMeaning] {
        &[("id", "Its id"), ("color", "Its color")]
    }

    fn delete_rank(&self) -> u8 {
        1
    }

    fn check(&self, node: &Node) -> Result<(), Errors> {
        if node.has_unknown() {
            return Ok(());
        }
        from_node::<Toy>(node).map(|_| ()).map_err(Errors::from)
    }

    /// A gold one costs 100, a shining one nobody knows, any other 10.
    fn cost(&self, node: &Node, _: &str, _: &Beside<'_>) -> Cost {
        price(
            node.entry("color")
                .and_then(Node::as_text)
                .unwrap_or_default(),
        )
    }

    fn cost_now(&self, live: &Found, _: &str, _: &BTreeMap<Address, Found>) -> Option<Cost> {
        Some(price(&live.live.downcast_ref::<Item>()?.toy.color))
    }

    fn uses(&self, _: Option<&Node>) -> Vec<(Quota, u64)> {
        let quota = Quota {
            noun: "toys",
            name: Some("Toys per shelf"),
            scope: Scope::Region,
            most: 4,
            most_in: &[],
        };
        vec![(quota, 1)]
    }

    async fn discover(&self, cx: &Context, wanted: &Wanted) -> Result<Vec<Found>> {
        let mut shelf = self.shelf();
        if let Some(left) = &mut shelf.listings {
            if *left == 0 {
                return Err(Error::failed("the shelf is dark"));
            }
            *left -= 1;
        }
        shelf.linger();
        let hidden = shelf.hidden();
        let ours = |item: &Item| {
            let name = item.tags.owner().map(|owner| owner.address.name);
            item.tags.value("tidewalk:stack") == Some(&cx.stack) && name != hidden
        };
        let items = shelf.items.iter();
        let listed = items.filter(|(id, item)| ours(item) || wanted.external.contains(id));
        Ok(listed.map(|(id, item)| found(id, item)).collect())
    }

    fn diff(&self, target: Target<'_>, live: Option<&Found>) -> Result<Diff> {
        let Some(live) = live else {
            return Ok(Diff::default().field("toy", Shown::Absent, Shown::of("new")));
        };
        let item = live.live.downcast_ref::<Item>().unwrap();
        let diff = Diff::default();
        if target.node.has_unknown() {
            return Ok(diff.field("color", Shown::of(&item.toy.color), Shown::AfterApply));
        }
        let toy = from_node::<Toy>(target.node)?;
        let diff = diff
            .field("color", Shown::of(&item.toy.color), Shown::of(&toy.color))
            .fixed("shape", Shown::of(&item.toy.shape), Shown::of(&toy.shape));
        let settled = item.toy.color == toy.color;
        Ok(if settled {
            diff
        } else {
            diff.unsettles("color")
        })
    }

    async fn apply(&self, _: &Context, target: Target<'_>, live: Option<&Found>) -> Result<Found> {
        tokio::task::yield_now().await;
        let toy = from_node::<Toy>(target.node)?;
        let name = target.address.name.clone();
        let mut shelf = self.shelf();
        shelf.log.push(format!("apply {name}"));
        if shelf.refuse.contains(&name) {
            return Err(Error::failed("refused"));
        }
        let id = live.map_or_else(
            || {
                shelf.made += 1;
                format!("toy-{}", shelf.made)
            },
            |live| live.id.clone(),
        );
        let item = Item {
            toy,
            tags: target.tags.clone(),
        };
        shelf.items.insert(id.clone(), item.clone());
        if shelf.lose.contains(&name) {
            return Err(Error::failed("the answer was lost"));
        }
        Ok(found(&id, &item))
    }

    async fn ready(&self, _: &Context, target: Target<'_>) -> Result<()> {
        let sold_out = self.shelf().sold_out.contains(&target.address.name);
        if sold_out {
            return Err(Error::failed("sold out"));
        }
        Ok(())
    }

    async fn delete(&self, _: &Context, live: &Found) -> Result<()> {
        tokio::task::yield_now().await;
        let mut shelf = self.shelf();
        let name = live
            .tags
            .owner()
            .map(|owner| owner.address.name)
            .unwrap_or_default();
        shelf.log.push(format!("delete {name}"));
        if shelf.stuck.contains(&name) {
            return Err(Error::failed("it is stuck"));
        }
        if shelf.lingering.as_ref().is_some_and(|(it, _)| *it == name) {
            return Ok(());
        }
        shelf.items.remove(&live.id);
        Ok(())
    }

    async fn presence(&self, _: &Context, ids: &[String]) -> Vec<Presence> {
        let mut shelf = self.shelf();
        shelf.linger();
        let there = |id: &String| shelf.items.contains_key(id);
        ids.iter()
            .map(|id| {
                if there(id) {
                    Presence::Present("stuck".to_owned())
                } else {
                    Presence::Absent
                }
            })
            .collect()
    }
}

fn price(color: &str) -> Cost {
    match color {
        "gold" => Cost::of_item("toys/gold", 100.0, "2026-09"),
        "shining" => Cost::unknown("toys/shining"),
        _ => Cost::of_item("toys/any", 10.0, "2026-09"),
    }
}

/// A toy that another stack owns.
pub(crate) fn foreign(stack: &str, name: &str) -> Item {
    let tags = [
        ("tidewalk:stack", stack.to_owned()),
        ("tidewalk:address", Address::new("toys", name).to_string()),
    ];
    let toy = Toy {
        color: "grey".to_owned(),
        shape: String::new(),
        on: None,
    };
    Item {
        toy,
        tags: Tags(tags.map(|(key, value)| (key.to_owned(), value)).into()),
    }
}

/// A sticker upon a toy: it is looked at where it is.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "only its schema is used")]
struct Sticker {
    /// The toy.
    #[schemars(extend("x-kind" = "toys"))]
    toy: String,
    /// What it says.
    text: Option<String>,
}

/// The kind of stickers; keeps the color that each look saw its toy have.
#[derive(Clone, Default)]
pub(crate) struct Stickers(pub(crate) Arc<Mutex<Vec<String>>>);

#[async_trait]
impl Kind for Stickers {
    fn name(&self) -> &'static str {
        "stickers"
    }

    fn stage(&self) -> Stage {
        Stage::Upon
    }

    fn schema(&self) -> Schema {
        schemars::schema_for!(Sticker)
    }

    fn outputs(&self) -> &'static [OutputMeaning] {
        &[]
    }

    fn iam(&self) -> Iam {
        Iam::default()
    }

    fn delete_rank(&self) -> u8 {
        0
    }

    fn check(&self, _: &Node) -> Result<(), Errors> {
        Ok(())
    }

    async fn discover(&self, _: &Context, _: &Wanted) -> Result<Vec<Found>> {
        Ok(Vec::new())
    }

    async fn observe(&self, _: &Context, target: Target<'_>, _: Patience) -> Result<Option<Found>> {
        let name = target
            .node
            .entry("toy")
            .and_then(Node::as_text)
            .unwrap_or_default();
        let color = target.world.output(&Address::new("toys", name), "color");
        let Some(color) = color.and_then(|color| color.as_str()) else {
            return Ok(None);
        };
        self.0.lock().unwrap().push(color.to_owned());
        Ok(Some(Found {
            id: name.to_owned(),
            name: None,
            tags: Tags::default(),
            outputs: Outputs::default(),
            parts: Vec::new(),
            live: Arc::new(()),
        }))
    }

    fn diff(&self, target: Target<'_>, live: Option<&Found>) -> Result<Diff> {
        let text = target.node.entry("text");
        let unknown = text.is_some_and(Node::has_unknown);
        let new = if unknown {
            Shown::AfterApply
        } else {
            Shown::Absent
        };
        Ok(match live {
            Some(_) => Diff::default().field("text", Shown::Absent, new),
            None => Diff::default().field("sticker", Shown::Absent, Shown::of("new")),
        })
    }

    async fn apply(&self, cx: &Context, target: Target<'_>, _: Option<&Found>) -> Result<Found> {
        let seen = self.observe(cx, target, Patience::JustStarted).await?;
        seen.ok_or_else(|| Error::failed("there is nothing to stick it on"))
    }

    async fn delete(&self, _: &Context, _: &Found) -> Result<()> {
        Ok(())
    }

    async fn presence(&self, _: &Context, ids: &[String]) -> Vec<Presence> {
        vec![Presence::Absent; ids.len()]
    }
}
