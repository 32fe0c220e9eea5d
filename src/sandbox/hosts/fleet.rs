//! All hosts of one sandbox.

use std::collections::HashMap;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Semaphore, mpsc, oneshot};

use super::seed;
use super::worker::{Job, Work, Worker};
use crate::base::Result;
use crate::docker::{Engine, Exec};
use crate::sandbox::amis;
use crate::sandbox::front::{Cloud, Problems, States};

/// The label that all containers and networks of a sandbox carry; its value is the sandbox's id.
pub(crate) const LABEL: &str = "tidewalk.sandbox";

/// The image that hosts run, unless the instance asked for one that was baked here.
pub(crate) const NODE_IMAGE: &str = "tidewalk-node:debian-12";

/// Hosts that are started or stopped at the same time, at most.
const AT_ONCE: usize = 8;

/// The hosts of one sandbox, by instance id.
pub(crate) struct Hosts {
    pub(super) shared: Shared,
    workers: Mutex<HashMap<String, mpsc::UnboundedSender<Job>>>,
    /// What is known of each by those who ask from its address.
    seats: Mutex<HashMap<String, Seat>>,
    /// Default users of the images that were baked here, by the image's id.
    baked: Mutex<HashMap<String, &'static str>>,
}

/// A host, as one who is asked by it must know it.
#[derive(Clone, Debug)]
pub(crate) struct Seat {
    /// Its instance's id.
    pub(crate) id: String,
    /// The region of its instance.
    pub(crate) region: String,
    /// Its own address.
    pub(crate) private: Ipv4Addr,
    /// Its user data, base64.
    pub(crate) user_data: String,
}

/// What all hosts have in common; cheap to clone.
#[derive(Clone)]
pub(crate) struct Shared {
    /// The engine that runs them.
    pub(crate) engine: Engine,
    /// The sandbox's id.
    pub(crate) sandbox: String,
    /// The network they are in.
    pub(crate) network: String,
    /// Where they find AWS; nowhere when there is no way to this machine.
    pub(crate) endpoint: Option<String>,
    /// Where to report that a host has arrived in its state.
    pub(crate) states: States,
    /// Where to end an instance whose host did not start.
    pub(crate) cloud: Cloud,
    /// Where to tell what went wrong.
    pub(crate) problems: Problems,
    /// Keeps the machine usable while many hosts start.
    pub(crate) turns: Arc<Semaphore>,
}

impl Shared {
    /// The name of an instance's container.
    pub(super) fn container(&self, id: &str) -> String {
        format!("tidewalk-{}-{id}", self.sandbox)
    }
}

impl Hosts {
    /// No hosts yet.
    pub(crate) fn new(
        engine: Engine,
        sandbox: &str,
        network: &str,
        endpoint: Option<String>,
        states: &States,
        cloud: &Cloud,
        problems: &Problems,
    ) -> Self {
        Self {
            shared: Shared {
                engine,
                sandbox: sandbox.to_owned(),
                network: network.to_owned(),
                endpoint,
                states: states.clone(),
                cloud: cloud.clone(),
                problems: problems.clone(),
                turns: Arc::new(Semaphore::new(AT_ONCE)),
            },
            workers: Mutex::default(),
            seats: Mutex::default(),
            baked: Mutex::default(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, mpsc::UnboundedSender<Job>>> {
        let mut workers = self.workers.lock().unwrap_or_else(PoisonError::into_inner);
        workers.retain(|_, worker| !worker.is_closed());
        workers
    }

    /// How many there are, stopped ones too.
    pub(crate) fn count(&self) -> usize {
        self.lock().len()
    }

    /// Whether the instance has a host.
    pub(crate) fn has(&self, id: &str) -> bool {
        self.lock().contains_key(id)
    }

    fn seats(&self) -> MutexGuard<'_, HashMap<String, Seat>> {
        self.seats.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The host that has that address.
    pub(crate) fn seat(&self, address: Ipv4Addr) -> Option<Seat> {
        let seats = self.seats();
        let mut seats = seats.values();
        seats.find(|it| it.private == address).cloned()
    }

    /// Whether the agent of Systems Manager runs on a host.
    pub(crate) async fn has_agent(&self, id: &str) -> bool {
        let asked = ["systemctl", "is-active", "--quiet", seed::AGENT_UNIT];
        let container = self.shared.container(id);
        let asked = self.shared.engine.exec(&container, &asked).await;
        asked.is_ok_and(|it| it.status == 0)
    }

    /// Runs a script as the agent does: from a file, as root, with no terminal and little environment,
    /// for so many seconds at most.
    pub(crate) async fn document(
        &self,
        id: &str,
        command: &str,
        script: &str,
        seconds: &str,
    ) -> Result<Exec> {
        let (engine, container) = (&self.shared.engine, self.shared.container(id));
        let path = format!(
            "var/lib/amazon/ssm/{id}/document/orchestration/{command}/awsrunShellScript/0.awsrunShellScript/_script.sh"
        );
        let archive = seed::file(&path, script.as_bytes())?;
        engine.put_archive(&container, archive).await?;
        let path = format!("/{path}");
        let program = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
        // The agent is a unit: it has what all units have.
        let endpoint = self.shared.endpoint.iter();
        let endpoint = endpoint.map(|it| format!("{}={it}", seed::ENDPOINT_VARIABLE));
        let endpoint: Vec<String> = endpoint.collect();
        let mut argv = vec!["env", "-i", program];
        argv.extend(endpoint.iter().map(String::as_str));
        argv.extend(["timeout", "-k", "5", seconds, "sh", &path]);
        engine.exec(&container, &argv).await
    }

    /// Gives a host work; it does it after what it was given before.
    pub(crate) fn send(&self, id: &str, work: Work) {
        self.give(id, Job { work, done: None });
    }

    /// Sets a host's public addresses and waits until it has them.
    pub(crate) async fn readdress(&self, id: &str, addresses: Vec<Ipv4Addr>) {
        self.finish(id, Work::Address(addresses)).await;
    }

    /// Makes an image of an instance's host as it is now, and waits until it is there. `from` is
    /// the image that the instance was made from.
    pub(crate) async fn bake(&self, id: &str, from: &str, image: &str) {
        let user = self.user(from);
        let work = Work::Bake(self.repository(), image.to_owned());
        self.finish(id, work).await;
        self.baked().insert(image.to_owned(), user);
    }

    /// Forgets an image; instances that run it keep running.
    pub(crate) async fn forget(&self, image: &str) {
        if self.baked().remove(image).is_some() {
            let image = format!("{}:{image}", self.repository());
            if let Err(cause) = self.shared.engine.remove_image(&image).await {
                self.shared.problems.add(&cause);
            }
        }
    }

    /// The default user of an image.
    pub(crate) fn user(&self, image: &str) -> &'static str {
        let baked = self.baked().get(image).copied();
        baked.unwrap_or_else(|| amis::user(image))
    }

    /// The engine's image for an image of the cloud.
    pub(crate) fn image(&self, image: &str) -> String {
        if self.baked().contains_key(image) {
            return format!("{}:{image}", self.repository());
        }
        NODE_IMAGE.to_owned()
    }

    fn repository(&self) -> String {
        format!("tidewalk-baked-{}", self.shared.sandbox.to_lowercase())
    }

    fn baked(&self) -> MutexGuard<'_, HashMap<String, &'static str>> {
        self.baked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives a host work and waits until it is done.
    async fn finish(&self, id: &str, work: Work) {
        let (done, wait) = oneshot::channel();
        let done = Some(done);
        self.give(id, Job { work, done });
        // An error means that the host is gone: nothing to wait for.
        let _ = wait.await;
    }

    fn give(&self, id: &str, job: Job) {
        let mut workers = self.lock();
        if let Work::Launch(launch) = &job.work {
            let seat = Seat {
                id: id.to_owned(),
                region: launch.region.clone(),
                private: launch.private,
                user_data: launch.user_data.clone(),
            };
            self.seats().insert(id.to_owned(), seat);
            let (sender, receiver) = mpsc::unbounded_channel();
            let worker = Worker::new(self.shared.clone(), id);
            tokio::spawn(worker.run(receiver));
            workers.insert(id.to_owned(), sender);
        }
        if matches!(job.work, Work::Terminate) {
            self.seats().remove(id);
        }
        if let Some(worker) = workers.get(id) {
            // A worker that has just ended has no use for more work.
            let _ = worker.send(job);
        }
    }
}
