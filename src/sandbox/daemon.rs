//! The process behind `tidewalk sandbox serve`: the emulator, the front, the hosts, until stopped.

use std::future::pending;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::Notify;

use super::emulator::{ContainerNetwork, Emulator};
use super::exchange;
use super::front::{Addresses, Cloud, Doors, Front, Problems, serve as serve_front};
use super::hosts::Hosts;
use super::place::{self, ExchangePlace, HostNetwork, Running};
use super::registry::Registry;
use super::{link_local, network, node_image};
use crate::base::{Result, ResultExt};
use crate::docker::Engine;

/// What a sandbox is started with.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// Whether every instance is a real host.
    pub hosts: bool,
    /// Whether the emulator loads a service only when it is first called: it starts two seconds
    /// sooner, and the first calls take as much longer.
    pub lazy: bool,
}

/// A sandbox that serves within this process.
pub struct Serving {
    /// What `sandbox.json` says of it.
    pub running: Running,
    emulator: Emulator,
    stop: Arc<Notify>,
    front: tokio::task::JoinHandle<Result<()>>,
    exchange: tokio::task::JoinHandle<()>,
}

/// Starts emulator and front for the folder `dir`, and notes them in it. What is needed must be
/// installed already.
///
/// # Errors
/// When one of them does not start.
pub async fn start(dir: &Path, options: Options) -> Result<Serving> {
    let Options { hosts, lazy } = options;
    std::fs::create_dir_all(dir).context(format!("creating `{}`", dir.display()))?;
    let id = place::id(dir);
    let registry_door = TcpListener::bind("127.0.0.1:0")
        .await
        .context("opening a port")?;
    let registry = registry_door.local_addr().context("opening a port")?;
    let listener = TcpListener::bind("127.0.0.1:0")
        .await
        .context("opening a port")?;
    let address = listener.local_addr().context("opening a port")?;
    let (states, problems) = Default::default();
    let ground = if hosts {
        Some(Ground::prepare(&id, &problems).await?)
    } else {
        None
    };
    let containers = ground.as_ref().map(|it| it.containers(&id, address));
    let emulator = Emulator::start(dir, lazy, registry, containers.as_ref()).await?;
    let cloud = Cloud::new(&emulator.endpoint);
    let mut subnet = network::UNUSED;
    let (mut fleet, mut host_network) = (None, None);
    let (mut host_door, mut metadata_door) = (None, None);
    let exchange_door = TcpListener::bind("127.0.0.1:0").await;
    let mut trading = vec![exchange_door.context("opening a port")?];
    if let Some(ground) = ground {
        let (endpoint, name) = (ground.endpoint(), &ground.made.network.name);
        fleet = Some(Hosts::new(
            ground.engine,
            &id,
            name,
            endpoint.clone(),
            &states,
            &cloud,
            &problems,
        ));
        subnet = ground.made.subnet;
        host_network = Some(HostNetwork {
            endpoint,
            ..ground.made.network
        });
        (host_door, metadata_door) = (ground.services, ground.metadata);
        trading.extend(ground.exchange);
    }
    let running = Running {
        endpoint: format!("http://{address}"),
        pid: std::process::id(),
        moto_pid: emulator.pid(),
        network: host_network,
        started: jiff::Timestamp::now()
            .round(jiff::Unit::Second)
            .context("reading the clock")?
            .to_string(),
        hosts,
        registry: registry.to_string(),
        exchange: exchange_of(&trading)?,
    };
    let exchange = tokio::spawn(trade(trading, problems.clone()));
    let front = Front::new(
        &emulator.endpoint,
        cloud,
        Addresses::new(subnet),
        states,
        problems,
        fleet,
        Registry::new(dir),
    )?;
    let stop = Arc::clone(&front.stop);
    let front = tokio::spawn(serve_front(
        Arc::new(front),
        Doors {
            local: listener,
            hosts: host_door,
            metadata: metadata_door,
            registry: registry_door,
        },
    ));
    note(dir, &running)?;
    Ok(Serving {
        running,
        emulator,
        stop,
        front,
        exchange,
    })
}

/// Serves the simulated exchange for as long as the sandbox is there.
async fn trade(doors: Vec<TcpListener>, problems: Problems) {
    let served = exchange::serve(doors, exchange::Options::default(), pending());
    if let Err(error) = served.await {
        problems.add(&format!("the simulated exchange has ended: {error}"));
    }
}

/// Where the simulated exchange is.
fn exchange_of(doors: &[TcpListener]) -> Result<ExchangePlace> {
    let addresses: std::io::Result<Vec<_>> = doors.iter().map(TcpListener::local_addr).collect();
    let addresses = addresses.context("opening a port")?;
    let url = |address: Option<&SocketAddr>| address.map(|address| format!("http://{address}"));
    Ok(ExchangePlace {
        url: url(addresses.first()).unwrap_or_default(),
        inside: url(addresses.get(1)),
    })
}

/// What hosts and containers stand on.
struct Ground {
    engine: Engine,
    made: network::Made,
    /// Where they are answered by AWS's services.
    services: Option<TcpListener>,
    /// Where hosts are answered by the metadata service.
    metadata: Option<TcpListener>,
    /// Where hosts and containers are answered by the simulated exchange.
    exchange: Option<TcpListener>,
}

impl Ground {
    async fn prepare(id: &str, problems: &Problems) -> Result<Self> {
        let engine = Engine::connect().await?;
        // What a sandbox of this folder left when it was killed.
        network::remove(&engine, id).await?;
        let made = network::create(&engine, id).await?;
        let gateway = Addresses::new(made.subnet).gateway();
        let services = open(gateway, "AWS's services", problems).await;
        let metadata = metadata(id, gateway, &made.device, problems).await;
        let exchange = open(gateway, "the simulated exchange", problems).await;
        Ok(Self {
            engine,
            made,
            services,
            metadata,
            exchange,
        })
    }

    fn endpoint(&self) -> Option<String> {
        let address = self.services.as_ref()?.local_addr().ok()?;
        Some(format!("http://{address}"))
    }

    fn containers(&self, id: &str, front: SocketAddr) -> ContainerNetwork {
        ContainerNetwork {
            sandbox: id.to_owned(),
            name: self.made.network.name.clone(),
            subnet: self.made.subnet,
            device: self.made.device.clone(),
            front,
            inside: self.endpoint(),
        }
    }
}

/// A port for hosts and containers. A machine that does not give it is a problem to be told, not one to
/// stop at.
async fn open(gateway: Ipv4Addr, what: &str, problems: &Problems) -> Option<TcpListener> {
    match TcpListener::bind((gateway, 0)).await {
        Ok(listener) => Some(listener),
        Err(cause) => {
            problems.add(&format!("hosts cannot reach {what}: {cause}"));
            None
        }
    }
}

/// The port of the metadata service, to which its address leads.
async fn metadata(
    id: &str,
    gateway: Ipv4Addr,
    device: &str,
    problems: &Problems,
) -> Option<TcpListener> {
    let listener = open(gateway, "the metadata service", problems).await?;
    let address = listener.local_addr().ok()?;
    if let Err(cause) = link_local::redirect(id, device, address.port()).await {
        problems.add(&format!("hosts cannot reach the metadata service: {cause}"));
        return None;
    }
    Some(listener)
}

/// Whole or not at all: `up` looks at the file while it is written.
fn note(dir: &Path, running: &Running) -> Result<()> {
    let text = serde_json::to_vec_pretty(running).context("writing `sandbox.json`")?;
    let path = place::file(dir);
    let draft = path.with_extension("draft");
    std::fs::write(&draft, text).context(format!("writing `{}`", draft.display()))?;
    std::fs::rename(&draft, &path).context(format!("writing `{}`", path.display()))
}

impl Serving {
    /// Stops front and emulator. Containers stay: `down` removes them.
    ///
    /// # Errors
    /// When the front had failed.
    pub async fn stop(self) -> Result<()> {
        self.stop.notify_one();
        let served = self.front.await;
        self.exchange.abort();
        self.emulator.stop().await;
        served.context("serving the sandbox")?
    }
}

/// Serves until SIGTERM, Ctrl-C or a request to stop.
///
/// # Errors
/// When something does not start, or the front fails.
pub async fn serve(dir: &Path, options: Options) -> Result<()> {
    let mut terminate = signal(SignalKind::terminate()).context("listening for signals")?;
    // The terminal that started it may go.
    let mut hangup = signal(SignalKind::hangup()).context("listening for signals")?;
    let mut serving = start(dir, options).await?;
    loop {
        tokio::select! {
            _ = hangup.recv() => {}
            _ = terminate.recv() => break,
            _ = tokio::signal::ctrl_c() => break,
            served = &mut serving.front => {
                serving.emulator.stop().await;
                return served.context("serving the sandbox")?;
            }
        }
    }
    serving.stop().await
}

/// Installs and builds what a sandbox needs, where it is missing.
///
/// # Errors
/// What the installers said.
pub async fn prepare(hosts: bool, say: &super::Say<'_>) -> Result<()> {
    super::emulator::install(say).await?;
    if hosts {
        node_image::build(&Engine::connect().await?, say).await?;
    }
    Ok(())
}
