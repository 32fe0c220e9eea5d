//! The sandbox's own requests, beside AWS's: health, record, faults, the caller's address.

use std::sync::Arc;

use axum::extract::State as Shared;
use axum::http::StatusCode;
use axum::routing::{delete, get, post};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};

use super::faults::Fault;
use super::record::Recorded;
use super::server::Front;
use crate::base::Error;

/// The answer of `GET /_sandbox/health`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Health {
    /// The emulator answers.
    pub emulator: bool,
    /// Instances are real hosts.
    pub hosts: bool,
    /// Hosts there are, stopped ones too.
    pub host_count: usize,
    /// What went wrong behind the scenes since the start.
    pub problems: Vec<String>,
}

/// The routes.
pub(super) fn routes() -> Router<Arc<Front>> {
    Router::new()
        .route("/_sandbox/health", get(health))
        .route("/_sandbox/record", get(record).delete(clear_record))
        .route("/_sandbox/faults", post(add_faults))
        .route("/_sandbox/faults", delete(clear_faults))
        .route("/_sandbox/session", post(session))
        .route("/_sandbox/stop", post(stop))
        .route("/checkip", get(check_ip))
}

async fn health(Shared(front): Shared<Arc<Front>>) -> Json<Health> {
    Json(Health {
        emulator: front.forward.is_alive().await,
        hosts: front.hosts.is_some(),
        host_count: front
            .hosts
            .as_ref()
            .map_or(0, crate::sandbox::hosts::Hosts::count),
        problems: front.problems.all(),
    })
}

async fn record(Shared(front): Shared<Arc<Front>>) -> Json<Vec<Recorded>> {
    Json(front.record.all())
}

async fn clear_record(Shared(front): Shared<Arc<Front>>) {
    front.record.clear();
}

async fn add_faults(Shared(front): Shared<Arc<Front>>, Json(rules): Json<Vec<Fault>>) {
    front.faults.add(rules);
}

async fn clear_faults(Shared(front): Shared<Arc<Front>>) {
    front.faults.clear();
}

/// A role that something is done as.
#[derive(Deserialize)]
struct Assumed {
    /// The role's name.
    role: String,
    /// The session's name.
    session: String,
}

/// Temporary credentials of a role, in the words of the metadata service.
async fn session(
    Shared(front): Shared<Arc<Front>>,
    Json(asked): Json<Assumed>,
) -> Result<String, (StatusCode, String)> {
    let given = front.sessions.of(&asked.session, &asked.role);
    let refused = |error: Error| {
        (
            StatusCode::INTERNAL_SERVER_ERROR,
            error.message().to_owned(),
        )
    };
    Ok(given.map_err(refused)?.document())
}

async fn stop(Shared(front): Shared<Arc<Front>>) {
    front.stop.notify_one();
}

/// What hosts see this machine as: a caller on loopback has that address in their network.
async fn check_ip(Shared(front): Shared<Arc<Front>>) -> String {
    format!("{}\n", front.addresses.gateway())
}
