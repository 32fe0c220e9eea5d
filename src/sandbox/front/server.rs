//! The front's parts together, and the way of a request through them.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{ConnectInfo, Request, State as Shared};
use axum::http::Response;
use tokio::net::TcpListener;
use tokio::sync::Notify;

use super::addresses::Addresses;
use super::call::Call;
use super::cloud::{Cloud, Machine};
use super::commands::Commands;
use super::cut::{Cut, Cuttable};
use super::faults::{Effect, Faults};
use super::forward::Forward;
use super::memory::Memory;
use super::protocol;
use super::record::Record;
use super::reply::Reply;
use super::state::{State, States};
use super::tokens::Tokens;
use super::{control, ec2, run_command, stale};
use crate::base::{Result, ResultExt};
use crate::sandbox::hosts::Hosts;

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

/// Serves until the front is asked to end.
///
/// # Errors
/// When the listener fails.
pub(crate) async fn serve(front: Arc<Front>, listener: TcpListener) -> Result<()> {
    let stop = Arc::clone(&front.stop);
    let router = Router::new()
        .merge(control::routes())
        .fallback(answer)
        .with_state(front);
    axum::serve(
        Cuttable(listener),
        router.into_make_service_with_connect_info::<Cut>(),
    )
    .with_graceful_shutdown(async move { stop.notified().await })
    .await
    .context("serving the sandbox")
}

async fn answer(
    Shared(front): Shared<Arc<Front>>,
    ConnectInfo(cut): ConnectInfo<Cut>,
    request: Request,
) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, LARGEST_BODY).await else {
        cut.now();
        return Response::default();
    };
    let call = Call::read(&parts, &body);
    // A caller that hangs up must not leave things half done.
    let work = tokio::spawn(async move {
        let strike = front.faults.strike(&call);
        if let Some(Effect::Latency { ms }) = strike {
            tokio::time::sleep(Duration::from_millis(ms)).await;
        }
        let reply = match &strike {
            Some(Effect::Throttle) => {
                let (status, code, message) = protocol::throttled(&call.service, &call.action);
                Reply::error(&call, status, code, message)
            }
            Some(Effect::Error { status, code }) => {
                Reply::error(&call, *status, code, "a fault that was asked for")
            }
            Some(Effect::Reset) => Reply::error(&call, 503, "Reset", "the connection was reset"),
            _ if run_command::answers(&call) => run_command::answer(&front, &call).await,
            _ if call.service == "ec2" => ec2::answer(&front, &call, &parts).await,
            Some(Effect::Stale { ms }) => {
                let age = Duration::from_millis(*ms);
                stale::answer(&front, &call, &parts, body, age).await
            }
            _ => front.memory.pass(&front.forward, &call, &parts, body).await,
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
