//! One run put together: playbook, account, kinds, engine.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::flags::{CloudFlags, PlaybookFlags, RunFlags, StackFlags, USUAL_PLAYBOOK};
use super::{bundled, interrupt};
use crate::aws::clients::{Clients, ConnectOptions, Credentials, Identity, connect};
use crate::base::{Address, Error, Errors, Result, Secret, World};
use crate::contract::{Context, Kind, Progress, Stage};
use crate::engine::{self, Bill, Engine, Options, Stop};
use crate::playbook::{Facts, LoadOptions, Playbook, Section};
use crate::report::Output;
use crate::report::graph::Graph;
use crate::{playbook, resources, sandbox};

/// Environment variable that ends the program after so many journal entries: the tests of crashes.
const KILL_AFTER: &str = "TIDEWALK_KILL_AFTER_ENTRY";
/// The folder beside the playbook for what is kept locally.
const LOCAL: &str = ".tidewalk";

/// A run that is ready to begin.
pub struct Session {
    /// What plans, applies and destroys.
    pub engine: Engine,
    /// The wish to stop.
    pub stop: Stop,
}

/// What `check` counts.
pub struct Checked {
    /// Resources, checks left out.
    pub resources: usize,
    /// Checks.
    pub checks: usize,
}

/// Every section that a playbook may have.
#[must_use]
pub fn sections() -> Vec<Section> {
    let kinds = resources::registry().into_iter();
    kinds
        .map(|kind| Section {
            name: kind.name(),
            outputs: kind.outputs(),
            borrows: kind.borrows(),
            asks: kind.asks(),
            expand: {
                let kind = Arc::clone(&kind);
                Box::new(move |name, entry, sections| kind.expand(name, entry, sections))
            },
            schema: Box::new(move || kind.schema()),
        })
        .collect()
}

/// Loads and checks a playbook, offline.
///
/// # Errors
/// Every problem found.
pub fn check(flags: &PlaybookFlags) -> Result<Checked, Errors> {
    let kinds = resources::registry();
    let playbook = load(flags, false, &kinds, World::default())?;
    let region = playbook.region.as_deref();
    engine::hold(&playbook, &kinds, &facts(&playbook), region)?;
    let stage = |address: &Address| {
        let kind = kinds.iter().find(|kind| kind.name() == address.kind);
        kind.map(|kind| kind.stage())
    };
    let all = playbook.declarations.len();
    let checks = playbook
        .declarations
        .keys()
        .filter(|it| stage(it) == Some(Stage::Check))
        .count();
    Ok(Checked {
        resources: all - checks,
        checks,
    })
}

/// What a playbook costs a month at the prices of `region`, or of its own; offline.
///
/// # Errors
/// Every problem found; a usage error, when no region is given.
pub fn bill(flags: &PlaybookFlags, region: Option<&str>) -> Result<Bill, Errors> {
    let kinds = resources::registry();
    let playbook = load(flags, false, &kinds, World::default())?;
    let Some(region) = region.or(playbook.region.as_deref()) else {
        return Err(
            Error::usage("the playbook names no region, and each has its prices")
                .hint("give one: `--region eu-west-1`")
                .into(),
        );
    };
    let mut facts = facts(&playbook);
    facts.region = Some(region.to_owned());
    Bill::of(&playbook, &kinds, &facts, region)
}

/// What a playbook says of its run.
fn facts(playbook: &Playbook) -> Facts {
    Facts {
        region: playbook.region.clone(),
        account: playbook.account.clone(),
    }
}

/// The graph of a playbook, offline.
///
/// # Errors
/// Every problem found.
pub fn graph(flags: &PlaybookFlags) -> Result<Graph, Errors> {
    let playbook = load(flags, false, &resources::registry(), World::default())?;
    let mut graph = Graph {
        stack: playbook.stack.clone(),
        ..Graph::default()
    };
    for (address, declaration) in &playbook.declarations {
        graph.nodes.push(address.clone());
        for reference in declaration
            .references
            .iter()
            .filter(|reference| reference.declared)
        {
            let edge = (address.clone(), reference.target.clone());
            if !graph.edges.contains(&edge) {
                graph.edges.push(edge);
            }
        }
    }
    Ok(graph)
}

/// The JSON Schema of playbooks.
#[must_use]
pub fn schema() -> serde_json::Value {
    playbook::schema(&sections())
}

/// The playbook, loaded and checked by every kind. In a sandbox, apps find its simulated exchange
/// where the environment names none.
fn load(
    flags: &PlaybookFlags,
    in_sandbox: bool,
    kinds: &[Arc<dyn Kind>],
    answers: World,
) -> Result<Playbook, Errors> {
    let of_sandbox = in_sandbox.then(sandbox::for_apps).transpose()?;
    let mut env = of_sandbox.unwrap_or_default();
    env.extend(
        std::env::vars_os().filter_map(|(name, value)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        }),
    );
    let options = LoadOptions {
        vars: flags.vars.vars.clone(),
        vars_files: flags.vars.vars_files.clone(),
        env,
        bundled: Some(bundled::BUNDLED),
        answers,
    };
    let loaded = Playbook::load(&flags.playbook, &options, &sections());
    let playbook = loaded.map_err(|errors| not_named(errors, &flags.playbook))?;
    engine::check(&playbook, kinds, &facts(&playbook))?;
    Ok(playbook)
}

/// A playbook of the usual name is not there because another was meant and not named.
fn not_named(mut errors: Errors, path: &Path) -> Errors {
    if path != Path::new(USUAL_PLAYBOOK) || path.exists() {
        return errors;
    }
    if let Some(error) = errors.0.pop() {
        let error =
            error.hint("name the playbook, such as `tidewalk plan site.yml` or `-f site.yml`");
        errors.push(error);
    }
    errors
}

impl Session {
    /// A run of a playbook.
    ///
    /// # Errors
    /// What is wrong with the playbook; no credentials; the wrong account.
    pub async fn of_playbook(
        out: &Output,
        flags: &PlaybookFlags,
        cloud: &CloudFlags,
        run: &RunFlags,
    ) -> Result<Self, Errors> {
        let kinds = resources::registry();
        let playbook = load(flags, cloud.sandbox, &kinds, World::default())?;
        let folder = if playbook.folder.as_os_str().is_empty() {
            PathBuf::from(".")
        } else {
            playbook.folder.clone()
        };
        let region = cloud.region.clone().or_else(|| playbook.region.clone());
        let alone =
            cloud.is_unsaid() && engine::stands_alone(&playbook, &kinds, &folder.join(LOCAL))?;
        let (aws, identity) = if alone {
            (no_account().await?, Identity::default())
        } else {
            let aws = account(cloud, region).await?;
            let identity = aws.identity().await?;
            (aws, identity)
        };
        if let Some(wanted) = &playbook.account
            && *wanted != identity.account
            && !cloud.sandbox
        {
            return Err(Error::failed(format!(
                "the playbook is for account {wanted}, and these credentials are for {}",
                identity.account
            ))
            .note(format!("they belong to {}", identity.arn))
            .hint("choose the right credentials with `--profile` or AWS_PROFILE")
            .into());
        }
        let lease_until = playbook.lease.map(until);
        let cx = Context {
            stack: playbook.stack.clone(),
            tags: playbook.tags.clone(),
            lease_until,
            keep: run.keep.keep()?,
            ..surroundings(&playbook.stack, aws, identity.account, &folder)
        };
        let asks = !playbook.asks.is_empty();
        let session = Self::new(out, kinds, Some(playbook), cx.clone(), cloud, run);
        if !asks {
            return Ok(session);
        }
        let kinds = resources::registry();
        let answers = session.engine.awaited().await?;
        let playbook = load(flags, cloud.sandbox, &kinds, answers)?;
        Ok(Self::new(out, kinds, Some(playbook), cx, cloud, run))
    }

    /// A run of a playbook, or on what a stack owns.
    ///
    /// # Errors
    /// As [`Self::of_playbook`] and [`Self::of_stack`].
    pub async fn of(
        out: &Output,
        stack: &StackFlags,
        cloud: &CloudFlags,
        run: &RunFlags,
    ) -> Result<Self, Errors> {
        if let Some(stack) = &stack.stack {
            return Self::of_stack(out, stack, cloud, run).await;
        }
        let playbook = PlaybookFlags {
            playbook: stack.playbook.clone(),
            vars: stack.vars.clone(),
        };
        let session = Self::of_playbook(out, &playbook, cloud, run).await;
        session.map_err(|mut errors| {
            if !playbook.playbook.exists()
                && let Some(error) = errors.0.pop()
            {
                errors.push(error.hint("or name the stack: `--stack NAME`"));
            }
            errors
        })
    }

    /// A run on what a stack owns, without a playbook.
    ///
    /// # Errors
    /// No credentials, or no region.
    pub async fn of_stack(
        out: &Output,
        stack: &str,
        cloud: &CloudFlags,
        run: &RunFlags,
    ) -> Result<Self, Errors> {
        let aws = account(cloud, cloud.region.clone()).await?;
        let identity = aws.identity().await?;
        let cx = Context {
            keep: run.keep.keep()?,
            ..surroundings(stack, aws, identity.account, Path::new("."))
        };
        Ok(Self::new(out, resources::registry(), None, cx, cloud, run))
    }

    fn new(
        out: &Output,
        kinds: Vec<Arc<dyn Kind>>,
        playbook: Option<Playbook>,
        cx: Context,
        cloud: &CloudFlags,
        run: &RunFlags,
    ) -> Self {
        let stop = Stop::default();
        let options = Options {
            parallelism: run.parallelism,
            max_failures: run.max_failures,
            only: run.only.clone(),
            sandbox: cloud.sandbox,
            kill_after: std::env::var(KILL_AFTER)
                .ok()
                .and_then(|number| number.parse().ok()),
        };
        let observer = Arc::new(out.clone());
        let engine = Engine::new(kinds, playbook, cx, options, observer, stop.clone());
        Self { engine, stop }
    }

    /// Tells, for programs, which calls were made to AWS.
    pub fn calls(&self, out: &Output) {
        let record = self.engine.context().aws.record();
        let calls = record.0.into_iter();
        let calls: BTreeMap<_, _> = calls.map(|(action, count)| (action, count.calls)).collect();
        out.document("calls", serde_json::json!(calls));
    }

    /// From now on Ctrl-C asks this run to stop.
    ///
    /// # Errors
    /// When signals cannot be received.
    pub fn watch_interrupts(&self, out: &Output) -> Result<()> {
        interrupt::watch(&self.stop, out)
    }
}

/// Clients for a run that calls nothing.
async fn no_account() -> Result<Clients> {
    let nobody = Credentials {
        access_key_id: String::new(),
        secret_access_key: Secret::from(String::new()),
    };
    let options = ConnectOptions {
        region: Some(String::new()),
        credentials: Some(nobody),
        ..ConnectOptions::default()
    };
    connect(&options).await
}

/// Clients for AWS, or for the sandbox that runs.
pub(super) async fn account(cloud: &CloudFlags, region: Option<String>) -> Result<Clients> {
    let mut options = ConnectOptions {
        region,
        profile: cloud.profile.clone(),
        ..ConnectOptions::default()
    };
    if cloud.sandbox {
        let dir = sandbox::default_dir()?;
        let Some(running) = sandbox::locate(&dir)? else {
            return Err(Error::failed("the sandbox is not running")
                .note(format!("looked for it in `{}`", dir.display()))
                .hint("start it with `tidewalk sandbox up`"));
        };
        options
            .region
            .get_or_insert_with(|| sandbox::REGION.to_owned());
        options.checkip_url = Some(format!("{}/checkip", running.endpoint));
        options.endpoint = Some(running.endpoint);
        options.credentials = Some(Credentials {
            access_key_id: sandbox::ACCESS_KEY_ID.to_owned(),
            secret_access_key: Secret::from(sandbox::SECRET_ACCESS_KEY.to_owned()),
        });
    }
    connect(&options).await
}

struct Unheard;

impl Progress for Unheard {
    fn doing(&self, _: &Address, _: &str) {}
}

pub(super) fn surroundings(stack: &str, aws: Clients, account: String, folder: &Path) -> Context {
    Context {
        stack: stack.to_owned(),
        region: aws.region().to_owned(),
        account,
        tags: BTreeMap::new(),
        lease_until: None,
        folder: folder.to_owned(),
        local: folder.join(LOCAL),
        aws,
        keep: None,
        progress: Arc::new(Unheard),
    }
}

/// When a lease ends that begins now, RFC 3339 to the second.
fn until(lease: std::time::Duration) -> String {
    let length = SignedDuration::try_from(lease).unwrap_or(SignedDuration::MAX);
    let now = Timestamp::now();
    let until = now.checked_add(length).unwrap_or(Timestamp::MAX);
    until.round(jiff::Unit::Second).unwrap_or(until).to_string()
}
