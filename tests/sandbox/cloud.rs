//! A stack in a sandbox without hosts, and the kinds played there as the engine plays them.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use serde_json::Value as Json;
use tempfile::TempDir;
use tidewalk::aws::{ConnectOptions, Credentials, connect};
use tidewalk::base::{Address, Diff, Error, Result, World};
use tidewalk::contract::{Context, Found, Kind, Presence, Progress, Wanted};
use tidewalk::resources::registry;
use tidewalk::sandbox::{self, Control, Effect, Fault};

use crate::front::served;
use crate::stage::Stage;

/// One sandbox for all, without hosts.
pub(crate) fn endpoint() -> &'static str {
    static ENDPOINT: OnceLock<String> = OnceLock::new();
    ENDPOINT.get_or_init(|| served("kinds"))
}

/// Regions that the emulator keeps apart: each play has one of its own. All have the instance
/// types that are used here.
const REGIONS: [&str; 17] = [
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-south-1",
    "ap-southeast-1",
    "ap-southeast-2",
    "ca-central-1",
    "eu-central-1",
    "eu-south-1",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "il-central-1",
    "sa-east-1",
    "us-east-1",
    "us-east-2",
    "us-west-1",
    "us-west-2",
];

fn free_region() -> &'static str {
    static TAKEN: AtomicUsize = AtomicUsize::new(0);
    let index = TAKEN.fetch_add(1, Ordering::Relaxed);
    REGIONS
        .get(index)
        .expect("there are more plays than regions")
}

struct Silent;

impl Progress for Silent {
    fn doing(&self, _address: &Address, _what: &str) {}
}

/// One stack in a region of its own.
pub(crate) struct Play {
    pub(crate) cx: Context,
    pub(crate) world: World,
    pub(crate) folder: TempDir,
    pub(crate) endpoint: String,
}

impl Play {
    pub(crate) async fn start() -> Self {
        Self::at(endpoint(), free_region()).await
    }

    pub(crate) async fn at(endpoint: &str, region: &str) -> Self {
        let options = ConnectOptions {
            region: Some(region.to_owned()),
            endpoint: Some(endpoint.to_owned()),
            credentials: Some(Credentials {
                access_key_id: sandbox::ACCESS_KEY_ID.to_owned(),
                secret_access_key: sandbox::SECRET_ACCESS_KEY.to_owned().into(),
            }),
            checkip_url: Some(format!("{endpoint}/checkip")),
            ..ConnectOptions::default()
        };
        let aws = connect(&options).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let cx = Context {
            stack: "play".to_owned(),
            region: aws.region().to_owned(),
            account: sandbox::ACCOUNT.to_owned(),
            tags: BTreeMap::new(),
            lease_until: None,
            folder: folder.path().to_owned(),
            local: folder.path().join(".tidewalk"),
            aws,
            keep: None,
            progress: Arc::new(Silent),
        };
        Self {
            cx,
            world: World::default(),
            folder,
            endpoint: endpoint.to_owned(),
        }
    }

    /// Strikes the next call of an action.
    pub(crate) async fn strike(&self, action: &str, effect: Effect) {
        self.strike_service("ec2", action, 1, effect).await;
    }

    pub(crate) async fn strike_service(
        &self,
        service: &str,
        action: &str,
        times: u32,
        effect: Effect,
    ) {
        let fault = Fault {
            service: Some(service.to_owned()),
            action: Some(action.to_owned()),
            region: Some(self.cx.region.clone()),
            after: 0,
            times,
            effect,
        };
        let control = Control::new(&self.endpoint).unwrap();
        control.add_faults(&[fault]).await.unwrap();
    }

    pub(crate) fn stage(&self, address: &str, spec: &Json, tags: &[(&str, &str)]) -> Stage {
        let owned = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
        let tags = tags.iter().map(owned).collect();
        let address: Address = address.parse().unwrap();
        let mut stage = Stage::new(&self.cx.stack, &address, spec, &tags);
        stage.world = self.world.clone();
        stage
    }

    /// What discovery finds at an address.
    pub(crate) async fn found(&self, stage: &Stage) -> Option<Found> {
        let wanted = Wanted {
            external: Vec::new(),
            declared: vec![(stage.address.clone(), stage.node.clone())],
            ..Wanted::default()
        };
        let kind = kind(&stage.address.kind);
        let discovery = kind.discover(&self.cx, &wanted);
        let all = self.allowed(kind.iam().discover, discovery).await.unwrap();
        let ours = |found: &Found| {
            let owner = found.tags.owner();
            owner.is_some_and(|o| o.stack == self.cx.stack && o.address == stage.address)
        };
        let mut found = all.into_iter().filter(ours);
        let one = found.next();
        assert!(found.next().is_none(), "{} is there twice", stage.address);
        one
    }

    /// Plans and applies as the engine does, and plans again: then nothing may differ. Gives the
    /// first plan and what is there now.
    pub(crate) async fn bring(&mut self, stage: &Stage) -> Result<(Diff, Found)> {
        let kind = kind(&stage.address.kind);
        kind.check(&stage.node)
            .map_err(|mut errors| errors.0.remove(0))?;
        let mut live = self.found(stage).await;
        let diff = kind.diff(stage.target(), live.as_ref())?;
        if let Some(old) = &live
            && diff.replaces()
        {
            self.allowed(kind.iam().delete, kind.delete(&self.cx, old))
                .await?;
            live = None;
        }
        let applied = kind.apply(&self.cx, stage.target(), live.as_ref());
        let made = self.allowed(kind.iam().apply, applied).await?;
        let found = self
            .found(stage)
            .await
            .expect("it is discovered once applied");
        assert_eq!(found.id, made.id);
        let promised = kind.outputs().iter().map(|(name, _)| *name);
        let told = found.outputs.0.keys().map(String::as_str);
        assert!(
            told.eq(promised),
            "{} tells other outputs than it promises",
            kind.name()
        );
        let rest = kind.diff(stage.target(), Some(&found))?;
        assert!(rest.is_empty(), "after apply there still differs {rest:#?}");
        self.world
            .know(stage.address.clone(), found.outputs.clone());
        Ok((diff, found))
    }

    /// Runs one verb of a kind, and sees that it called nothing but the actions it declares.
    async fn allowed<T>(&self, actions: &[&str], verb: impl Future<Output = T>) -> T {
        let before = self.cx.aws.record();
        let done = verb.await;
        for (action, count) in self.cx.aws.record().0 {
            let called = before.0.get(&action) != Some(&count);
            assert!(
                !called || actions.contains(&action.as_str()),
                "undeclared: {action}"
            );
        }
        done
    }

    /// Deletes twice, and sees that it and its parts are gone.
    pub(crate) async fn delete(&self, stage: &Stage, live: &Found) {
        let kind = kind(&stage.address.kind);
        let parts = live.parts.iter().map(|part| part.id.clone());
        let ids: Vec<_> = std::iter::once(live.id.clone()).chain(parts).collect();
        for (id, there) in ids.iter().zip(kind.presence(&self.cx, &ids).await) {
            assert!(matches!(there, Presence::Present(_)), "{id}: {there:?}");
        }
        for _ in 0..2 {
            let deletion = kind.delete(&self.cx, live);
            self.allowed(kind.iam().delete, deletion).await.unwrap();
        }
        let asked = kind.presence(&self.cx, &ids);
        let gone = self.allowed(kind.iam().delete, asked).await;
        assert_eq!(gone, vec![Presence::Absent; ids.len()], "{ids:?}");
        assert!(self.found(stage).await.is_none());
    }
}

pub(crate) fn kind(name: &str) -> Arc<dyn Kind> {
    let all = registry().into_iter();
    all.into_iter().find(|kind| kind.name() == name).unwrap()
}

/// The fields of a diff.
pub(crate) fn fields(diff: &Diff) -> Vec<&str> {
    diff.changes
        .iter()
        .map(|change| change.field.as_str())
        .collect()
}

pub(crate) fn refused(result: Result<(Diff, Found)>) -> Error {
    match result {
        Ok((_, found)) => panic!("it was made: {}", found.id),
        Err(error) => error,
    }
}
