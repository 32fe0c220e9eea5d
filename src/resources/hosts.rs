//! `hosts`: the configuration of a Linux host, over SSH or AWS's Run Command.

mod bootstrap;
pub mod bundle;
mod converge;
mod healthy;
pub mod here;
pub mod identity;
mod live;
pub mod open;
pub mod parameters;
pub mod reach;
pub mod reboot;
mod remains;
mod run_command;
mod sealed;
mod spec;
mod unmanaged;
pub mod way;

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use futures::future::join_all;
use schemars::Schema;

use crate::aws::Tags;
use crate::base::{Diff, Errors, Node, OutputMeaning, Outputs, Result, Shown};
use crate::contract::{self, Context, Found, Iam, Kind, Presence, Stage, Target, Wanted};
use crate::operations::declared::{self, Declared};
use crate::operations::round::{self, Seen};
use crate::ssh::session::Patience;
use crate::ssh::{Pins, Transport};

use self::converge::Converging;
use self::live::HostLive;
use self::reach::Reach;
use self::spec::{Host, spec};
use self::way::{Again, Way};

/// A host that does not answer a plan for so long is an error.
const PLAN_PATIENCE: Duration = Duration::from_secs(15);
/// A host that is starting answers an apply within this, when the playbook does not say.
const BOOT_PATIENCE: Duration = Duration::from_mins(5);

/// The registry's entry.
pub struct Hosts;

impl Hosts {
    /// As one entry of the registry.
    #[must_use]
    pub fn kind() -> Arc<dyn Kind> {
        Arc::new(Self)
    }
}

fn operations(node: &Node) -> Result<Vec<Declared>> {
    declared::read(node.entry("operations")).map_err(|errors| {
        let mut errors = errors.0.into_iter();
        let first = errors.next();
        first.unwrap_or_else(|| crate::base::Error::playbook("wrong operations", &node.at))
    })
}

fn found(
    (id, address): (&str, &str),
    seen: (Arc<dyn Transport>, Way, Seen),
    planted: bool,
) -> Found {
    Found {
        id: id.to_owned(),
        name: None,
        tags: Tags::default(),
        outputs: Outputs::default()
            .with("id", id)
            .with("address", address)
            .with("os", seen.2.os.as_str())
            .with("user_data", serde_json::Value::Null),
        parts: Vec::new(),
        live: Arc::new(HostLive {
            seen: Some(seen),
            planted,
            at: Instant::now(),
        }),
    }
}

fn is_planted(pins: Option<&Pins>) -> bool {
    pins.is_some_and(Pins::is_planted)
}

async fn connect(
    cx: &Context,
    target: Target<'_>,
    way: &Way,
    patience: Patience,
) -> Result<Arc<dyn Transport>> {
    let doing = |what: &str| cx.progress.doing(target.address, what);
    way.open(cx, patience, &doing)
        .await
        .map_err(|error| error.of(target.address).at(target.at))
}

#[async_trait]
impl Kind for Hosts {
    fn name(&self) -> &'static str {
        "hosts"
    }

    fn stage(&self) -> Stage {
        Stage::Upon
    }

    fn schema(&self) -> Schema {
        schemars::generate::SchemaSettings::draft2020_12()
            .with(|settings| settings.inline_subschemas = true)
            .into_generator()
            .into_root_schema_for::<Host>()
    }

    fn iam(&self) -> Iam {
        Iam {
            discover: &[
                "s3:ListBucket",
                "ssm:DescribeInstanceInformation",
                "ssm:GetCommandInvocation",
                "ssm:SendCommand",
            ],
            apply: &["ec2:CreateTags", "s3:PutObject", "ssm:GetParameters"],
            delete: &["s3:DeleteObject"],
        }
    }

    fn outputs(&self) -> &'static [OutputMeaning] {
        &[
            (
                "id",
                "Id of the instance; the address of a host outside AWS",
            ),
            ("address", "Where it is reached"),
            ("os", "Distribution and release, such as `debian 12`"),
            (
                "user_data",
                "With `bootstrap: user_data`: what an instance or a launch template is given",
            ),
        ]
    }

    fn delete_rank(&self) -> u8 {
        0
    }

    fn check(&self, node: &Node) -> Result<(), Errors> {
        let mut errors = Errors::default();
        if let Some(Some(spec)) = errors.keep(spec(node)) {
            errors.0.extend(reach::check(&spec, node));
        }
        match declared::read(node.entry("operations")) {
            Ok(declared) => errors.0.extend(declared::check(&declared).0),
            Err(more) => errors.0.extend(more.0),
        }
        errors.into_result(())
    }

    async fn discover(&self, _cx: &Context, _wanted: &Wanted) -> Result<Vec<Found>> {
        Ok(Vec::new())
    }

    async fn observe(
        &self,
        cx: &Context,
        target: Target<'_>,
        patience: contract::Patience,
    ) -> Result<Option<Found>> {
        let Some(spec) = spec(target.node)? else {
            return Ok(None);
        };
        if spec.bootstrap.is_some() {
            let declared = operations(target.node)?;
            return bootstrap::observe(cx, &spec, target, &declared).await;
        }
        let (way, address, pins, id) = match reach::reach(&cx.folder, &spec, target)? {
            Reach::NotYet => return Ok(None),
            Reach::NotRunning { id, state } => {
                return Ok(Some(Found {
                    outputs: Outputs::default()
                        .with("id", id.as_str())
                        .with("address", serde_json::Value::Null)
                        .with("os", serde_json::Value::Null)
                        .with("user_data", serde_json::Value::Null)
                        .with("state", state),
                    id,
                    name: None,
                    tags: Tags::default(),
                    parts: Vec::new(),
                    live: Arc::new(HostLive {
                        seen: None,
                        planted: false,
                        at: Instant::now(),
                    }),
                }));
            }
            Reach::At {
                way,
                address,
                pins,
                id,
            } => (way, address, pins, id),
        };
        let planted = is_planted(pins.as_ref());
        let standing = patience == contract::Patience::Standing;
        let patience = match patience {
            contract::Patience::Standing if planted => Patience {
                booting: Duration::ZERO,
                first_start: false,
            },
            contract::Patience::Standing => Patience {
                booting: PLAN_PATIENCE,
                first_start: false,
            },
            contract::Patience::JustStarted => Patience {
                booting: BOOT_PATIENCE,
                first_start: planted,
            },
        };
        let session = match connect(cx, target, &way, patience).await {
            // Still at its first start: an apply waits for it, and nothing of ours is there yet.
            Err(error) if planted && standing && way::is_not_up(&error) => return Ok(None),
            connected => connected?,
        };
        open::remember(cx, &target.address.name, &session, spec.sudo);
        let declared = operations(target.node)?;
        let seen = round::look(&*session, spec.sudo, target, &declared)
            .await
            .map_err(|error| error.of(target.address).at(target.at))?;
        Ok(Some(found((&id, &address), (session, way, seen), planted)))
    }

    fn diff(&self, target: Target<'_>, live: Option<&Found>) -> Result<Diff> {
        let declared = operations(target.node)?;
        let spec = spec(target.node)?;
        if spec.as_ref().is_some_and(|it| it.bootstrap.is_some()) {
            return bootstrap::diff(target, &declared, live);
        }
        let live = live.and_then(|found| found.live.downcast_ref::<HostLive>());
        let seen = match live {
            Some(HostLive { seen: None, .. }) => return Ok(Diff::default()),
            Some(HostLive { seen, .. }) => seen.as_ref().map(|(_, _, seen)| seen),
            None => None,
        };
        let works = round::plan(target, &declared, seen)?;
        let mut diff = round::diff(&works, seen);
        let check = spec.as_ref().and_then(|spec| spec.healthy.as_ref());
        diff.changes.extend(healthy::diff(check, seen).changes);
        if live.is_some_and(|live| live.planted) {
            let key = Diff::default().field(
                "host_key",
                Shown::of("the throw-away key of the first start"),
                Shown::of("the host's own, made there"),
            );
            diff.changes.splice(0..0, key.changes);
        }
        Ok(diff)
    }

    async fn apply(&self, cx: &Context, target: Target<'_>, live: Option<&Found>) -> Result<Found> {
        let placed = |error: crate::base::Error| error.of(target.address).at(target.at);
        let not_yet = || {
            crate::base::Error::failed(format!("{} cannot be reached yet", target.address))
                .note("its instance does not exist, is not running, or has no address")
                .at(target.at)
        };
        let spec = spec(target.node)?.ok_or_else(not_yet)?;
        if spec.bootstrap.is_some() {
            let declared = operations(target.node)?;
            return bootstrap::apply(cx, &spec, target, &declared).await;
        }
        let Reach::At {
            way,
            address,
            pins,
            id,
        } = reach::reach(&cx.folder, &spec, target)?
        else {
            return match live {
                Some(live) => Ok(live.clone()),
                None => Err(not_yet()),
            };
        };
        let live = live.and_then(|found| found.live.downcast_ref::<HostLive>());
        let known = live.and_then(|live| live.seen.as_ref());
        let known = known.filter(|(_, known, _)| *known == way);
        let mut known = known.map(|(session, ..)| Arc::clone(session));
        if let Some(session) = &known
            && !session.is_alive().await
        {
            known = None;
        }
        let same = known.is_some();
        let within = spec.answers_within.map_or(BOOT_PATIENCE, |within| within.0);
        let session = if let Some(session) = known {
            session
        } else {
            let patience = Patience {
                booting: within,
                first_start: is_planted(pins.as_ref()),
            };
            connect(cx, target, &way, patience).await?
        };
        open::remember(cx, &target.address.name, &session, spec.sudo);
        let doing = |what: &str| cx.progress.doing(target.address, what);
        let mut again = way.clone();
        if let Some(pins) = pins.filter(Pins::is_planted) {
            doing("the host makes its own key");
            let own = identity::settle(cx, &*session, spec.sudo, &pins, &id);
            again.accept(own.await.map_err(placed)?);
        }
        let declared = operations(target.node)?;
        let seen = live.filter(|_| same).and_then(|live| live.fresh(&declared));
        let check = spec.healthy.as_ref();
        healthy::begin(check, &*session, spec.sudo)
            .await
            .map_err(placed)?;
        let converging = Converging {
            cx,
            target,
            declared: &declared,
            again: &Again { cx, way: &again },
            sudo: spec.sudo,
            within,
        };
        let converged = converging.run(session, seen).await;
        let (session, seen) = converged.map_err(placed)?;
        healthy::prove(check, cx, target, &*session, spec.sudo)
            .await
            .map_err(placed)?;
        Ok(found((&id, &address), (session, way, seen), false))
    }

    async fn remains(&self, cx: &Context, target: Target<'_>) -> Result<Option<Found>> {
        remains::look(cx, target).await
    }

    async fn delete(&self, cx: &Context, live: &Found) -> Result<()> {
        if bootstrap::take_away(cx, live).await? {
            return Ok(());
        }
        remains::take_away(cx, live).await
    }

    async fn presence(&self, cx: &Context, ids: &[String]) -> Vec<Presence> {
        join_all(ids.iter().map(|id| async move {
            match bootstrap::presence(cx, id).await {
                Some(presence) => presence,
                None => remains::presence(cx, id).await,
            }
        }))
        .await
    }
}
