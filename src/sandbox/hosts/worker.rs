//! One host: does what it is told, one thing after another.

use std::collections::HashMap;
use std::net::Ipv4Addr;

use tokio::sync::{mpsc, oneshot};

use super::fleet::{LABEL, Shared};
use super::seed;
use crate::base::{Error, Result};
use crate::docker::Container;
use crate::sandbox::front::State;

/// Seconds that a host has to shut down before it is killed.
const STOP_SECONDS: i32 = 10;

/// What a host is told to do.
#[derive(Clone, Debug)]
pub(crate) enum Work {
    /// Come into being.
    Launch(Box<Launch>),
    /// Shut down.
    Stop,
    /// Boot again, with the same disk.
    Start,
    /// Shut down and boot.
    Reboot,
    /// Cease to be.
    Terminate,
    /// Have these public addresses.
    Address(Vec<Ipv4Addr>),
    /// Have an image made of its disk: repository and tag.
    Bake(String, String),
}

/// What a new host is made from.
#[derive(Clone, Debug)]
pub(crate) struct Launch {
    /// The region of its instance.
    pub(crate) region: String,
    /// The image of the engine that it runs.
    pub(crate) image: String,
    /// The image's default user.
    pub(crate) user: &'static str,
    /// Its own address.
    pub(crate) private: Ipv4Addr,
    /// Its public addresses.
    pub(crate) public: Vec<Ipv4Addr>,
    /// The public key of its key pair.
    pub(crate) public_key: Option<String>,
    /// User data, base64 as the request had it.
    pub(crate) user_data: String,
}

/// Work, and whom to tell when it is done.
pub(crate) struct Job {
    /// The work.
    pub(crate) work: Work,
    /// Rung when it is done.
    pub(crate) done: Option<oneshot::Sender<()>>,
}

/// The one that works for a host.
pub(crate) struct Worker {
    shared: Shared,
    id: String,
    container: String,
    addresses: Vec<Ipv4Addr>,
    running: bool,
}

impl Worker {
    /// For the host of an instance.
    pub(crate) fn new(shared: Shared, id: &str) -> Self {
        let container = shared.container(id);
        Self {
            shared,
            id: id.to_owned(),
            container,
            addresses: Vec::new(),
            running: false,
        }
    }

    /// Works until the host has ceased to be.
    pub(crate) async fn run(mut self, mut jobs: mpsc::UnboundedReceiver<Job>) {
        while let Some(job) = jobs.recv().await {
            let settles = !matches!(job.work, Work::Address(_) | Work::Bake(..));
            let done = self.perform(&job.work).await;
            if let Err(cause) = &done {
                self.shared
                    .problems
                    .add(&format!("host of `{}`: {cause}", self.id));
            }
            let mut ends = matches!(job.work, Work::Terminate);
            if let (Err(_), Work::Launch(launch)) = (&done, &job.work) {
                self.give_up(&launch.region).await;
                ends = true;
            }
            if settles {
                self.shared.states.settle(&self.id);
            }
            if let Some(done) = job.done {
                // Nobody waits any more: fine.
                let _ = done.send(());
            }
            if ends {
                return;
            }
        }
    }

    async fn perform(&mut self, work: &Work) -> Result<()> {
        let engine = self.shared.engine.clone();
        let name = self.container.clone();
        // The semaphore is never closed.
        let turns = self.shared.turns.clone();
        let _turn = turns.acquire().await;
        match work {
            Work::Launch(launch) => self.launch(launch).await,
            Work::Stop => {
                engine.stop_container(&name, STOP_SECONDS).await?;
                self.running = false;
                Ok(())
            }
            Work::Start => {
                engine.start_container(&name).await?;
                self.running = true;
                Ok(())
            }
            Work::Reboot => {
                engine.stop_container(&name, STOP_SECONDS).await?;
                engine.start_container(&name).await
            }
            Work::Terminate => engine.remove_container(&name).await,
            Work::Address(addresses) => self.readdress(addresses).await,
            Work::Bake(repository, tag) => engine.commit_container(&name, repository, tag).await,
        }
    }

    async fn launch(&mut self, launch: &Launch) -> Result<()> {
        let engine = &self.shared.engine;
        let hostname = format!("ip-{}", launch.private.to_string().replace('.', "-"));
        let archive = seed::archive(&self.id, &hostname, launch, self.shared.endpoint.as_deref())?;
        engine
            .create_container(&Container {
                name: self.container.clone(),
                image: launch.image.clone(),
                hostname,
                network: self.shared.network.clone(),
                address: launch.private.to_string(),
                labels: HashMap::from([(LABEL.to_owned(), self.shared.sandbox.clone())]),
            })
            .await?;
        engine.put_archive(&self.container, archive).await?;
        engine.start_container(&self.container).await?;
        self.addresses.clone_from(&launch.public);
        self.running = true;
        Ok(())
    }

    async fn readdress(&mut self, addresses: &[Ipv4Addr]) -> Result<()> {
        if self.addresses == addresses {
            return Ok(());
        }
        let engine = &self.shared.engine;
        engine
            .put_archive(&self.container, seed::addresses(addresses)?)
            .await?;
        if self.running {
            let set = engine.exec(&self.container, &[seed::SET_ADDRESSES]).await?;
            if set.status != 0 {
                return Err(Error::failed(format!(
                    "setting addresses: {}",
                    set.output.trim()
                )));
            }
        }
        self.addresses = addresses.to_vec();
        Ok(())
    }

    /// AWS ends an instance that cannot be started, too.
    async fn give_up(&self, region: &str) {
        self.shared.states.set(&self.id, State::ShuttingDown);
        let removed = self.shared.engine.remove_container(&self.container).await;
        let ended = self.shared.cloud.terminate(region, &self.id).await;
        for cause in [removed, ended].into_iter().filter_map(Result::err) {
            self.shared.problems.add(&cause);
        }
    }
}
