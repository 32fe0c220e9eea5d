//! The front's parts together, and the way of a request through them.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{ConnectInfo, Extension, Request, State as Shared};
use axum::http::Response;
use axum::http::request::Parts;
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::task::JoinSet;

use super::addresses::Addresses;
use super::call::Call;
use super::cloud::{Cloud, Machine};
use super::commands::Commands;
use super::cut::{Cut, Cuttable};
use super::faults::{Effect, Faults};
use super::forward::Forward;
use super::memory::Memory;
use super::metadata::{self, Passes};
use super::protocol;
use super::record::Record;
use super::reply::Reply;
use super::sessions::Sessions;
use super::state::{State, States};
use super::tokens::Tokens;
use super::{control, ec2, fleets, identity, registry, run_command, stale};
use crate::base::{Result, ResultExt};
use crate::sandbox::hosts::Hosts;
use crate::sandbox::registry::Registry;

/// More than AWS takes in one request of the services in use.
const LARGEST_BODY: usize = 64 << 20;

/// Everything a request may need.
pub(crate) struct Front {
    /// The way to the emulator.
    pub(crate) forward: Forward,
    /// Questions to the emulator.
    pub(crate) cloud: Cloud,
    /// The map of addresses.
    pub(crate) addresses: Addresses,
    /// What the emulator does not know of instances.
    pub(crate) states: States,
    /// Client tokens.
    pub(crate) tokens: Tokens,
    /// Hosts, when they are run here.
    pub(crate) hosts: Option<Hosts>,
    /// Answers of other services than EC2, for stale reads.
    pub(crate) memory: Memory,
    /// What Run Command was asked to run.
    pub(crate) commands: Commands,
    /// Temporary credentials of instances.
    pub(crate) sessions: Sessions,
    /// Tokens of the metadata service.
    pub(crate) passes: Passes,
    /// Held while the members of groups get their hosts.
    pub(crate) fleets: tokio::sync::Mutex<()>,
    /// Where images are pushed to.
    pub(crate) registry: Registry,
    /// The way to it.
    pub(crate) registry_client: reqwest::Client,
    /// The record of calls.
    pub(crate) record: Record,
    /// Faults in force.
    pub(crate) faults: Faults,
    /// What went wrong behind the scenes, for `status`.
    pub(crate) problems: Problems,
    /// Rings when the front is asked to end.
    pub(crate) stop: Arc<Notify>,
}

/// A list of troubles; cheap to clone.
#[derive(Clone, Default)]
pub(crate) struct Problems(Arc<Mutex<Vec<String>>>);

impl Problems {
    /// Adds one.
    pub(crate) fn add(&self, problem: &impl ToString) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.push(problem.to_string());
    }

    /// All of them.
    pub(crate) fn all(&self) -> Vec<String> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

impl Front {
    /// A front to the emulator at `endpoint`.
    ///
    /// # Errors
    /// When the HTTP client cannot be set up.
    pub(crate) fn new(
        endpoint: &str,
        cloud: Cloud,
        addresses: Addresses,
        states: States,
        problems: Problems,
        hosts: Option<Hosts>,
        registry: Registry,
    ) -> Result<Self> {
        Ok(Self {
            forward: Forward::new(endpoint)?,
            cloud,
            addresses,
            states,
            tokens: Tokens::default(),
            hosts,
            memory: Memory::default(),
            commands: Commands::default(),
            sessions: Sessions::default(),
            passes: Passes::default(),
            fleets: tokio::sync::Mutex::default(),
            registry,
            registry_client: reqwest::Client::builder()
                .no_proxy()
                .build()
                .context("setting up the way to the registry")?,
            record: Record::default(),
            faults: Faults::default(),
            problems,
            stop: Arc::default(),
        })
    }

    /// The state to report of an instance that the emulator listed.
    pub(crate) fn state_of(&self, machine: &Machine) -> Option<State> {
        self.states
            .overlay(&machine.id)
            .or_else(|| State::of(&machine.state))
    }

    /// The states of instances by id; unknown ids are left to the emulator to refuse.
    pub(crate) async fn states_of(
        &self,
        region: &str,
        ids: &[String],
    ) -> Result<Vec<(String, State)>> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let machines = self
            .cloud
            .machines(region, ids, None)
            .await
            .unwrap_or_default();
        Ok(machines
            .into_iter()
            .filter_map(|machine| Some((machine.id.clone(), self.state_of(&machine)?)))
            .collect())
    }
}

/// Where the front is asked.
pub(crate) struct Doors {
    /// From this machine.
    pub(crate) local: TcpListener,
    /// From hosts.
    pub(crate) hosts: Option<TcpListener>,
    /// From hosts, for the metadata service.
    pub(crate) metadata: Option<TcpListener>,
    /// From Docker, for images.
    pub(crate) registry: TcpListener,
}

/// By which way a call came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Door {
    /// From this machine.
    Local,
    /// From a host.
    Hosts,
}

/// Serves until the front is asked to end.
///
/// # Errors
/// When a listener fails.
pub(crate) async fn serve(front: Arc<Front>, doors: Doors) -> Result<()> {
    let stop = Arc::clone(&front.stop);
    let services = |door| Router::new().fallback(answer).layer(Extension(door));
    // They end with this function.
    let mut others = JoinSet::new();
    if let Some(listener) = doors.hosts {
        let router = services(Door::Hosts).with_state(Arc::clone(&front));
        let router = router.into_make_service_with_connect_info::<Cut>();
        others.spawn(axum::serve(Cuttable(listener), router).into_future());
    }
    if let Some(listener) = doors.metadata {
        let router = Router::new().fallback(metadata::answer);
        let router = router.with_state(Arc::clone(&front));
        let router = router.into_make_service_with_connect_info::<SocketAddr>();
        others.spawn(axum::serve(listener, router).into_future());
    }
    let images = Router::new().fallback(registry::answer);
    let images = images.with_state(Arc::clone(&front)).into_make_service();
    others.spawn(axum::serve(doors.registry, images).into_future());
    let router = control::routes().merge(services(Door::Local));
    axum::serve(
        Cuttable(doors.local),
        router
            .with_state(front)
            .into_make_service_with_connect_info::<Cut>(),
    )
    .with_graceful_shutdown(async move { stop.notified().await })
    .await
    .context("serving the sandbox")
}

/// What a call brings.
enum Payload {
    /// Here.
    Whole(Bytes),
    /// On its way: what S3 is to keep.
    Stream(Body),
}

impl Payload {
    fn bytes(&self) -> &[u8] {
        match self {
            Self::Whole(bytes) => bytes,
            Self::Stream(_) => &[],
        }
    }
}

async fn answer(
    Shared(front): Shared<Arc<Front>>,
    Extension(door): Extension<Door>,
    ConnectInfo(cut): ConnectInfo<Cut>,
    request: Request,
) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let mut call = Call::read(&parts, &[]);
    let payload = if call.brings_object() {
        Payload::Stream(body)
    } else {
        let Ok(body) = to_bytes(body, LARGEST_BODY).await else {
            cut.now();
            return Response::default();
        };
        call = Call::read(&parts, &body);
        Payload::Whole(body)
    };
    // A caller that hangs up must not leave things half done.
    let work = tokio::spawn(async move {
        let strike = front.faults.strike(&call);
        if let Some(Effect::Latency { ms }) = strike {
            tokio::time::sleep(Duration::from_millis(ms)).await;
        }
        let refusal = identity::answer(&front, door, &call, &parts, payload.bytes()).await;
        let reply = match (refusal, &strike) {
            (_, Some(Effect::Throttle)) => {
                let (status, code, message) = protocol::throttled(&call.service, &call.action);
                Reply::error(&call, status, code, message)
            }
            (_, Some(Effect::Error { status, code })) => {
                Reply::error(&call, *status, code, "a fault that was asked for")
            }
            (_, Some(Effect::Reset)) => {
                Reply::error(&call, 503, "Reset", "the connection was reset")
            }
            (Some(refusal), _) => refusal,
            (None, strike) => done(&front, &call, &parts, payload, strike.as_ref()).await,
        };
        front.memory.note(&call, &reply);
        let reply = match strike {
            Some(Effect::Stale { ms }) if call.service == "ec2" => {
                stale::view(&front, &call, reply, Duration::from_millis(ms))
            }
            _ => reply,
        };
        front
            .record
            .add(&call, &reply, strike.as_ref().map(Effect::name));
        if matches!(strike, Some(Effect::Reset | Effect::Lost)) {
            cut.now();
        }
        reply
    });
    match work.await {
        Ok(reply) => reply.into_response(),
        Err(_) => Response::default(),
    }
}

/// Has a call done by whom it is for.
async fn done(
    front: &Arc<Front>,
    call: &Call,
    parts: &Parts,
    payload: Payload,
    strike: Option<&Effect>,
) -> Reply {
    let body = match payload {
        Payload::Whole(body) => body,
        Payload::Stream(body) => {
            let body = reqwest::Body::wrap_stream(body.into_data_stream());
            return front.forward.send(call, parts, body).await;
        }
    };
    let reply = match strike {
        _ if run_command::answers(call) => run_command::answer(front, call).await,
        _ if call.service == "ec2" => ec2::answer(front, call, parts).await,
        Some(Effect::Stale { ms }) => {
            let age = Duration::from_millis(*ms);
            stale::answer(front, call, parts, body, age).await
        }
        _ => front.memory.pass(&front.forward, call, parts, body).await,
    };
    if call.service == "autoscaling" && reply.status < 300 {
        return fleets::after(front, call, reply).await;
    }
    identity::seen(front, call, reply).await
}
