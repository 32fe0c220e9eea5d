//! An AWS emulator for one test, and the kinds played against it.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::Value as Json;
use tempfile::TempDir;
use tidewalk::aws::{ConnectOptions, Credentials, connect};
use tidewalk::base::{Address, Diff, Error, Result, World};
use tidewalk::contract::{Context, Found, Kind, Presence, Progress, Wanted};
use tidewalk::resources::registry;

use crate::stage::Stage;

/// The emulator; it ends with the test.
pub(crate) struct Cloud {
    process: Child,
    pub(crate) endpoint: String,
}

impl Drop for Cloud {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn moto() -> PathBuf {
    let home = std::env::home_dir().unwrap();
    home.join(".local/share/tidewalk/venv/bin/moto_server")
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

impl Cloud {
    pub(crate) fn start() -> Self {
        let port = free_port();
        let mut command = Command::new(moto());
        command.args(["-H", "127.0.0.1", "-p", &port.to_string()]);
        for name in [
            "MOTO_ENABLE_AMI_VALIDATION",
            "MOTO_ENABLE_KEYPAIR_VALIDATION",
            "MOTO_EC2_ENABLE_INSTANCE_TYPE_VALIDATION",
        ] {
            command.env(name, "true");
        }
        let images = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/sandbox/amis.json");
        command.env("MOTO_AMIS_PATH", images);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let process = command.spawn().expect("moto_server runs");
        let cloud = Self {
            process,
            endpoint: format!("http://127.0.0.1:{port}"),
        };
        let deadline = Instant::now() + Duration::from_mins(1);
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(Instant::now() < deadline, "moto_server does not listen");
            std::thread::yield_now();
        }
        cloud
    }
}

/// Answers every request with this machine's address as AWS would see it.
fn check_ip(address: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let _ = stream.read(&mut [0; 1024]);
            let length = address.len() + 1;
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n");
            let _ = write!(stream, "{head}{address}\n");
        }
    });
    url
}

struct Silent;

impl Progress for Silent {
    fn doing(&self, _address: &Address, _what: &str) {}
}

/// One stack on a cloud of its own.
pub(crate) struct Play {
    pub(crate) cx: Context,
    pub(crate) world: World,
    pub(crate) folder: TempDir,
    pub(crate) cloud: Cloud,
}

impl Play {
    pub(crate) async fn start() -> Self {
        let cloud = Cloud::start();
        let endpoint = cloud.endpoint.clone();
        Self::at(cloud, endpoint).await
    }

    /// A play that reaches its cloud by another endpoint.
    pub(crate) async fn at(cloud: Cloud, endpoint: String) -> Self {
        let options = ConnectOptions {
            region: Some("eu-west-1".to_owned()),
            endpoint: Some(endpoint),
            credentials: Some(Credentials {
                access_key_id: "sandbox".to_owned(),
                secret_access_key: "sandbox-secret".to_owned().into(),
            }),
            checkip_url: Some(check_ip("203.0.113.7")),
            ..ConnectOptions::default()
        };
        let aws = connect(&options).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let cx = Context {
            stack: "play".to_owned(),
            region: aws.region().to_owned(),
            account: aws.identity().await.unwrap().account,
            tags: BTreeMap::new(),
            lease_until: None,
            folder: folder.path().to_owned(),
            local: folder.path().join(".tidewalk"),
            aws,
            progress: Arc::new(Silent),
        };
        Self {
            cx,
            world: World::default(),
            folder,
            cloud,
        }
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
            specs: vec![stage.node.clone()],
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
