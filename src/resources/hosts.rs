//! `hosts`: the configuration of a Linux host, over SSH.

mod healthy;
pub mod identity;
pub mod open;
pub mod reach;
mod remains;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures::future::join_all;
use schemars::{JsonSchema, Schema};
use serde::Deserialize;

use crate::aws::Tags;
use crate::base::deserialize::from_node;
use crate::base::node::Value;
use crate::base::{Diff, Errors, Node, OutputMeaning, Outputs, Result, Shown};
use crate::contract::{self, Context, Found, Iam, Kind, Presence, Stage, Target, Wanted};
use crate::operations::change::{self, Place};
use crate::operations::declared::{self, Declared};
use crate::operations::registry::{AnyOperation, AnySetup};
use crate::operations::round::{self, Seen};
use crate::ssh::Session;
use crate::ssh::session::Patience;
use crate::ssh::trouble;

use self::reach::Reach;
use super::checks::Check;
use super::within::Within;

/// A host that does not answer a plan for so long is an error.
const PLAN_PATIENCE: Duration = Duration::from_secs(15);
/// A host that is starting answers an apply within this, when the playbook does not say.
const BOOT_PATIENCE: Duration = Duration::from_mins(5);
/// Operations may change what earlier ones looked at (a package brings a file): one more time.
const PASSES: usize = 2;

/// A Linux host and what is to be on it. Give `instance`, or `address` and `host_key`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_field_names, reason = "the playbook's words")]
pub struct Host {
    /// The instance that it is.
    #[schemars(extend("x-kind" = "instances"))]
    pub(crate) instance: Option<String>,
    /// IP address or host name, for a host outside AWS.
    pub(crate) address: Option<String>,
    /// Login name; what your ssh configuration says when not given.
    pub(crate) user: Option<String>,
    /// SSH port; 22 or what your ssh configuration says when not given.
    pub(crate) port: Option<u16>,
    /// Path of the private key; your ssh agent and configuration when not given.
    pub(crate) identity: Option<String>,
    /// Host to go through: `user@host:port`; several with commas.
    pub(crate) jump: Option<String>,
    /// Public host key of the (last) jump host, `ssh-ed25519 AAAA…`; what your `known_hosts` has when
    /// not given.
    pub(crate) jump_host_key: Option<String>,
    /// Public host key, `ssh-ed25519 AAAA…`, of a host outside AWS.
    pub(crate) host_key: Option<String>,
    /// How long an apply waits for a host that is starting until it answers; `5m` when not given.
    pub(crate) answers_within: Option<Within>,
    /// Look that must succeed after a change, before the host is done: with `serial`, before the next one
    /// is begun.
    pub(crate) healthy: Option<Check>,
    /// Become root by `sudo` where the login is not root.
    #[serde(default = "yes")]
    pub(crate) sudo: bool,
    /// Reusable lists of operations, before its own ones: names, or a name with values for the setup's
    /// variables (`- redis: { port: 6380 }`). A setup is the file `setups/NAME.yml` beside the playbook,
    /// or a bundled one.
    #[serde(default)]
    #[schemars(with = "Vec<AnySetup>", extend("x-setups" = true))]
    #[expect(dead_code, reason = "their operations are read in place of them")]
    setups: Option<serde::de::IgnoredAny>,
    /// What is to be on it, in this order.
    #[serde(default)]
    #[schemars(with = "Vec<AnyOperation>")]
    #[expect(dead_code, reason = "read one by one, with their places")]
    operations: Option<serde::de::IgnoredAny>,
}

fn yes() -> bool {
    true
}

/// The registry's entry.
pub struct Hosts;

impl Hosts {
    /// As one entry of the registry.
    #[must_use]
    pub fn kind() -> Arc<dyn Kind> {
        Arc::new(Self)
    }
}

/// A host as it was observed.
pub struct HostLive {
    /// The open connection and what was seen; `None` when the instance is not running.
    seen: Option<(Arc<Session>, Seen)>,
    /// It still has the throw-away host key.
    planted: bool,
}

/// The spec without its operations; `None` while some part is known only after apply.
fn spec(node: &Node) -> Result<Option<Host>> {
    let mut rest = node.clone();
    if let Value::Map(map) = &mut rest.value {
        map.shift_remove("operations");
    }
    if rest.has_unknown() {
        return Ok(None);
    }
    from_node(&rest).map(Some)
}

fn operations(node: &Node) -> Result<Vec<Declared>> {
    declared::read(node.entry("operations")).map_err(|errors| {
        let mut errors = errors.0.into_iter();
        let first = errors.next();
        first.unwrap_or_else(|| crate::base::Error::playbook("wrong operations", &node.at))
    })
}

fn found(id: &str, address: &str, session: Arc<Session>, seen: Seen, planted: bool) -> Found {
    Found {
        id: id.to_owned(),
        name: None,
        tags: Tags::default(),
        outputs: Outputs::default()
            .with("id", id)
            .with("address", address)
            .with("os", seen.os.as_str()),
        parts: Vec::new(),
        live: Arc::new(HostLive {
            seen: Some((session, seen)),
            planted,
        }),
    }
}

async fn connect(
    cx: &Context,
    target: Target<'_>,
    destination: &crate::ssh::Destination,
    patience: Patience,
) -> Result<Arc<Session>> {
    let doing = |what: &str| cx.progress.doing(target.address, what);
    Session::connect(destination, patience, &doing)
        .await
        .map(Arc::new)
        .map_err(|error| error.of(target.address).at(target.at))
}

fn is_not_up(error: &crate::base::Error) -> bool {
    [trouble::NO_ANSWER, trouble::LOGIN_REFUSED]
        .map(Some)
        .contains(&error.service_code())
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
            discover: &[],
            apply: &["ec2:CreateTags"],
            delete: &[],
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
        let (destination, pins, id) = match reach::reach(&cx.folder, &spec, target)? {
            Reach::NotYet => return Ok(None),
            Reach::NotRunning { id, state } => {
                return Ok(Some(Found {
                    outputs: Outputs::default()
                        .with("id", id.as_str())
                        .with("address", serde_json::Value::Null)
                        .with("os", serde_json::Value::Null)
                        .with("state", state),
                    id,
                    name: None,
                    tags: Tags::default(),
                    parts: Vec::new(),
                    live: Arc::new(HostLive {
                        seen: None,
                        planted: false,
                    }),
                }));
            }
            Reach::At {
                destination,
                pins,
                id,
            } => (destination, pins, id),
        };
        let planted = pins.is_planted();
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
        let session = match connect(cx, target, &destination, patience).await {
            // Still at its first start: an apply waits for it, and nothing of ours is there yet.
            Err(error) if planted && standing && is_not_up(&error) => return Ok(None),
            connected => connected?,
        };
        open::remember(cx, &target.address.name, &session, spec.sudo);
        let declared = operations(target.node)?;
        let seen = round::look(&session, spec.sudo, target, &declared)
            .await
            .map_err(|error| error.of(target.address).at(target.at))?;
        Ok(Some(found(
            &id,
            &destination.address,
            session,
            seen,
            planted,
        )))
    }

    fn diff(&self, target: Target<'_>, live: Option<&Found>) -> Result<Diff> {
        let declared = operations(target.node)?;
        let live = live.and_then(|found| found.live.downcast_ref::<HostLive>());
        let seen = match live {
            Some(HostLive { seen: None, .. }) => return Ok(Diff::default()),
            Some(HostLive { seen, .. }) => seen.as_ref().map(|(_, seen)| seen),
            None => None,
        };
        let works = round::plan(target, &declared, seen)?;
        let mut diff = round::diff(&works, seen);
        let spec = spec(target.node)?;
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
        let Reach::At {
            destination,
            pins,
            id,
        } = reach::reach(&cx.folder, &spec, target)?
        else {
            return match live {
                Some(live) => Ok(live.clone()),
                None => Err(not_yet()),
            };
        };
        let known = live
            .and_then(|found| found.live.downcast_ref::<HostLive>())
            .and_then(|live| live.seen.as_ref())
            .map(|(session, _)| Arc::clone(session));
        let session = match known {
            Some(session) if *session.destination() == destination && session.is_alive().await => {
                session
            }
            _ => {
                let patience = Patience {
                    booting: spec.answers_within.map_or(BOOT_PATIENCE, |within| within.0),
                    first_start: pins.is_planted(),
                };
                connect(cx, target, &destination, patience).await?
            }
        };
        open::remember(cx, &target.address.name, &session, spec.sudo);
        let doing = |what: &str| cx.progress.doing(target.address, what);
        let mut again = destination.clone();
        if pins.is_planted() {
            doing("the host makes its own key");
            let own = identity::settle(cx, &session, spec.sudo, &pins, &id);
            again.keys.extend(own.await.map_err(placed)?);
        }
        let declared = operations(target.node)?;
        doing("looking at the host");
        let look = || round::look(&session, spec.sudo, target, &declared);
        let mut seen = look().await.map_err(placed)?;
        let place = Place {
            session: &session,
            again: &again,
            sudo: spec.sudo,
            stack: &cx.stack,
            name: &target.address.name,
        };
        let check = spec.healthy.as_ref();
        healthy::begin(check, &session, spec.sudo)
            .await
            .map_err(placed)?;
        for _ in 0..PASSES {
            let works = round::plan(target, &declared, Some(&seen)).map_err(placed)?;
            if round::diff(&works, Some(&seen)).is_empty() {
                break;
            }
            change::change(&place, &declared, &works, &seen, &doing)
                .await
                .map_err(placed)?;
            seen = look().await.map_err(placed)?;
        }
        round::left_over(target, &declared, &seen).map_err(placed)?;
        healthy::prove(check, cx, target, &session, spec.sudo)
            .await
            .map_err(placed)?;
        Ok(found(&id, &destination.address, session, seen, false))
    }

    async fn remains(&self, cx: &Context, target: Target<'_>) -> Result<Option<Found>> {
        remains::look(cx, target).await
    }

    async fn delete(&self, cx: &Context, live: &Found) -> Result<()> {
        remains::take_away(cx, live).await
    }

    async fn presence(&self, cx: &Context, ids: &[String]) -> Vec<Presence> {
        join_all(ids.iter().map(|id| remains::presence(cx, id))).await
    }
}
