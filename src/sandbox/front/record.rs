//! The record of calls: what was asked, and how it ended.

use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use super::call::Call;
use super::reply::Reply;

/// How the agent of ECS tasks calls itself (`moto/agent.py`).
const AGENT: &str = "amazon-ecs-agent";

/// One call, as `GET /_sandbox/record` lists it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Recorded {
    /// Service, as the signature names it.
    pub service: String,
    /// Action.
    pub action: String,
    /// Region.
    pub region: String,
    /// AWS ids among the parameters.
    pub resources: Vec<String>,
    /// HTTP status of the answer, or of the one that was lost.
    pub status: u16,
    /// AWS's error code, when it was an error.
    pub code: Option<String>,
    /// The page that documents the rule that refused it, when one of the sandbox's own did.
    pub rule: Option<String>,
    /// The fault that struck, if one did.
    pub fault: Option<String>,
    /// The caller's name for itself.
    pub user_agent: String,
}

/// All calls since the start or the last clearing.
#[derive(Default)]
pub(crate) struct Record(Mutex<Vec<Recorded>>);

impl Record {
    /// Adds one; what the sandbox's own agent of ECS asks is nobody's call.
    pub(crate) fn add(&self, call: &Call, reply: &Reply, fault: Option<&str>) {
        if call.user_agent.starts_with(AGENT) {
            return;
        }
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(Recorded {
                service: call.service.clone(),
                action: call.action.clone(),
                region: call.region.clone(),
                resources: call.ids(),
                status: reply.status,
                code: reply.code.clone(),
                rule: reply.rule.map(str::to_owned),
                fault: fault.map(str::to_owned),
                user_agent: call.user_agent.clone(),
            });
    }

    /// All of them.
    pub(crate) fn all(&self) -> Vec<Recorded> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Forgets them.
    pub(crate) fn clear(&self) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
    }
}
